// What the person agreed to, and the only judge of what may be signed. Knows no token.
#pragma once

#include "base/messages.hpp"
#include "pkcs11/watch.hpp"
#include "signing/certificate.hpp"

#include <set>

namespace tamga::pkcs11 {

class Mandate {
public:
    /// For octets to be signed by `certificate`'s key. `message` is the first part, taken at `now`.
    /// Errors: mandate_violated, digest_length.
    static Result<Mandate> begin(ipc::Mandate const& message, signing::Certificate certificate, SteadyTime now);

    /// A further part: the same members beside the digests. Errors: mandate_violated, digest_length.
    Result<void> add(ipc::Mandate const& message);

    /// Whether the last part has come: nothing is signed before.
    [[nodiscard]] bool complete() const noexcept { return m_message.last; }
    [[nodiscard]] ipc::Form form() const noexcept { return m_message.form; }
    [[nodiscard]] SteadyTime expiry() const noexcept { return m_expiry; }
    [[nodiscard]] signing::Certificate const& certificate() const noexcept { return m_certificate; }

    /// Parses `octets` as the mandate's form to the last octet, compares them with it, and strikes their digest out:
    /// each may be signed as often as it stands in the mandate. `unix_now` is compared with the time in it, where the
    /// form has one (5 minutes).
    /// @return the digest of `octets`, for C_Sign. Errors: mandate_violated, algorithm_unavailable.
    Result<Bytes> redeem(View octets, SteadyTime now, std::int64_t unix_now);

private:
    Mandate(ipc::Mandate const& message, signing::Certificate certificate, SteadyTime expiry);
    [[nodiscard]] Result<Bytes> committed_digest(View octets, std::int64_t unix_now) const;

    ipc::Mandate m_message; ///< the parts' common members; its digests are in m_digests
    signing::Certificate m_certificate;
    SteadyTime m_expiry;
    std::multiset<Bytes> m_digests;
};

} // namespace tamga::pkcs11

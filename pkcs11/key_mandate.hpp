// What the person agreed to of work on keys, operation by operation. Knows no token.
#pragma once

#include "base/messages.hpp"
#include "pkcs11/watch.hpp"

namespace tamga::pkcs11 {

class KeyMandate {
public:
    /// Taken at `now`. Errors: mandate_violated (none, or more than there may be); bad_request (one that cannot be
    /// meant: an identifier that is not ours, a label that is empty or too long, no certificate ...).
    static Result<KeyMandate> begin(ipc::KeyMandate const& message, SteadyTime now);

    [[nodiscard]] SteadyTime expiry() const noexcept { return m_expiry; }

    /// Strikes operation `index` out and gives it: each is done once. Error: mandate_violated (no such one, done
    /// before, expired; octets to be signed where nothing is, or none where something is).
    Result<ipc::KeyOperation> redeem(std::uint32_t index, View octets, SteadyTime now);

private:
    explicit KeyMandate(SteadyTime expiry) noexcept : m_expiry{expiry} {}

    SteadyTime m_expiry;
    std::vector<std::optional<ipc::KeyOperation>> m_operations; ///< nothing in the place of one that was begun
};

} // namespace tamga::pkcs11

// What the person agreed to for a while: statements of a sign-in to one origin by one certificate, without a window
// each time. The only judge of what is signed so. Knows no token.
#pragma once

#include "base/messages.hpp"
#include "pkcs11/watch.hpp"
#include "signing/certificate.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

/// Two clocks, of which one stands while the computer sleeps.
struct Moment {
    SteadyTime steady;
    std::chrono::nanoseconds asleep{}; ///< since the computer was started

    static Moment now();
};

class StandingMandate {
public:
    /// `limits` of the token: less is given where less is asked for, never more.
    /// Errors: unsupported (nothing may be remembered), mandate_violated (another certificate, no origin).
    static Result<StandingMandate> give(ipc::Remember const& wanted, ipc::TokenInfo const& limits,
                                        signing::Certificate certificate, Moment now);

    /// Not for long, not unused for long, and not since the computer slept.
    [[nodiscard]] bool holds(Moment now) const noexcept;
    /// When it ends if nothing is signed before.
    [[nodiscard]] SteadyTime end() const noexcept { return std::min(m_deadline, m_last_use + m_unused); }

    /// Parses `octets` as a statement to the last octet and compares origin, certificate and time (5 minutes) with it.
    /// @return their digest, for C_Sign. Errors: mandate_violated, algorithm_unavailable.
    Result<Bytes> redeem(View octets, Moment now, std::int64_t unix_now);

private:
    StandingMandate(ipc::Remember const& wanted, ipc::TokenInfo const& limits, signing::Certificate certificate,
                    Moment now);

    std::string m_origin;
    signing::Certificate m_certificate;
    SteadyTime m_deadline;
    std::chrono::seconds m_unused;
    SteadyTime m_last_use;
    std::chrono::nanoseconds m_asleep;
};

} // namespace tamga::pkcs11

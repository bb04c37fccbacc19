// Whether a certificate was issued by an authority that is trusted: X509_verify_cert, which works with Kazakhstan's
// keys through signing/foreign_keys.hpp, and its answers as states that a person can do something about.
#pragma once

#include "signing/trust_set.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tamga::signing {

enum class ChainState : std::uint8_t {
    good,
    issuer_missing, ///< nothing is known against it: the certificate of its issuer is not here
    expired,        ///< it, or an authority above it, was not valid any more
    not_yet_valid,
    untrusted,    ///< a signature that does not verify or is over MD5 or SHA-1, an RSA key under 2048 bits, an issuer
                  ///< that may not issue, or itself its issuer
    unverifiable, ///< what its algorithm needs is not on this computer (libengine-gost-openssl)
};

struct Chain {
    ChainState state = ChainState::issuer_missing;
    std::vector<Certificate> path; ///< from the certificate up, as far as it could be built
    std::string detail;            ///< OpenSSL's words; for the log

    /// The certificate above the first; null where there is none.
    [[nodiscard]] Certificate const* issuer() const noexcept { return path.size() < 2 ? nullptr : &path[1]; }
};

enum class ChainUse : std::uint8_t { signature, timestamp };

/// Judges `certificate` as of `time` (seconds since 1970). The set is trusted, every certificate of it for itself: a
/// chain may end at an intermediate authority. `helpers` (which came with a document) may stand in the middle, and are
/// believed nothing. Blocking: some 0.1 ms a signature for RSA, 2 ms for GOST.
[[nodiscard]] Chain build_chain(TrustSet const& trusted, Certificate const& certificate,
                                std::vector<Certificate> const& helpers, std::int64_t time,
                                ChainUse use = ChainUse::signature);

} // namespace tamga::signing

// Whether a certificate may be used to sign, beside what it says of itself: its chain and whether it was revoked, from
// what is on this computer. The window and tamga-web decide by the same rules.
#pragma once

#include "base/messages.hpp"
#include "signing/chain.hpp"
#include "signing/revocation.hpp"

#include <optional>

namespace tamga::signing {

struct Judgement {
    /// It cannot be used: certificate_untrusted, certificate_revoked, issuer_missing (strict), algorithm_unavailable.
    std::optional<Errc> refusal;
    /// It can, after a warning: issuer_missing, revocation_unknown.
    std::optional<Errc> doubt;
    RevocationStatus revocation;
    std::optional<Certificate> issuer; ///< where the chain has one
};

enum class Strictness : bool { lenient, strict };

/// `filter` says what the page asked for: its own authorities, none at all, revoked ones too. In strict mode the issuer
/// must be known; that nothing is known of revocation stays a doubt, which tamga-web settles by asking. Blocking:
/// verifies the chain (signing/chain.hpp) and reads a small file or two.
[[nodiscard]] Judgement judge(Certificate const& certificate, ipc::KeyFilter const& filter, TrustSet const& trusted,
                              RevocationCache const& cache, Strictness strictness, std::int64_t now);

} // namespace tamga::signing

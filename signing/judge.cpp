#include "signing/judge.hpp"

#include <algorithm>

namespace tamga::signing {

namespace {

/// The page's authorities instead of the computer's, whose certificates may stand in the middle then.
Chain chain_of(Certificate const& certificate, ipc::KeyFilter const& filter, TrustSet const& trusted,
               std::int64_t now) {
    if (filter.issuers.empty()) return build_chain(trusted, certificate, {}, now);
    std::vector<Certificate> named;
    for (auto const& der : filter.issuers) {
        if (auto issuer = Certificate::parse(der)) named.push_back(std::move(*issuer));
    }
    auto chain = build_chain(TrustSet{std::move(named)}, certificate, trusted.certificates(), now);
    if (chain.state == ChainState::issuer_missing) chain.state = ChainState::untrusted;
    return chain;
}

} // namespace

Judgement judge(Certificate const& certificate, ipc::KeyFilter const& filter, TrustSet const& trusted,
                RevocationCache const& cache, Strictness strictness, std::int64_t now) {
    Judgement judgement;
    // One that has expired is judged as of its last day: whether that matters is the page's affair (allowExpired).
    auto const as_of = std::min(now, certificate.not_after());
    auto const chain = chain_of(certificate, filter, trusted, as_of);
    if (chain.issuer() != nullptr) judgement.issuer = *chain.issuer();
    judgement.revocation = cache.find(certificate, chain.issuer(), now);
    if (judgement.revocation.state == Revocation::revoked && !filter.allow_revoked) {
        judgement.refusal = Errc::certificate_revoked;
        return judgement;
    }
    if (filter.any_issuer) return judgement;
    // One that its owner signed himself proves nothing to whoever verifies; whether that matters is for the page to
    // say, and the person is warned as where the issuer is missing.
    bool const signed_himself =
        chain.state == ChainState::untrusted && certificate.subject_dn() == certificate.issuer_dn();
    switch (signed_himself && filter.issuers.empty() ? ChainState::issuer_missing : chain.state) {
    case ChainState::good: break;
    case ChainState::issuer_missing:
        if (strictness == Strictness::strict)
            judgement.refusal = Errc::issuer_missing;
        else
            judgement.doubt = Errc::issuer_missing;
        return judgement;
    case ChainState::expired:
    case ChainState::not_yet_valid:
    case ChainState::untrusted: judgement.refusal = Errc::certificate_untrusted; return judgement;
    case ChainState::unverifiable: judgement.refusal = Errc::algorithm_unavailable; return judgement;
    }
    if (judgement.revocation.state == Revocation::unknown) judgement.doubt = Errc::revocation_unknown;
    return judgement;
}

} // namespace tamga::signing

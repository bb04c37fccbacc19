#include "signing/report.hpp"

#include "base/date.hpp"

namespace tamga::signing {

namespace {

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::good: return "good";
    case Verdict::unsettled: return "unsettled";
    case Verdict::bad: return "bad";
    }
    return "";
}

std::string_view name_of(ChainState state) {
    switch (state) {
    case ChainState::good: return "good";
    case ChainState::issuer_missing: return "issuer_missing";
    case ChainState::expired: return "expired";
    case ChainState::not_yet_valid: return "not_yet_valid";
    case ChainState::untrusted: return "untrusted";
    case ChainState::unverifiable: return "unverifiable";
    }
    return "";
}

std::string_view name_of(Revocation state) {
    switch (state) {
    case Revocation::unknown: return "unknown";
    case Revocation::good: return "good";
    case Revocation::revoked: return "revoked";
    }
    return "";
}

std::string_view name_of(KeyUse use) {
    switch (use) {
    case KeyUse::documents: return "documents";
    case KeyUse::sign_in: return "sign_in";
    case KeyUse::other: return "other";
    }
    return "";
}

std::string_view name_of(Result<void> const& result) {
    return result ? "valid" : wire_name(result.error().code);
}

Tree tree_of(StampReport const& stamp) {
    Tree tree;
    tree.add("valid", name_of(stamp.valid));
    if (!stamp.valid) return tree.add("detail", stamp.valid.error().detail);
    tree.add("time", utc_time(stamp.time)).add("policy", stamp.policy);
    tree.add("authority", stamp.authority->subject_dn()).add("chain", name_of(stamp.chain.state));
    return tree.add("revocation", name_of(stamp.revocation.state));
}

/// A list of texts.
Tree::List list_of(std::vector<std::string> const& texts) {
    return {texts.begin(), texts.end()};
}

Tree tree_of(Certificate const& certificate) {
    Tree tree;
    tree.add("subject", certificate.subject_dn()).add("issuer", certificate.issuer_dn());
    tree.add("serialNumber", certificate.serial_number()).add("iin", certificate.iin());
    tree.add("bin", certificate.bin()).add("algorithm", certificate.algorithm().name);
    tree.add("notBefore", utc_time(certificate.not_before())).add("notAfter", utc_time(certificate.not_after()));
    tree.add("extendedKeyUsages", list_of(certificate.extended_key_usages()));
    return tree.add("sha256", to_hex(certificate.fingerprint()));
}

Tree tree_of(SignerReport const& signer) {
    Tree tree;
    tree.add("verdict", name_of(signer.verdict())).add("signature", name_of(signer.signature));
    if (!signer.signature) tree.add("detail", signer.signature.error().detail);
    tree.add_unless_empty("unsupportedAlgorithm", signer.fault.algorithm).add("contentSeen", signer.content_seen);
    tree.add("coverage", signer.coverage == Coverage::whole ? "whole" : "part");
    if (!signer.covers.empty()) tree.add("covers", list_of(signer.covers));
    if (signer.claimed_time) tree.add("claimedTime", utc_time(*signer.claimed_time));
    Tree::List stamps;
    for (auto const& stamp : signer.stamps)
        stamps.push_back(tree_of(stamp));
    tree.add("timestamps", std::move(stamps));
    if (!signer.certificate) return tree;
    tree.add("keyUse", name_of(signer.use));
    tree.add("certificate", tree_of(*signer.certificate)).add("judgedAt", utc_time(signer.judged_at));
    tree.add("chain", name_of(signer.chain.state));
    if (signer.chain.state != ChainState::good) tree.add("chainDetail", signer.chain.detail);
    tree.add("revocation", name_of(signer.revocation.state));
    if (signer.revocation.state == Revocation::revoked) tree.add("revokedAt", utc_time(signer.revocation.revoked_at));
    return tree;
}

} // namespace

Tree tree_of(Report const& report) {
    Tree::List signers;
    for (auto const& signer : report.signers)
        signers.push_back(tree_of(signer));
    Tree tree;
    tree.add("form", report.form == SignedForm::cms ? "cms" : "xml").add("verdict", name_of(report.verdict()));
    return tree.add("signers", std::move(signers));
}

} // namespace tamga::signing

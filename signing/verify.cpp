#include "signing/verify.hpp"

#include "base/base64.hpp"
#include "signing/signed_data.hpp"

#include <openssl/x509v3.h>

#include <algorithm>

namespace tamga::signing {

namespace {

constexpr std::size_t most_signers = 256;

Verdict worse(Verdict one, Verdict other) {
    return std::max(one, other);
}

Verdict verdict_of(ChainState state) {
    switch (state) {
    case ChainState::good: return Verdict::good;
    case ChainState::issuer_missing:
    case ChainState::unverifiable: return Verdict::unsettled;
    case ChainState::expired:
    case ChainState::not_yet_valid:
    case ChainState::untrusted: return Verdict::bad;
    }
    return Verdict::bad;
}

Verdict verdict_of(Result<void> const& signature) {
    if (signature) return Verdict::good;
    switch (signature.error().code) {
    case Errc::algorithm_unavailable:
    case Errc::mechanism_unsupported:
    case Errc::key_not_found: return Verdict::unsettled;
    default: return Verdict::bad; // NOLINT: of all errors, the rest speaks against it
    }
}

/// A certificate revoked after the time that counts was good then.
Verdict verdict_of(RevocationStatus const& status, std::int64_t judged_at) {
    switch (status.state) {
    case Revocation::good: return Verdict::good;
    case Revocation::unknown: return Verdict::unsettled;
    case Revocation::revoked: return status.revoked_at > judged_at ? Verdict::good : Verdict::bad;
    }
    return Verdict::bad;
}

StampReport report_of_stamp(View token, View value, VerifySettings const& settings) {
    StampReport report;
    auto stamp = check_timestamp(token, value);
    if (!stamp) {
        report.valid = stamp.error();
        return report;
    }
    report.valid = ok();
    report.time = stamp->time;
    report.policy = stamp->policy;
    report.chain =
        build_chain(settings.trusted, stamp->authority, stamp->certificates, stamp->time, ChainUse::timestamp);
    report.revocation = settings.revocation.find(stamp->authority, report.chain.issuer(), settings.now);
    report.authority = std::move(stamp->authority);
    return report;
}

/// That nobody has asked about a service says nothing against its stamps (docs/adr/0019). That it was revoked later
/// does not make a stamp wrong; it proves nothing any more.
Verdict verdict_of(StampReport const& stamp) {
    auto const verdict = verdict_of(stamp.valid);
    if (!stamp.valid) return verdict;
    if (stamp.revocation.state != Revocation::revoked) return worse(verdict, verdict_of(stamp.chain.state));
    bool const was_revoked = stamp.revocation.revoked_at <= stamp.time;
    return worse(verdict_of(stamp.chain.state), was_revoked ? Verdict::bad : Verdict::unsettled);
}

KeyUse use_of(Certificate const& certificate) {
    // All bits are set where the extension is not there.
    if ((::X509_get_key_usage(certificate.x509()) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
        return KeyUse::other;
    }
    bool const for_documents = certificate.has_extended_key_usage(eku_email_protection);
    return certificate.has_extended_key_usage(eku_client_auth) && !for_documents ? KeyUse::sign_in : KeyUse::documents;
}

Verdict verdict_of(KeyUse use) {
    switch (use) {
    case KeyUse::documents: return Verdict::good;
    case KeyUse::sign_in: return Verdict::unsettled;
    case KeyUse::other: return Verdict::bad;
    }
    return Verdict::bad;
}

/// Chain and revocation, as of the time that counts for this signature.
void judge_certificate(SignerReport& report, std::vector<Certificate> const& helpers, VerifySettings const& settings) {
    report.judged_at = settings.at.value_or(settings.now);
    auto const proof = std::ranges::find_if(report.stamps, &StampReport::proves);
    if (!settings.at && proof != report.stamps.end()) report.judged_at = proof->time;
    if (!report.certificate) return;
    report.use = use_of(*report.certificate);
    report.chain = build_chain(settings.trusted, *report.certificate, helpers, report.judged_at);
    report.revocation = settings.revocation.find(*report.certificate, report.chain.issuer(), settings.now);
}

Result<Report> verify_cms(View der, std::optional<View> content, VerifySettings const& settings) {
    auto const data = read_signed_data(der);
    if (!data) return Error{Errc::cms_malformed, "no SignedData"};
    auto const inside = content_of(*data);
    if (!inside) return inside.error();
    bool const contradicts = *inside && content && !std::ranges::equal(**inside, *content);
    if (*inside) content = View{**inside};
    auto const signers = der::members(data->signers);
    if (!signers || signers->empty()) return Error{Errc::cms_malformed, "nobody signed"};
    if (signers->size() > most_signers) return Error{Errc::too_large, "signers"};

    Report report{SignedForm::cms, {}};
    auto const certificates = certificates_of(*data);
    for (auto const& member : *signers) {
        auto const signer = read_signer_info(member.octets);
        if (!signer) return Error{Errc::cms_malformed, "SignerInfo"};
        auto checked = check_signer(*data, *signer, content, certificates);
        auto& entry = report.signers.emplace_back();
        entry.signature = checked.signature;
        entry.fault = std::move(checked.fault);
        if (contradicts) {
            entry.signature = Error{Errc::signature_invalid, "the file given is not the content signed"};
            entry.fault = {FaultKind::content_differs, {}};
        }
        entry.certificate = std::move(checked.certificate);
        entry.content_seen = content.has_value();
        entry.claimed_time = checked.signing_time;
        for (auto const& token : checked.timestamps)
            entry.stamps.push_back(report_of_stamp(token, checked.value, settings));
        judge_certificate(entry, certificates, settings);
    }
    return report;
}

Result<Report> verify_xml(View text, VerifySettings const& settings) {
    auto signers = check_xml_signatures(text);
    if (!signers) return signers.error();
    Report report{SignedForm::xml, std::move(*signers)};
    for (auto& signer : report.signers)
        judge_certificate(signer, {}, settings);
    return report;
}

/// As mail has it, and as `openssl cms -sign` writes unless told otherwise.
bool looks_like_mail(std::string_view text) {
    return text.starts_with("MIME-Version:") || text.starts_with("Content-Type:");
}

} // namespace

Verdict SignerReport::verdict() const noexcept {
    auto verdict = worse(verdict_of(signature), verdict_of(chain.state));
    verdict = worse(verdict, verdict_of(revocation, judged_at));
    verdict = worse(verdict, verdict_of(use));
    if (!content_seen || coverage == Coverage::part) verdict = worse(verdict, Verdict::unsettled);
    for (auto const& stamp : stamps)
        verdict = worse(verdict, verdict_of(stamp));
    return verdict;
}

Verdict Report::verdict() const noexcept {
    auto verdict = Verdict::good;
    for (auto const& signer : signers)
        verdict = worse(verdict, signer.verdict());
    return verdict;
}

bool looks_like_xml(View file) {
    constexpr std::string_view before_markup = " \t\r\n\xef\xbb\xbf";
    auto const text = as_text(file);
    auto const first = text.find_first_not_of(before_markup);
    return first != std::string_view::npos && text[first] == '<';
}

Result<Report> verify_document(View file, std::optional<View> content, VerifySettings const& settings) {
    if (read_signed_data(file)) return verify_cms(file, content, settings);
    if (looks_like_xml(file)) return verify_xml(file, settings);
    if (looks_like_mail(as_text(file))) return Error{Errc::unsupported, "S/MIME"};
    if (auto const octets = octets_of_pem(as_text(file))) return verify_cms(*octets, content, settings);
    // As commonUtils gives it to pages: base64 on one line.
    auto const octets = from_base64(as_text(file), Base64Whitespace::skipped);
    if (octets && read_signed_data(*octets)) return verify_cms(*octets, content, settings);
    return Error{Errc::bad_request, "neither CMS nor XML"};
}

} // namespace tamga::signing

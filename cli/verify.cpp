#include "cli/verify.hpp"

#include "base/date.hpp"
#include "base/explain.hpp"
#include "cli/printable.hpp"
#include "cli/whole_file.hpp"
#include "signing/report.hpp"

#include <ctime>

namespace tamga::cli {

namespace {

using signing::ChainState;
using signing::Coverage;
using signing::Fault;
using signing::FaultKind;
using signing::KeyUse;
using signing::Revocation;
using signing::SignerReport;
using signing::StampReport;
using signing::Verdict;

constexpr std::uintmax_t most_octets = 1ULL << 30;

/// What a person must know beside a valid signature; nothing where there is nothing.
char const* doubt(KeyUse use) {
    switch (use) {
    case KeyUse::documents: break;
    case KeyUse::sign_in: return message_id("This is a key for signing in, not for documents.");
    case KeyUse::other: return message_id("THE KEY OF THIS CERTIFICATE IS NOT ONE FOR SIGNATURES.");
    }
    return nullptr;
}

constexpr int exit_bad = 1;
constexpr int exit_usage = 2;
constexpr int exit_unread = 4;

int exit_code(Verdict verdict) {
    switch (verdict) {
    case Verdict::good: return 0;
    case Verdict::unsettled: return 3;
    case Verdict::bad: return exit_bad;
    }
    return exit_bad;
}

// ---- words ----

/// %1: the algorithm, where there is one to name.
char const* fault_message(FaultKind kind) {
    switch (kind) {
    case FaultKind::none:
    case FaultKind::damaged: return message_id("THE SIGNATURE IS NOT VALID: it is damaged.");
    case FaultKind::content_changed:
        return message_id("THE SIGNATURE IS NOT VALID: the content is not what was signed.");
    case FaultKind::content_differs:
        return message_id("THE SIGNATURE IS NOT VALID: the file given with --content is not what was signed.");
    case FaultKind::not_by_this_key:
        return message_id("THE SIGNATURE IS NOT VALID: it was not made with the key of this certificate, or was "
                          "changed afterwards.");
    case FaultKind::another_certificate:
        return message_id("THE SIGNATURE IS NOT VALID: it was made for another certificate than the one in the file.");
    case FaultKind::target_unclear:
        return message_id("THE SIGNATURE IS NOT VALID: the element that was signed is not in the document, or several "
                          "have its Id.");
    case FaultKind::certificate_missing:
        return message_id("The signature could not be verified: the signer's certificate is not in the file, or its "
                          "kind of key is not supported.");
    case FaultKind::certificate_unsupported:
        return message_id("The signature could not be verified: the kind of key of the signer's certificate is not "
                          "supported.");
    case FaultKind::digest_unsupported:
        return message_id("The signature could not be verified: its digest algorithm (%1) is not supported, or not "
                          "safe any more.");
    case FaultKind::method_unsupported:
        return message_id("The signature could not be verified: its signature algorithm (%1) is not supported, or not "
                          "safe any more.");
    case FaultKind::form_unsupported:
        return message_id("The signature could not be verified: it has a form that is not supported.");
    case FaultKind::gost_missing:
        return message_id("The signature could not be verified without the package libengine-gost-openssl.");
    }
    return "";
}

/// Why nothing was verified.
char const* failure_message(Errc code) {
    switch (code) {
    case Errc::unsupported:
        return message_id("This is an S/MIME message, which is not read. Take its CMS out with: openssl cms -cmsout "
                          "-in FILE -outform DER -out FILE.der");
    case Errc::cms_malformed: return message_id("The CMS in this file is damaged, or nobody has signed it.");
    case Errc::xml_malformed: return message_id("The XML in this file is damaged.");
    case Errc::xml_target: return message_id("There is no signature in this XML document.");
    case Errc::too_large: return message_id("The file is too large.");
    default: // NOLINT: nothing else is known of the file
        return message_id(
            "This is no signed file that can be read: CMS is read as DER, PEM or base64, and signed XML.");
    }
}

class Words {
public:
    Words(Language language, std::ostream& out) : m_language{language}, m_out{out} {}

    void report(signing::Report const& report) {
        std::size_t number = 0;
        for (auto const& signer : report.signers)
            say(std::to_string(++number) + ". " + owner(signer)), this->signer(signer);
        say(verdict(report.verdict()));
    }

private:
    // Names in certificates may hold what moves a terminal's cursor or turns the direction of reading.
    void say(std::string_view words) { m_out << printable(words) << '\n'; }
    void line(std::string_view words) { m_out << "   " << printable(words) << '\n'; }
    [[nodiscard]] std::string words(char const* message) const { return std::string{text(m_language, message)}; }

    [[nodiscard]] std::string owner(SignerReport const& signer) const {
        if (!signer.certificate) return words(message_id("a signer whose certificate is not in the file"));
        auto name = signer.certificate->common_name();
        if (auto const iin = signer.certificate->iin(); !iin.empty()) name += ", IIN " + iin;
        if (auto const organisation = signer.certificate->organisation(); !organisation.empty())
            name += ", " + organisation;
        if (auto const bin = signer.certificate->bin(); !bin.empty()) name += ", BIN " + bin;
        return name;
    }

    void signer(SignerReport const& signer) {
        signature(signer);
        for (auto const& id : signer.covers)
            line(text(m_language, "Signed is the element with the Id %1.", {id}));
        if (signer.coverage == Coverage::part)
            line(words(
                message_id("ONLY A PART OF THE DOCUMENT IS SIGNED. What stands outside of it may be anybody's.")));
        if (auto const* message = doubt(signer.use)) line(words(message));
        if (signer.claimed_time)
            line(text(m_language, "The signer says: signed at %1.", {utc_time(*signer.claimed_time)}));
        for (auto const& each : signer.stamps)
            stamp(each);
        if (!signer.certificate) return;
        line(text(m_language, "Certificate issued by %1, valid from %2 to %3; judged as of %4.",
                  {signer.certificate->issuer_common_name(), utc_time(signer.certificate->not_before()),
                   utc_time(signer.certificate->not_after()), utc_time(signer.judged_at)}));
        line(chain(signer.chain));
        line(revocation(signer.revocation));
    }

    void signature(SignerReport const& signer) {
        if (!signer.signature) return line(fault(signer.fault));
        line(words(signer.content_seen ? message_id("The signature is valid.")
                                       : message_id("The signature is valid, but what was signed is not in the file: "
                                                    "give it with --content.")));
    }

    [[nodiscard]] std::string fault(Fault const& fault) const {
        return text(m_language, fault_message(fault.kind), {fault.algorithm});
    }

    void stamp(StampReport const& stamp) {
        if (!stamp.valid) {
            bool const unavailable = stamp.valid.error().code == Errc::algorithm_unavailable;
            return line(
                words(unavailable
                          ? message_id("A time-stamp could not be verified without the package libengine-gost-openssl.")
                          : message_id("A TIME-STAMP IS NOT VALID: it is damaged, is not on this signature, or is not "
                                       "by a service for time-stamps.")));
        }
        line(text(m_language, "Time-stamp of %1 by %2.", {utc_time(stamp.time), stamp.authority->common_name()}));
        if (stamp.chain.state != ChainState::good) line(chain(stamp.chain));
        if (stamp.revocation.state == Revocation::revoked) line(revocation(stamp.revocation));
    }

    [[nodiscard]] std::string chain(signing::Chain const& chain) const {
        switch (chain.state) {
        case ChainState::good: return words(message_id("Issued by an authority that this computer trusts."));
        case ChainState::issuer_missing:
            return words(
                message_id("The certificate of the issuer is missing on this computer. Nothing is known against "
                           "this one; add the issuer's with: tamga ca add FILE."));
        case ChainState::expired: return words(message_id("The certificate, or its issuer's, had expired then."));
        case ChainState::not_yet_valid:
            return words(message_id("The certificate, or its issuer's, was not valid yet then."));
        case ChainState::untrusted:
            return words(message_id("The certificate was not issued by an authority that this computer trusts."));
        case ChainState::unverifiable:
            return words(message_id("The issuer's signature cannot be verified without the package "
                                    "libengine-gost-openssl."));
        }
        return {};
    }

    [[nodiscard]] std::string revocation(signing::RevocationStatus const& status) const {
        switch (status.state) {
        case Revocation::good: return text(m_language, "Not revoked as of %1.", {utc_time(status.this_update)});
        case Revocation::revoked: return text(m_language, "REVOKED at %1.", {utc_time(status.revoked_at)});
        case Revocation::unknown: return words(message_id("Whether it was revoked is not known on this computer."));
        }
        return {};
    }

    [[nodiscard]] std::string verdict(Verdict verdict) const {
        switch (verdict) {
        case Verdict::good: return words(message_id("Result: valid."));
        case Verdict::unsettled:
            return words(message_id("Result: nothing is known against it, but not everything could be checked."));
        case Verdict::bad: return words(message_id("Result: NOT VALID."));
        }
        return {};
    }

    Language m_language;
    std::ostream& m_out;
};

} // namespace

std::optional<std::int64_t> time_from(std::string const& text) {
    std::tm parts{};
    char const* end = ::strptime(text.c_str(), "%Y-%m-%d", &parts);
    bool const is_day = end != nullptr && *end == '\0';
    if (end != nullptr && *end == 'T') end = ::strptime(end, "T%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    auto const seconds = ::timegm(&parts);
    // timegm makes the 3rd of March of a 31st of February.
    return utc_time(seconds) == (is_day ? text + "T00:00:00Z" : text) ? std::optional{seconds} : std::nullopt;
}

int run_verify(VerifyRequest const& request, std::ostream& out, std::ostream& errors) {
    auto const fail = [&](std::string_view verdict, Error const& error, std::string_view words, int code) {
        if (request.form == ReportForm::json)
            out << printable_json(
                       Tree{}.add("verdict", verdict).add("error", wire_name(error.code)).add("detail", error.detail))
                << '\n';
        else
            errors << words << '\n';
        return code;
    };
    auto const unread = [&](Error const& error, std::filesystem::path const& path) {
        return fail("unread", error, text(request.language, "%1 cannot be read.", {path.string()}), exit_unread);
    };
    auto const file = read_whole_file(request.file, most_octets);
    if (!file) return unread(file.error(), request.file);
    if (request.content && signing::looks_like_xml(*file)) {
        return fail("unread", Error{Errc::bad_request, "content given with XML"},
                    text(request.language, "--content is for CMS: an XML document holds what was signed."), exit_usage);
    }
    auto const content = request.content ? read_whole_file(*request.content, most_octets) : Result<Bytes>{Bytes{}};
    if (!content) return unread(content.error(), *request.content);
    auto const report = signing::verify_document(*file, request.content ? std::optional{View{*content}} : std::nullopt,
                                                 request.settings);
    if (!report) {
        auto const code = report.error().code;
        return fail("bad", report.error(), text(request.language, failure_message(code)), exit_bad);
    }
    if (request.form == ReportForm::json)
        out << printable_json(signing::tree_of(*report)) << '\n';
    else
        Words{request.language, out}.report(*report);
    return exit_code(report->verdict());
}

} // namespace tamga::cli

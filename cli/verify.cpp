#include "cli/verify.hpp"

#include "base/explain.hpp"
#include "protocol/ncalayer/json_out.hpp"

#include <array>
#include <ctime>
#include <fstream>
#include <iterator>

namespace tamga::cli {

namespace {

using signing::ChainState;
using signing::Coverage;
using signing::KeyUse;
using signing::Revocation;
using signing::SignerReport;
using signing::StampReport;
using signing::Verdict;

constexpr std::size_t most_octets = 1ULL << 30;

std::string time_words(std::int64_t seconds) {
    std::time_t const time = seconds;
    std::tm parts{};
    std::array<char, 32> text{};
    ::gmtime_r(&time, &parts);
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// What a person must know beside a valid signature; nothing where there is nothing.
char const* doubt(KeyUse use) {
    switch (use) {
    case KeyUse::documents: break;
    case KeyUse::sign_in: return message_id("This is a key for signing in, not for documents.");
    case KeyUse::other: return message_id("THE KEY OF THIS CERTIFICATE IS NOT ONE FOR SIGNATURES.");
    }
    return nullptr;
}

std::string_view name_of(KeyUse use) {
    switch (use) {
    case KeyUse::documents: return "documents";
    case KeyUse::sign_in: return "sign_in";
    case KeyUse::other: return "other";
    }
    return "";
}

Result<Bytes> read_file(std::filesystem::path const& path) {
    std::error_code failure;
    auto const size = std::filesystem::file_size(path, failure);
    if (failure) return Error{Errc::system, path.string() + ": " + failure.message()};
    if (size > most_octets) return Error{Errc::too_large, path.string()};
    std::ifstream file{path, std::ios::binary};
    Bytes octets{std::istreambuf_iterator<char>{file}, {}};
    if (!file) return Error{Errc::system, path.string()};
    return octets;
}

int exit_code(Verdict verdict) {
    switch (verdict) {
    case Verdict::good: return 0;
    case Verdict::unsettled: return 3;
    case Verdict::bad: return 1;
    }
    return 1;
}

// ---- words ----

class Words {
public:
    Words(Language language, std::ostream& out) : m_language{language}, m_out{out} {}

    void report(signing::Report const& report) {
        std::size_t number = 0;
        for (auto const& signer : report.signers)
            say(std::to_string(++number) + ". " + owner(signer)), this->signer(signer);
        say(verdict(report.verdict()));
    }

    void failure(Error const& error) {
        say(text(m_language, "This is no signed file that can be read: %1", {error.detail}));
    }

private:
    void say(std::string_view words) { m_out << words << '\n'; }
    void line(std::string_view words) { m_out << "   " << words << '\n'; }
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
            line(text(m_language, "The signer says: signed at %1.", {time_words(*signer.claimed_time)}));
        for (auto const& each : signer.stamps)
            stamp(each);
        if (!signer.certificate) return;
        line(text(m_language, "Certificate of %1, valid from %2 to %3; judged as of %4.",
                  {signer.certificate->issuer_common_name(), time_words(signer.certificate->not_before()),
                   time_words(signer.certificate->not_after()), time_words(signer.judged_at)}));
        line(chain(signer.chain));
        line(revocation(signer.revocation));
    }

    void signature(SignerReport const& signer) {
        if (!signer.signature) {
            auto const code = signer.signature.error().code;
            if (code == Errc::mechanism_unsupported || code == Errc::algorithm_unavailable ||
                code == Errc::key_not_found)
                line(text(m_language, "The signature could not be verified: %1.", {signer.signature.error().detail}));
            else
                line(text(m_language, "THE SIGNATURE IS NOT VALID: %1.", {signer.signature.error().detail}));
        } else if (!signer.content_seen) {
            line(words(
                message_id("The signature is valid, but what was signed is not in the file: give it with --content.")));
        } else {
            line(words(message_id("The signature is valid.")));
        }
    }

    void stamp(StampReport const& stamp) {
        if (!stamp.valid) return line(text(m_language, "A TIME-STAMP IS NOT VALID: %1.", {stamp.valid.error().detail}));
        line(text(m_language, "Time-stamp of %1 by %2.", {time_words(stamp.time), stamp.authority->common_name()}));
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
        case ChainState::not_yet_valid: return words(message_id("The certificate was not valid yet then."));
        case ChainState::untrusted:
            return text(m_language, "The certificate was not issued by an authority that this computer trusts: %1.",
                        {chain.detail});
        case ChainState::unverifiable:
            return words(message_id("The issuer's signature cannot be verified without the package "
                                    "libengine-gost-openssl."));
        }
        return {};
    }

    [[nodiscard]] std::string revocation(signing::RevocationStatus const& status) const {
        switch (status.state) {
        case Revocation::good: return text(m_language, "Not revoked as of %1.", {time_words(status.this_update)});
        case Revocation::revoked: return text(m_language, "REVOKED at %1.", {time_words(status.revoked_at)});
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

// ---- JSON ----

std::string json_string(std::string_view text) {
    std::string out;
    protocol::ncalayer::append_string(out, text);
    return out;
}

/// An object, member by member.
class Object {
public:
    Object& member(std::string_view name, std::string_view value) { return raw(name, json_string(value)); }
    Object& time(std::string_view name, std::int64_t value) { return member(name, time_words(value)); }
    Object& raw(std::string_view name, std::string_view value) {
        m_text.append(m_text.size() == 1 ? "" : ",").append(json_string(name)).append(":").append(value);
        return *this;
    }
    [[nodiscard]] std::string end() const { return m_text + '}'; }

private:
    std::string m_text = "{";
};

template <class List, class Write>
std::string array(List const& list, Write write) {
    std::string text = "[";
    for (auto const& each : list)
        text += (text.size() == 1 ? "" : ",") + write(each);
    return text + ']';
}

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

std::string_view name_of(Result<void> const& result) {
    return result ? "valid" : wire_name(result.error().code);
}

std::string json_of(StampReport const& stamp) {
    Object object;
    object.member("valid", name_of(stamp.valid));
    if (!stamp.valid) return object.member("detail", stamp.valid.error().detail).end();
    object.time("time", stamp.time).member("policy", stamp.policy).member("authority", stamp.authority->subject_dn());
    object.member("chain", name_of(stamp.chain.state)).member("revocation", name_of(stamp.revocation.state));
    return object.end();
}

std::string json_of(signing::Certificate const& certificate) {
    Object object;
    object.member("subject", certificate.subject_dn()).member("issuer", certificate.issuer_dn());
    object.member("serialNumber", certificate.serial_number()).member("iin", certificate.iin());
    object.member("bin", certificate.bin()).member("algorithm", certificate.algorithm().name);
    object.time("notBefore", certificate.not_before()).time("notAfter", certificate.not_after());
    object.raw("extendedKeyUsages",
               array(certificate.extended_key_usages(), [](auto const& oid) { return json_string(oid); }));
    return object.member("sha256", to_hex(certificate.fingerprint())).end();
}

std::string json_of(SignerReport const& signer) {
    Object object;
    object.member("verdict", name_of(signer.verdict())).member("signature", name_of(signer.signature));
    if (!signer.signature) object.member("detail", signer.signature.error().detail);
    object.raw("contentSeen", signer.content_seen ? "true" : "false");
    object.member("coverage", signer.coverage == Coverage::whole ? "whole" : "part");
    if (!signer.covers.empty()) object.raw("covers", array(signer.covers, json_string));
    if (signer.claimed_time) object.time("claimedTime", *signer.claimed_time);
    object.raw("timestamps", array(signer.stamps, [](StampReport const& stamp) { return json_of(stamp); }));
    if (!signer.certificate) return object.end();
    object.member("keyUse", name_of(signer.use));
    object.raw("certificate", json_of(*signer.certificate)).time("judgedAt", signer.judged_at);
    object.member("chain", name_of(signer.chain.state)).member("revocation", name_of(signer.revocation.state));
    if (signer.revocation.state == Revocation::revoked) object.time("revokedAt", signer.revocation.revoked_at);
    return object.end();
}

std::string json_of(signing::Report const& report) {
    Object object;
    object.member("form", report.form == signing::SignedForm::cms ? "cms" : "xml");
    object.member("verdict", name_of(report.verdict()));
    object.raw("signers", array(report.signers, [](SignerReport const& signer) { return json_of(signer); }));
    return object.end();
}

} // namespace

std::optional<std::int64_t> time_from(std::string const& text) {
    std::tm parts{};
    char const* end = ::strptime(text.c_str(), "%Y-%m-%d", &parts);
    if (end != nullptr && *end == 'T') end = ::strptime(end, "T%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return ::timegm(&parts);
}

int run_verify(VerifyRequest const& request, std::ostream& out) {
    Words words{request.language, out};
    auto const fail = [&](Error const& error) {
        if (request.form == ReportForm::json)
            out << Object{}
                       .member("verdict", "bad")
                       .member("error", wire_name(error.code))
                       .member("detail", error.detail)
                       .end()
                << '\n';
        else
            words.failure(error);
        return 1;
    };
    auto const file = read_file(request.file);
    if (!file) return fail(file.error());
    auto const content = request.content ? read_file(*request.content) : Result<Bytes>{Bytes{}};
    if (!content) return fail(content.error());
    auto const report = signing::verify_document(*file, request.content ? std::optional{View{*content}} : std::nullopt,
                                                 request.settings);
    if (!report) return fail(report.error());
    if (request.form == ReportForm::json)
        out << json_of(*report) << '\n';
    else
        words.report(*report);
    return exit_code(report->verdict());
}

} // namespace tamga::cli

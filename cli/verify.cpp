#include "cli/verify.hpp"

#include "base/explain.hpp"
#include "protocol/json_text.hpp"
#include "signing/report.hpp"

#include <array>
#include <ctime>
#include <fstream>
#include <iterator>

namespace tamga::cli {

namespace {

using signing::ChainState;
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
        if (!signer.covers.empty()) line(text(m_language, "Signed is the element with the Id %1.", {signer.covers}));
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
            out << protocol::json_of(
                       Tree{}.add("verdict", "bad").add("error", wire_name(error.code)).add("detail", error.detail))
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
        out << protocol::json_of(signing::tree_of(*report)) << '\n';
    else
        words.report(*report);
    return exit_code(report->verdict());
}

} // namespace tamga::cli

#include "cli/authorities.hpp"

#include "base/date.hpp"
#include "cli/printable.hpp"
#include "cli/whole_file.hpp"
#include "signing/certificate_file.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>

namespace tamga::cli {

namespace {

using signing::Certificate;
using signing::TrustSet;

constexpr int exit_usage = 2;
constexpr std::size_t shortest_name = 8;
constexpr std::uintmax_t most_octets = 1 << 20;

/// In pairs, as people compare them.
std::string spaced(std::string const& hex) {
    std::string text;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        text += (i == 0 ? "" : ":") + hex.substr(i, 2);
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
    return text;
}

void describe(Language language, Certificate const& certificate, std::ostream& out) {
    out << printable(certificate.common_name()) << '\n'
        << "   " << certificate.algorithm().name << ", " << local_date(certificate.not_before()) << " - "
        << local_date(certificate.not_after()) << '\n'
        << "   " << text(language, "issued by %1", {printable(certificate.issuer_common_name())}) << '\n'
        << "   SHA-256 " << spaced(to_hex(certificate.fingerprint())) << '\n';
}

std::filesystem::path file_of(std::filesystem::path const& folder, Certificate const& certificate) {
    return folder / (to_hex(certificate.fingerprint()) + ".pem");
}

int complain(Language language, char const* message, std::string_view detail, std::ostream& errors) {
    errors << text(language, message, {detail}) << '\n';
    return 1;
}

std::string joined(std::vector<std::string> const& names) {
    std::string text;
    for (auto const& name : names)
        text += (text.empty() ? "" : "; ") + (name.empty() ? "?" : name);
    return text;
}

/// What of `file` may be added, all of it authorities. Says on `errors` why nothing may, and what was left out.
std::optional<std::vector<Certificate>> authorities_in(std::filesystem::path const& file, Language language,
                                                       std::ostream& errors) {
    auto const refuse = [&](char const* message, std::string_view detail) {
        complain(language, message, detail, errors);
        return std::nullopt;
    };
    auto const octets = read_whole_file(file, most_octets);
    if (!octets) return refuse(message_id("%1 cannot be read."), file.string());
    auto read = signing::read_certificate_file(*octets);
    if (!read) {
        return refuse(message_id("%1 is no file of certificates: PEM, DER and PKCS#7 (.p7b) are read."), file.string());
    }
    for (auto const& certificate : read->certificates) {
        if (signing::is_authority(certificate)) continue;
        describe(language, certificate, errors);
        return refuse(message_id("This is not the certificate of an authority. Nothing was added."), {});
    }
    if (!read->left_out.empty()) {
        complain(language, message_id("Left out, because the kind of key is not supported: %1."),
                 joined(read->left_out), errors);
    }
    if (read->certificates.empty()) return refuse(message_id("Nothing was added."), {});
    return std::move(read->certificates);
}

} // namespace

int add_authorities(AuthoritySettings const& settings, std::filesystem::path const& file, std::ostream& out,
                    std::ostream& errors) {
    auto const& folder = settings.folders.person;
    auto const language = settings.language;
    if (folder.empty()) return complain(language, message_id("The variable HOME is not set."), {}, errors);
    auto const authorities = authorities_in(file, language, errors);
    if (!authorities) return 1;
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    for (auto const& certificate : *authorities) {
        std::ofstream target{file_of(folder, certificate)};
        target << certificate.pem();
        if (!target.flush()) return complain(language, message_id("%1 cannot be written."), folder.string(), errors);
        describe(language, certificate, out);
    }
    out << text(language,
                "Added. Compare the SHA-256 with what the authority publishes (for the NCA: https://pki.gov.kz); "
                "where it differs, take it back with: tamga ca remove SHA-256")
        << '\n';
    return 0;
}

int list_authorities(AuthoritySettings const& settings, std::ostream& out) {
    auto const& [shipped, computer, person] = settings.folders;
    auto any = false;
    for (auto const& folder : {shipped, computer, person}) {
        auto const set = TrustSet::load({folder, {}, {}}, signing::UserAuthorities::left_out);
        if (set.certificates().empty()) continue;
        any = true;
        out << folder.string() << ":\n";
        for (auto const& certificate : set.certificates())
            describe(settings.language, certificate, out);
    }
    if (!any) out << text(settings.language, "No authority is trusted. To add one: tamga ca add FILE") << '\n';
    return 0;
}

int remove_authority(AuthoritySettings const& settings, std::string fingerprint, std::ostream& out,
                     std::ostream& errors) {
    auto const language = settings.language;
    std::erase_if(fingerprint, [](char c) { return c == ':' || c == ' '; });
    std::ranges::transform(fingerprint, fingerprint.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    if (fingerprint.size() < shortest_name || fingerprint.find_first_not_of("0123456789abcdef") != std::string::npos) {
        complain(language, message_id("Name the authority by its SHA-256: the first 8 digits or more."), {}, errors);
        return exit_usage;
    }
    auto const set = TrustSet::load({settings.folders.person, {}, {}}, signing::UserAuthorities::left_out);
    std::vector<Certificate> named;
    for (auto const& certificate : set.certificates()) {
        if (to_hex(certificate.fingerprint()).starts_with(fingerprint)) named.push_back(certificate);
    }
    if (named.empty()) {
        return complain(language, message_id("None of the authorities you added has a SHA-256 that begins with %1."),
                        fingerprint, errors);
    }
    if (named.size() > 1) {
        for (auto const& certificate : named)
            describe(language, certificate, errors);
        return complain(language, message_id("Several begin with %1. Type more digits."), fingerprint, errors);
    }
    std::error_code failure;
    if (!std::filesystem::remove(file_of(settings.folders.person, named.front()), failure)) {
        return complain(language, message_id("Its file was not made by this command. Take it out of %1 yourself."),
                        settings.folders.person.string(), errors);
    }
    describe(language, named.front(), out);
    out << text(language, "Removed.") << '\n';
    return 0;
}

} // namespace tamga::cli

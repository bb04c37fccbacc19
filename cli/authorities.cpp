#include "cli/authorities.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <fstream>
#include <iterator>

namespace tamga::cli {

namespace {

using signing::Certificate;
using signing::TrustSet;

constexpr std::size_t shortest_name = 8;
constexpr std::uintmax_t most_octets = 1 << 20;

std::string day(std::int64_t seconds) {
    std::time_t const time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[16] = "";
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

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
    out << certificate.common_name() << '\n'
        << "   " << certificate.algorithm().name << ", " << day(certificate.not_before()) << " - "
        << day(certificate.not_after()) << '\n'
        << "   " << text(language, "issued by %1", {certificate.issuer_common_name()}) << '\n'
        << "   SHA-256 " << spaced(to_hex(certificate.fingerprint())) << '\n';
}

std::filesystem::path file_of(std::filesystem::path const& folder, Certificate const& certificate) {
    return folder / (to_hex(certificate.fingerprint()) + ".pem");
}

int complain(Language language, char const* message, std::string_view detail, std::ostream& out) {
    out << text(language, message, {detail}) << '\n';
    return 1;
}

} // namespace

int add_authorities(AuthoritySettings const& settings, std::filesystem::path const& file, std::ostream& out) {
    auto const& folder = settings.folders.person;
    auto const language = settings.language;
    std::error_code failure;
    auto const size = std::filesystem::file_size(file, failure);
    if (folder.empty()) return complain(language, message_id("The variable HOME is not set."), {}, out);
    if (failure || size > most_octets) return complain(language, message_id("%1 cannot be read."), file.string(), out);
    std::ifstream stream{file, std::ios::binary};
    Bytes const octets{std::istreambuf_iterator<char>{stream}, {}};
    auto const read = signing::read_certificates(octets);
    if (!read) return complain(language, message_id("%1 is no file of certificates."), file.string(), out);
    for (auto const& certificate : *read) {
        if (signing::is_authority(certificate)) continue;
        describe(language, certificate, out);
        return complain(language, message_id("This is not the certificate of an authority. Nothing was added."), {},
                        out);
    }
    std::filesystem::create_directories(folder, failure);
    for (auto const& certificate : *read) {
        std::ofstream target{file_of(folder, certificate)};
        target << certificate.pem();
        if (!target.flush()) return complain(language, message_id("%1 cannot be written."), folder.string(), out);
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
    for (auto const& folder : {shipped, computer, person}) {
        auto const set = TrustSet::load({folder, {}, {}}, signing::UserAuthorities::left_out);
        if (set.certificates().empty()) continue;
        out << folder.string() << ":\n";
        for (auto const& certificate : set.certificates())
            describe(settings.language, certificate, out);
    }
    return 0;
}

int remove_authority(AuthoritySettings const& settings, std::string fingerprint, std::ostream& out) {
    std::erase_if(fingerprint, [](char c) { return c == ':' || c == ' '; });
    std::ranges::transform(fingerprint, fingerprint.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    auto const set = TrustSet::load({settings.folders.person, {}, {}}, signing::UserAuthorities::left_out);
    std::vector<Certificate> named;
    for (auto const& certificate : set.certificates()) {
        if (fingerprint.size() >= shortest_name && to_hex(certificate.fingerprint()).starts_with(fingerprint))
            named.push_back(certificate);
    }
    std::error_code failure;
    if (named.size() != 1 || !std::filesystem::remove(file_of(settings.folders.person, named.front()), failure)) {
        return complain(settings.language,
                        message_id("None of the authorities you added has a SHA-256 that begins with %1."), fingerprint,
                        out);
    }
    describe(settings.language, named.front(), out);
    out << text(settings.language, "Removed.") << '\n';
    return 0;
}

} // namespace tamga::cli

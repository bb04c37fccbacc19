#include "signing/trust_set.hpp"

#include "base/base64.hpp"
#include "base/log.hpp"
#include "base/trusted_file.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace tamga::signing {

namespace {

constexpr std::string_view pem_begin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view pem_end = "-----END CERTIFICATE-----";
constexpr std::size_t most_files = 256; ///< of one folder

bool is_certificate_file(std::filesystem::path const& path) {
    static constexpr std::array<std::string_view, 4> extensions{".pem", ".cer", ".crt", ".der"};
    return std::ranges::find(extensions, path.extension().string()) != extensions.end();
}

std::vector<std::filesystem::path> files_of(std::filesystem::path const& folder) {
    std::vector<std::filesystem::path> files;
    std::error_code failure;
    if (folder.empty()) return files;
    for (std::filesystem::directory_iterator entry{folder, failure}, end; !failure && entry != end;
         entry.increment(failure)) {
        if (is_certificate_file(entry->path()) && files.size() < most_files) files.push_back(entry->path());
    }
    std::ranges::sort(files); // the same order each time
    return files;
}

void passed_over(std::filesystem::path const& file, std::string_view why) {
    log::warning("authority_left_out", {{"file", file.string()}, {"reason", why}});
}

void read_folder(std::filesystem::path const& folder, std::vector<Certificate>& into) {
    for (auto const& file : files_of(folder)) {
        auto const content = read_trusted_file(file);
        auto const read = content ? read_certificates(as_view(*content)) : content.error();
        if (!read) {
            passed_over(file, wire_name(read.error().code));
            continue;
        }
        if (!read->left_out.empty()) passed_over(file, wire_name(Errc::mechanism_unsupported));
        for (auto const& certificate : read->certificates) {
            auto const same = [&](Certificate const& other) {
                return other.fingerprint() == certificate.fingerprint();
            };
            if (!is_authority(certificate)) {
                passed_over(file, "not the certificate of an authority");
            } else if (std::ranges::none_of(into, same)) {
                into.push_back(certificate);
            }
        }
    }
}

} // namespace

Result<void> CertificateFile::add(View der) {
    auto certificate = Certificate::parse(der);
    if (certificate) {
        certificates.push_back(std::move(*certificate));
    } else if (certificate.error().code == Errc::mechanism_unsupported) {
        left_out.push_back(common_name_of(der));
    } else {
        return certificate.error();
    }
    return ok();
}

Result<CertificateFile> read_certificates(View file) {
    auto text = as_text(file);
    CertificateFile found;
    if (text.find(pem_begin) == std::string_view::npos) {
        if (auto added = found.add(file); !added) return added.error();
        return found;
    }
    while (true) {
        auto const begin = text.find(pem_begin);
        if (begin == std::string_view::npos) return found;
        text.remove_prefix(begin + pem_begin.size());
        auto const end = text.find(pem_end);
        if (end == std::string_view::npos) return Error{Errc::bad_request, "PEM without an end"};
        auto const der = from_base64(text.substr(0, end), Base64Whitespace::skipped);
        if (!der) return Error{Errc::bad_request, "PEM"};
        if (auto added = found.add(*der); !added) return added.error();
        text.remove_prefix(end + pem_end.size());
    }
}

bool is_authority(Certificate const& certificate) {
    return ::X509_check_ca(certificate.x509()) == 1;
}

TrustFolders TrustFolders::here() {
    TrustFolders folders{TAMGA_SHIPPED_AUTHORITIES, "/etc/tamga/ca", {}};
    char const* config = std::getenv("XDG_CONFIG_HOME");
    char const* home = std::getenv("HOME");
    if (config != nullptr && *config == '/') {
        folders.person = std::filesystem::path{config} / "tamga/ca";
    } else if (home != nullptr && *home == '/') {
        folders.person = std::filesystem::path{home} / ".config/tamga/ca";
    }
    return folders;
}

TrustSet TrustSet::load(TrustFolders const& folders, UserAuthorities user) {
    std::vector<Certificate> certificates;
    read_folder(folders.shipped, certificates);
    read_folder(folders.computer, certificates);
    if (user == UserAuthorities::counted) read_folder(folders.person, certificates);
    return TrustSet{std::move(certificates)};
}

} // namespace tamga::signing

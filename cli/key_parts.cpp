#include "cli/key_parts.hpp"

#include "base/base64.hpp"
#include "base/unique_fd.hpp"
#include "cli/printable.hpp"
#include "cli/whole_file.hpp"
#include "journal/book.hpp"
#include "signing/judge.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tamga::cli {

namespace {

constexpr std::uintmax_t most_octets = 1 << 20;
constexpr std::size_t shortest_name = 4;

std::string use_words(Language language, std::string_view use) {
    if (use == "authentication") return std::string{text(language, "to sign in")};
    if (use == "signature") return std::string{text(language, "to sign")};
    if (use == "both") return std::string{text(language, "to sign in and to sign")};
    return std::string{text(language, "for something else")};
}

} // namespace

KnownKey judged(signing::Certificate certificate, std::int64_t now) {
    auto const trusted = signing::TrustSet::load(signing::TrustFolders::here(), signing::UserAuthorities::counted);
    signing::RevocationCache const cache{signing::RevocationCache::default_folder()};
    auto const judgement = signing::judge(certificate, {}, trusted, cache, signing::Strictness::lenient, now);
    auto const state = policy::state_of(certificate, judgement.revocation.state, now);
    return {std::move(certificate), state};
}

std::optional<std::vector<KnownKey>> known_keys(KeysSettings const& settings, std::int64_t now,
                                                std::ostream& complaints) {
    std::vector<KnownKey> known;
    auto book = journal::Book::open_existing(settings.journal);
    if (book && !*book) return known;
    auto const certificates =
        book ? (*book)->certificates() : Result<std::vector<journal::KnownCertificate>>{book.error()};
    if (!certificates) {
        complaints << text(settings.language, "The journal cannot be read: %1", {certificates.error().detail}) << '\n';
        return std::nullopt;
    }
    for (auto const& each : *certificates) {
        auto const der = from_base64(each.der);
        auto certificate = der ? signing::Certificate::parse(*der) : Result<signing::Certificate>{der.error()};
        if (certificate) known.push_back(judged(std::move(*certificate), now));
    }
    return known;
}

Result<Bytes> read_small_file(std::filesystem::path const& path) {
    return read_whole_file(path, most_octets);
}

Result<void> write_new_file(std::filesystem::path const& path, View octets) {
    UniqueFd const file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file) return system_error(path.string(), errno);
    while (!octets.empty()) {
        auto const done = ::write(file.get(), octets.data(), octets.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return system_error(path.string(), errno);
        octets = octets.subspan(static_cast<std::size_t>(done));
    }
    return ::fsync(file.get()) == 0 ? ok() : Result<void>{system_error(path.string(), errno)};
}

Tree tree_of(TokenChoice const& token) {
    Tree tree;
    return tree.add_unless_empty("storage", token.storage).add_unless_empty("serial", token.serial);
}

std::string state_words(Language language, std::string_view state) {
    if (state == "valid") return std::string{text(language, "valid")};
    if (state == "expiring") return std::string{text(language, "ends soon: renew it now")};
    if (state == "expired") return std::string{text(language, "has ended")};
    if (state == "not-yet-valid") return std::string{text(language, "not valid yet")};
    if (state == "revoked") return std::string{text(language, "REVOKED")};
    if (state == "no-certificate") return std::string{text(language, "a key pair without a certificate")};
    if (state == "no-key") return std::string{text(language, "without its private key")};
    return std::string{state};
}

std::string certificate_words(Language language, Tree const& certificate) {
    std::string words = printable(certificate.text("common_name"));
    for (auto const* member : {"iin", "organisation", "bin"}) {
        if (auto const value = certificate.text(member); !value.empty()) words += ", " + printable(value);
    }
    words += "\n   " + use_words(language, certificate.text("use")) + ", " + printable(certificate.text("algorithm"));
    words += "; " + state_words(language, certificate.text("state"));
    words += "; " + text(language, "valid until %1", {certificate.text("not_after").substr(0, 10)});
    words += "\n   " + text(language, "certificate %1, serial number %2",
                            {certificate.text("fingerprint").substr(0, 8), certificate.text("serial_number")});
    return words;
}

bool is_named(Tree const& certificate, std::vector<std::string> const& names) {
    return std::ranges::any_of(names, [&](std::string const& name) {
        return name.size() >= shortest_name && (certificate.text("fingerprint").starts_with(name) ||
                                                certificate.text("serial_number").starts_with(name));
    });
}

KeyTalk::KeyTalk(KeysSettings const& settings, std::ostream& complaints)
    : m_settings{settings},
      m_complaints{complaints},
      m_client{connect(settings.socket, settings.language, complaints)} {
    if (!m_client) {
        m_code = exit_not_running;
        return;
    }
    m_client->on_notification([this](std::string_view said, Tree const& params) {
        if (said != "sign.progress" || ::isatty(STDERR_FILENO) == 0) return;
        if (params.text("stage") == "asking")
            m_complaints << text(m_settings.language, "Waiting for your decision in Tamga's window ...") << '\n';
        else if (params.number("total") > 1)
            m_complaints << params.number("done") << '/' << params.number("total") << '\n';
    });
}

std::optional<Tree> KeyTalk::call(std::string_view method, Tree const& params) {
    if (!m_client) return std::nullopt;
    return cli::call(*m_client, m_settings.language, method, params, m_complaints, m_code);
}

} // namespace tamga::cli

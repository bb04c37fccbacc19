#include "cli/publish.hpp"

#include "base/explain.hpp"
#include "base/secret.hpp"
#include "cli/printable.hpp"
#include "cli/services.hpp"
#include "cli/whole_file.hpp"
#include "keyfile/key_file.hpp"
#include "policy/catalogue.hpp"
#include "policy/signed_catalogue.hpp"
#include "signing/cms.hpp"
#include "signing/digest.hpp"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <optional>

namespace tamga::cli {

namespace {

using keyfile::SigningKey;

/// The only one that may sign documents, or the one that was named.
Result<SigningKey> pick(std::vector<SigningKey> keys, std::string const& wanted) {
    std::erase_if(keys, [&](SigningKey const& key) {
        auto const& certificate = key.certificate();
        return wanted.empty() ? !certificate.has_extended_key_usage(signing::eku_email_protection)
                              : !to_hex(certificate.fingerprint()).starts_with(wanted);
    });
    if (keys.size() != 1)
        return Error{Errc::key_not_found, std::to_string(keys.size()) + " keys fit; --certificate says which one"};
    return std::move(keys.front());
}

Result<SigningKey> open_key(PublishRequest const& request) {
    auto const octets = read_whole_file(request.key, keyfile::max_file_size);
    if (!octets) return octets.error();
    auto const file = keyfile::KeyFile::parse(*octets);
    if (!file) return file.error();
    auto typed = request.ask();
    auto const password = Pin::take({reinterpret_cast<unsigned char*>(typed.data()), typed.size()});
    if (!password) return Error{Errc::password_incorrect, "empty or too long"};
    auto keys = file->open(*password);
    if (!keys) return keys.error();
    return pick(*std::move(keys), request.certificate);
}

Result<Bytes> sign(SigningKey const& key, Bytes const& text, std::int64_t now) {
    auto const& signer = key.certificate();
    auto const content_digest = signing::digest(signer.algorithm().digest, text);
    if (!content_digest) return content_digest.error();
    auto const to_be_signed = signing::prepare_cms(signer, *content_digest, now);
    if (!to_be_signed) return to_be_signed.error();
    auto const hashed = signing::digest(signer.algorithm().digest, *to_be_signed);
    if (!hashed) return hashed.error();
    auto const value = key.sign(*hashed);
    if (!value) return value.error();
    return signing::finish_cms(signer, *to_be_signed, *value, text, signing::Encapsulation::attached);
}

Result<void> write_file(std::filesystem::path const& path, Bytes const& octets) {
    std::ofstream file{path, std::ios::binary};
    file << as_text(octets);
    return file.flush() ? ok() : Result<void>{Error{Errc::system, path.string()}};
}

/// Keeps what is typed off the terminal for as long as it lives.
class Unseen {
public:
    Unseen() {
        if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &m_before) != 0) return;
        auto quiet = m_before;
        quiet.c_lflag &= ~static_cast<::tcflag_t>(ECHO);
        m_changed = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
    }
    Unseen(Unseen const&) = delete;
    Unseen& operator=(Unseen const&) = delete;
    ~Unseen() {
        if (m_changed) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_before);
    }
    [[nodiscard]] bool is_terminal() const noexcept { return m_changed; }

private:
    ::termios m_before{};
    bool m_changed = false;
};

} // namespace

std::string ask_password(std::string_view question) {
    Unseen const unseen;
    if (unseen.is_terminal()) std::cerr << question << ' ' << std::flush;
    std::string line;
    line.reserve(Pin::max_size + 1); // so that no copy is left where it would have grown from
    std::getline(std::cin, line);
    if (unseen.is_terminal()) std::cerr << '\n';
    return line;
}

int publish_catalogue(PublishRequest const& request, std::ostream& out) {
    auto const fail = [&](Error const& error) {
        out << tamga::explain(request.language, error.code) << '\n' << "   " << printable(error.detail) << '\n';
        return 1;
    };
    auto const text_octets = read_whole_file(request.text, policy::most_catalogue_octets / 2);
    if (!text_octets) return fail(text_octets.error());
    auto const catalogue = policy::parse_catalogue(as_text(*text_octets));
    if (!catalogue) {
        out << text(request.language, "This is no catalogue: %1", {printable(catalogue.error().detail)}) << '\n';
        return 1;
    }
    keyfile::OldCiphers const old_ciphers; // the key needs OpenSSL as it was opened with
    auto const key = open_key(request);
    if (!key) return fail(key.error());
    auto const cms = sign(*key, *text_octets, request.now);
    if (!cms) return fail(cms.error());
    if (auto written = write_file(request.output, *cms); !written) return fail(written.error());
    describe(request.language, *catalogue, out);
    out << text(request.language, "Signed by %1 (certificate %2): %3",
                {printable(key->certificate().common_name()), key->certificate().log_name(), request.output.string()})
        << '\n';
    return 0;
}

} // namespace tamga::cli

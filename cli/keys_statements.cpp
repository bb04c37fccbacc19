#include "base/base64.hpp"
#include "base/date.hpp"
#include "base/utf8.hpp"
#include "cli/key_parts.hpp"
#include "cli/printable.hpp"
#include "signing/certificate_file.hpp"
#include "signing/cms.hpp"
#include "signing/digest.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace tamga::cli {

namespace {

struct Reason {
    std::string_view word;
    char const* words;
};
constexpr std::array reasons{
    Reason{"lost", message_id("the token, or the file with the key, is lost")},
    Reason{"compromised", message_id("somebody else has, or may have, the key, its PIN or its password")},
    Reason{"changed", message_id("the data in the certificate is not right any more")},
    Reason{"ended", message_id("the owner does not work for the organisation any more, or needs the key no longer")},
};

struct Statement {
    std::string title; ///< and the name of its file, with .cms behind it
    std::string text;
};

/// Every statement signed with one PIN, in their order, by the key that `signer` names.
int sign_all(KeysSettings const& settings, std::vector<Statement> const& statements, Tree signer,
             std::filesystem::path const& folder, std::ostream& out, std::ostream& complaints) {
    auto const where = folder.empty() ? std::filesystem::path{"."} : folder;
    for (auto const& statement : statements) {
        if (!std::filesystem::exists(where / (statement.title + ".cms"))) continue;
        complaints << text(settings.language, "This file is there already: %1. Use --overwrite to replace it.",
                           {(where / (statement.title + ".cms")).string()})
                   << '\n';
        return exit_failed;
    }
    Tree::List documents;
    for (auto const& statement : statements) {
        Tree document;
        document.add("text", statement.text).add("title", statement.title + ".txt").add("media_type", "text/plain");
        documents.push_back(std::move(document));
    }
    Tree params;
    params.add("purpose", "key_account").add("format", "cms").add("attached", true).add("signer", std::move(signer));
    params.add("documents", std::move(documents));
    KeyTalk talk{settings, complaints};
    auto const made = talk.call("sign", params);
    if (!made) return talk.exit_code();
    auto const& signatures = made->list("signatures");
    Tree::List written;
    for (std::size_t i = 0; i < statements.size() && i < signatures.size(); ++i) {
        auto const path = where / (statements[i].title + ".cms");
        auto const* const encoded = std::get_if<std::string>(&signatures[i].value);
        auto const octets = encoded == nullptr ? Result<Bytes>{Errc::message_malformed} : from_base64(*encoded);
        auto const kept = octets ? write_new_file(path, *octets) : Result<void>{octets.error()};
        if (!kept) return complain(settings.language, kept.error(), complaints);
        written.emplace_back(path.string());
        if (settings.form == ReportForm::words) out << text(settings.language, "Written: %1", {path.string()}) << '\n';
    }
    if (settings.form == ReportForm::json) out << printable_json(Tree{}.add("signed", std::move(written))) << '\n';
    return 0;
}

// ---- revoking ----

/// What the person named, in that order; nothing where something could not be read, which was said.
std::optional<std::vector<KnownKey>> named_keys(KeysSettings const& settings, Revocation const& wanted,
                                                std::int64_t now, std::ostream& complaints) {
    std::vector<KnownKey> named;
    for (auto const& path : wanted.files) {
        auto const octets = read_small_file(path);
        auto file = octets ? signing::read_certificate_file(*octets) : Result<signing::CertificateFile>{octets.error()};
        if (!file) return complain(settings.language, file.error(), complaints), std::nullopt;
        for (auto& certificate : file->certificates) {
            if (!signing::is_authority(certificate)) named.push_back(judged(std::move(certificate), now));
        }
    }
    if (!wanted.files.empty() && wanted.certificates.empty()) return named;
    auto known = known_keys(settings, now, complaints);
    if (!known) return std::nullopt;
    for (auto const& name : wanted.certificates) {
        for (auto const& key : *known) {
            if (is_named(policy::describe(key.certificate, key.state), {name})) named.push_back(key);
        }
    }
    if (!wanted.certificates.empty()) return named;
    for (auto& key : *known) {
        bool const counts = key.state == policy::KeyState::valid || key.state == policy::KeyState::expiring;
        if (counts) named.push_back(std::move(key));
    }
    // Recommended: what signs the statements is the last to be revoked.
    auto const is_for_signatures = [](KnownKey const& key) {
        return policy::use_of(key.certificate) != "authentication";
    };
    std::ranges::stable_partition(named, [&](KnownKey const& key) { return !is_for_signatures(key); });
    return named;
}

bool in_recommended_order(std::vector<KnownKey> const& keys) {
    bool seen_signature = false;
    for (auto const& key : keys) {
        bool const signs_in = policy::use_of(key.certificate) == "authentication";
        if (signs_in && seen_signature) return false;
        seen_signature = seen_signature || !signs_in;
    }
    return true;
}

Statement revocation_of(Language language, KnownKey const& key, Reason const& reason, std::int64_t now) {
    auto const& certificate = key.certificate;
    std::string out{text(language, "Application to revoke a certificate")};
    out += "\n\n" + text(language, "Owner: %1", {certificate.subject_dn()}) + '\n';
    out += text(language, "Certificate: serial number %1, SHA-256 %2",
                {certificate.serial_number(), to_hex(certificate.fingerprint())}) +
           '\n';
    out += text(language, "Issued by: %1", {certificate.issuer_dn()}) + '\n';
    out += text(language, "Valid until: %1", {utc_time(certificate.not_after())}) + '\n';
    out += text(language, "Reason: %1 (%2)", {text(language, reason.words), reason.word}) + '\n';
    out += text(language, "Made: %1", {utc_time(now)}) + "\n\n";
    out +=
        std::string{text(language, "I ask for this certificate to be revoked, and know that it cannot be taken back.")};
    return {"revoke-" + certificate.serial_number(), out + '\n'};
}

/// The key that signs: one for signatures of the same owner, which is valid.
std::optional<signing::Certificate> signer_among(std::vector<KnownKey> const& keys,
                                                 std::vector<KnownKey> const& known) {
    for (auto const* list : {&keys, &known}) {
        for (auto const& key : *list) {
            bool const counts = key.state == policy::KeyState::valid || key.state == policy::KeyState::expiring;
            bool const same = key.certificate.iin() == keys.front().certificate.iin();
            if (counts && same && policy::use_of(key.certificate) != "authentication") return key.certificate;
        }
    }
    return std::nullopt;
}

} // namespace

int revoke_keys(KeysSettings const& settings, Revocation const& wanted, std::ostream& out, std::ostream& complaints) {
    auto const language = settings.language;
    auto const now = std::int64_t{std::time(nullptr)};
    auto const reason = std::ranges::find(reasons, wanted.reason, &Reason::word);
    if (reason == reasons.end()) {
        complaints << text(language, "The reason is one of these: %1", {"lost, compromised, changed, ended"}) << '\n';
        return exit_failed;
    }
    auto const keys = named_keys(settings, wanted, now, complaints);
    if (!keys) return exit_failed;
    if (keys->empty()) {
        complaints << text(language, "No such certificate is known here. Name its file: tamga keys revoke FILE")
                   << '\n';
        return exit_failed;
    }
    std::vector<Statement> statements;
    for (auto const& key : *keys) {
        complaints << certificate_words(language, policy::describe(key.certificate, key.state)) << '\n';
        statements.push_back(revocation_of(language, key, *reason, now));
    }
    if (!in_recommended_order(*keys)) {
        complaints << text(language,
                           "It is recommended to revoke the certificate for signing in first: once the one for "
                           "signatures is revoked, nothing more can be signed with it.")
                   << '\n';
    }
    if (!settings.yes && !settings.agrees(text(language, "Have these revoked? It cannot be taken back.", {})))
        return exit_cancelled;
    auto const known = known_keys(settings, now, complaints);
    auto const signer = signer_among(*keys, known.value_or(std::vector<KnownKey>{}));
    Tree who;
    if (signer)
        who.add("serial_number", signer->serial_number());
    else
        who.add_unless_empty("iin", keys->front().certificate.iin());
    return sign_all(settings, statements, std::move(who), wanted.folder, out, complaints);
}

// ---- employees' applications ----

namespace {

bool is_text(std::string_view octets) {
    while (!octets.empty()) {
        auto const character = first_character(octets);
        if (!character.valid || character.code == 0) return false;
        octets.remove_prefix(character.size);
    }
    return true;
}

/// What a person can read of it: the text, or that in a signed CMS. Error: bad_request, cms_malformed.
Result<std::string> readable(View octets) {
    auto text = to_bytes(octets);
    if (auto const cms = signing::ExistingCms::recognise(octets)) {
        auto content = cms->content();
        if (!content) return content.error();
        text = std::move(*content);
    }
    if (!is_text(as_text(text))) return Error{Errc::bad_request, "the application is no text"};
    return std::string{as_text(text)};
}

/// For a terminal, line by line.
std::string printable_lines(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        shown += printable(line) + '\n';
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return shown;
}

} // namespace

int decide_applications(KeysSettings const& settings, Decision const& wanted, std::ostream& out,
                        std::ostream& complaints) {
    auto const language = settings.language;
    auto const now = utc_time(std::time(nullptr));
    std::vector<Statement> statements;
    for (auto const& path : wanted.applications) {
        auto const octets = read_small_file(path);
        if (!octets) return complain(language, octets.error(), complaints);
        auto const words_of_it = readable(*octets);
        if (!words_of_it) return complain(language, words_of_it.error(), complaints);
        auto const name = path.filename().string();
        // Read before it is decided about, each for itself; and once more in the window, before it is signed.
        complaints << "---- " << printable(name) << '\n' << printable_lines(*words_of_it) << "----\n";
        auto const question = wanted.approves ? text(language, "Approve this application: %1?", {printable(name)})
                                              : text(language, "Decline this application: %1?", {printable(name)});
        if (!settings.agrees(question)) continue;
        std::string words{wanted.approves ? text(language, "Decision: the application is APPROVED")
                                          : text(language, "Decision: the application is DECLINED")};
        words += '\n';
        if (!wanted.reason.empty()) words += text(language, "Reason: %1", {wanted.reason}) + '\n';
        words += text(language, "Made: %1", {now}) + '\n';
        words += text(language, "Application: %1, SHA-256 %2", {name, to_hex(signing::sha256(*octets))}) + "\n\n";
        statements.push_back(
            {path.stem().string() + (wanted.approves ? "-approved" : "-declined"), words + *words_of_it});
    }
    if (statements.empty()) return exit_cancelled;
    return sign_all(settings, statements, Tree{}, wanted.folder, out, complaints);
}

} // namespace tamga::cli

#include "base/base64.hpp"
#include "base/explain.hpp"
#include "cli/key_parts.hpp"
#include "cli/printable.hpp"
#include "signing/pkcs10.hpp"

#include <algorithm>
#include <set>

namespace tamga::cli {

namespace {

/// The certificates that a renewal is of: with a private key beside them, and valid.
struct Selection {
    Tree::List certificates;
    bool has_ended = false; ///< there are some, but none is valid any more
};

Selection select(Tree const& told, std::vector<std::string> const& names) {
    Selection selection;
    for (auto const& pair : told.list("keys")) {
        auto const* const there = pair.find("private_key");
        if (there == nullptr || *there != Tree{true}) continue;
        for (auto const& certificate : pair.list("certificates")) {
            if (!names.empty() && !is_named(certificate, names)) continue;
            auto const state = certificate.text("state");
            if (state == "valid" || state == "expiring")
                selection.certificates.push_back(certificate);
            else if (state == "expired" || state == "revoked")
                selection.has_ended = true;
        }
    }
    return selection;
}

/// One person, for one organisation or none: an application is about one of them.
bool are_of_one_owner(Tree::List const& certificates) {
    std::set<std::pair<std::string_view, std::string_view>> owners;
    for (auto const& certificate : certificates)
        owners.emplace(certificate.text("iin"), certificate.text("bin"));
    return owners.size() <= 1;
}

std::string application_words(Language language, Tree const& application) {
    auto words = text(language, "Application %1: %2", {application.text("number"), application.text("state")});
    if (auto const number = application.text("portal_number"); !number.empty())
        words += ", " + text(language, "the portal's number %1", {printable(number)});
    auto const* const token = application.find("token");
    if (token != nullptr) words += ", " + text(language, "token %1", {printable(token->text("serial"))});
    return words + ", " + std::string{application.text("created").substr(0, 10)};
}

/// The requests as PEM and the signed application; files that are there already stay, and are the same.
bool write_files(KeysSettings const& settings, Tree const& application, std::filesystem::path const& folder,
                 std::ostream& out, std::ostream& complaints) {
    std::string const number{application.text("number")};
    std::vector<std::pair<std::filesystem::path, Bytes>> files;
    std::size_t place = 0;
    for (auto const& key : application.list("keys")) {
        auto const request = from_base64(key.text("request"));
        if (!request) return complain(settings.language, request.error(), complaints), false;
        auto const pem = signing::request_pem(*request);
        files.emplace_back(folder / (number + '-' + std::to_string(++place) + ".p10"), to_bytes(as_view(pem)));
    }
    auto const signed_one = from_base64(application.text("signed_application"));
    if (!signed_one) return complain(settings.language, signed_one.error(), complaints), false;
    files.emplace_back(folder / (number + ".cms"), *signed_one);
    for (auto const& [path, octets] : files) {
        auto const present = std::filesystem::exists(path) ? read_small_file(path) : Result<Bytes>{Errc::system};
        auto const written = present && *present == octets ? ok() : write_new_file(path, octets);
        if (!written) return complain(settings.language, written.error(), complaints), false;
        if (settings.form == ReportForm::words) out << text(settings.language, "Written: %1", {path.string()}) << '\n';
    }
    return true;
}

int tell_application(KeysSettings const& settings, Tree const& application, Renewal const& wanted, std::ostream& out,
                     std::ostream& complaints) {
    auto const language = settings.language;
    if (!wanted.folder.empty() && !write_files(settings, application, wanted.folder, out, complaints))
        return exit_failed;
    if (settings.form == ReportForm::json) {
        out << printable_json(application) << '\n';
        return 0;
    }
    out << text(language, "The new keys are made, and the application is signed. Its number: %1",
                {application.text("number")})
        << '\n';
    if (wanted.folder.empty())
        out << text(language, "The files to be handed in: tamga keys renew --resume %1 --out FOLDER",
                    {application.text("number")})
            << '\n';
    out << text(language,
                "When the certificates are issued: tamga keys install FILE... Until then the present keys are used "
                "as before.")
        << '\n';
    return 0;
}

/// It broke off: what there is can be gone on with.
int tell_of_unfinished(KeyTalk& talk, KeysSettings const& settings, std::ostream& complaints) {
    auto const code = talk.exit_code();
    auto const told = talk.call("applications.list", Tree{});
    if (!told) return code;
    for (auto const& application : told->list("applications")) {
        auto const state = application.text("state");
        if (state != "begun" && state != "keys_generated" && state != "request_built") continue;
        complaints << text(settings.language, "It is gone on with by: tamga keys renew --resume %1",
                           {application.text("number")})
                   << '\n';
        break;
    }
    return code;
}

} // namespace

int renew_keys(KeysSettings const& settings, Renewal const& wanted, std::ostream& out, std::ostream& complaints) {
    auto const language = settings.language;
    if (!wanted.folder.empty() && !std::filesystem::is_directory(wanted.folder)) {
        complaints << text(language, "This is no folder: %1", {wanted.folder.string()}) << '\n';
        return exit_failed;
    }
    KeyTalk talk{settings, complaints};
    if (!wanted.resume.empty()) {
        auto const done = talk.call("keys.renew", Tree{}.add("application", wanted.resume));
        return done ? tell_application(settings, *done, wanted, out, complaints)
                    : tell_of_unfinished(talk, settings, complaints);
    }
    auto const told = talk.call("keys.list", Tree{}.add("token", tree_of(wanted.token)));
    if (!told) return talk.exit_code();
    auto const selection = select(*told, wanted.certificates);
    if (selection.certificates.empty()) {
        auto const why = selection.has_ended ? Errc::renewal_too_late : Errc::key_not_found;
        return complain(language, Error{why}, complaints);
    }
    if (!are_of_one_owner(selection.certificates)) {
        complaints << text(language, "The token has keys of several owners. Say which are meant: --certificate")
                   << '\n';
        for (auto const& certificate : selection.certificates)
            complaints << certificate_words(language, certificate) << '\n';
        return exit_failed;
    }
    Tree::List keys;
    complaints << text(language, "New keys are asked for with this data:") << '\n';
    for (auto const& certificate : selection.certificates) {
        Tree key;
        key.add("certificate", certificate.text("content")).add_unless_empty("kind", wanted.kind);
        keys.push_back(std::move(key));
        complaints << certificate_words(language, certificate) << "\n   " << printable(certificate.text("subject"))
                   << '\n';
    }
    if (!wanted.email.empty()) complaints << text(language, "E-mail: %1", {printable(wanted.email)}) << '\n';
    if (!settings.yes && !settings.agrees(text(language, "Is the data correct?", {}))) return exit_cancelled;
    auto const* const token = told->find("token");
    Tree params;
    TokenChoice const same{std::string{token == nullptr ? "" : token->text("storage")},
                           std::string{token == nullptr ? "" : token->text("serial")}};
    params.add("token", tree_of(same)).add("keys", std::move(keys)).add_unless_empty("email", wanted.email);
    auto const done = talk.call("keys.renew", params);
    return done ? tell_application(settings, *done, wanted, out, complaints)
                : tell_of_unfinished(talk, settings, complaints);
}

int list_applications(KeysSettings const& settings, std::ostream& out, std::ostream& complaints) {
    KeyTalk talk{settings, complaints};
    auto const told = talk.call("applications.list", Tree{});
    if (!told) return talk.exit_code();
    if (settings.form == ReportForm::json) {
        out << printable_json(*told) << '\n';
        return 0;
    }
    for (auto const& application : told->list("applications"))
        out << application_words(settings.language, application) << '\n';
    for (auto const& damaged : told->list("unreadable"))
        out << text(settings.language, "Application %1: %2", {damaged.text("number"), damaged.text("error")}) << '\n';
    if (told->list("applications").empty() && told->list("unreadable").empty())
        out << text(settings.language, "There are none.") << '\n';
    return 0;
}

int note_submission(KeysSettings const& settings, std::string const& number, std::string const& portal_number,
                    std::ostream& out, std::ostream& complaints) {
    KeyTalk talk{settings, complaints};
    Tree params;
    params.add("application", number).add_unless_empty("portal_number", portal_number);
    auto const told = talk.call("applications.submitted", params);
    if (!told) return talk.exit_code();
    out << application_words(settings.language, *told) << '\n';
    return 0;
}

int install_certificates(KeysSettings const& settings, Installation const& wanted, std::ostream& out,
                         std::ostream& complaints) {
    auto const language = settings.language;
    Tree::List files;
    for (auto const& path : wanted.files) {
        auto const octets = read_small_file(path);
        if (!octets) return complain(language, octets.error(), complaints);
        files.emplace_back(to_base64(*octets));
    }
    Tree params;
    params.add("files", std::move(files)).add_unless_empty("application", wanted.application);
    params.add("token", tree_of(wanted.token));
    KeyTalk talk{settings, complaints};
    auto const told = talk.call("keys.install", params);
    if (!told) return talk.exit_code();
    if (settings.form == ReportForm::json) out << printable_json(*told) << '\n';
    if (settings.form == ReportForm::words) {
        out << text(language, "Stored beside its key, which was tried:") << '\n';
        for (auto const& certificate : told->list("installed"))
            out << certificate_words(language, certificate) << '\n';
    }
    // The new keys work: until here nothing was said of the old ones, and without a yes nothing happens to them.
    auto const* const application = told->find("application");
    for (auto const& pair : told->list("old")) {
        auto const question = text(language, "Remove the old key pair %1 (%2) from the token?",
                                   {printable(pair.text("label")), pair.text("id")});
        if (settings.yes || settings.form == ReportForm::json || !settings.agrees(question)) continue;
        Tree unwanted;
        TokenChoice token;
        auto const* const its = application == nullptr ? nullptr : application->find("token");
        if (its != nullptr) token.serial = its->text("serial");
        unwanted.add("token", tree_of(token)).add("id", pair.text("id")).add("public_key", pair.text("public_key"));
        if (!talk.call("keys.delete", unwanted)) return talk.exit_code();
        out << text(language, "Removed: %1", {pair.text("id")}) << '\n';
    }
    return 0;
}

namespace {

/// The pair whose identifier begins like that, with everything the daemon wants to know of it.
std::optional<Tree> find_pair(KeyTalk& talk, KeysSettings const& settings, TokenChoice& token, std::string const& id,
                              std::ostream& complaints, int& code) {
    auto const told = talk.call("keys.list", Tree{}.add("token", tree_of(token)));
    code = talk.exit_code();
    if (!told) return std::nullopt;
    if (auto const* const its = told->find("token"))
        token = {std::string{its->text("storage")}, std::string{its->text("serial")}};
    std::vector<Tree> found;
    for (auto const& pair : told->list("keys")) {
        if (!pair.text("id").empty() && pair.text("id").starts_with(id)) found.push_back(pair);
    }
    if (found.size() == 1) return std::move(found.front());
    complaints << (found.empty() ? text(settings.language,
                                        "The token has no key %1. They are shown by: tamga keys list --pin", {id})
                                 : text(settings.language, "Several keys begin with %1: type more of it.", {id}))
               << '\n';
    code = exit_failed;
    return std::nullopt;
}

} // namespace

int delete_pair(KeysSettings const& settings, TokenChoice const& token, std::string const& id, std::ostream& out,
                std::ostream& complaints) {
    auto const language = settings.language;
    KeyTalk talk{settings, complaints};
    auto chosen = token;
    int code = exit_failed;
    auto const pair = find_pair(talk, settings, chosen, id, complaints, code);
    if (!pair) return code;
    for (auto const& certificate : pair->list("certificates"))
        out << certificate_words(language, certificate) << '\n';
    auto const question = text(language, "This key pair is deleted for good, and its certificates with it: %1. Go on?",
                               {pair->text("id")});
    if (!settings.yes && !settings.agrees(question)) return exit_cancelled;
    Tree params;
    params.add("token", tree_of(chosen)).add("id", pair->text("id")).add("public_key", pair->text("public_key"));
    if (!talk.call("keys.delete", params)) return talk.exit_code();
    out << text(language, "Removed: %1", {pair->text("id")}) << '\n';
    return 0;
}

int label_pair(KeysSettings const& settings, TokenChoice const& token, std::string const& id, std::string const& label,
               std::ostream& out, std::ostream& complaints) {
    KeyTalk talk{settings, complaints};
    auto chosen = token;
    int code = exit_failed;
    auto const pair = find_pair(talk, settings, chosen, id, complaints, code);
    if (!pair) return code;
    Tree params;
    params.add("token", tree_of(chosen)).add("id", pair->text("id")).add("label", label);
    if (!talk.call("keys.label", params)) return talk.exit_code();
    out << text(settings.language, "The key %1 is called %2 now.", {pair->text("id"), label}) << '\n';
    return 0;
}

int work_on_pin(KeysSettings const& settings, PinAction action, TokenChoice const& token, std::ostream& out,
                std::ostream& complaints) {
    KeyTalk talk{settings, complaints};
    auto const* const method = action == PinAction::change ? "pin.change" : "pin.unblock";
    auto const told = talk.call(method, Tree{}.add("token", tree_of(token)));
    if (!told) return talk.exit_code();
    out << text(settings.language, "The new PIN holds from now on, for all keys of the token.") << '\n';
    return 0;
}

} // namespace tamga::cli

#include "cli/keys_command.hpp"

#include "cli/journal.hpp"
#include "cli/journal_command.hpp"
#include "cli/local_client.hpp"
#include "policy/reminders.hpp"

#include <ctime>
#include <iostream>

namespace tamga::cli {

KeysCommand::KeysCommand(CLI::App& app, Language language)
    : m_language{language},
      m_keys{app.add_subcommand("keys", text(language, "your keys: list, renew, install, revoke, delete", {}))} {
    m_keys->require_subcommand(1);
    add_listing();
    add_renewal();
    add_single_tasks();
    add_statements();
    add_pins(app);
}

CLI::App& KeysCommand::add(CLI::App& to, char const* name, char const* words) {
    auto* const command = to.add_subcommand(name, text(m_language, words, {}));
    m_commands[name] = command;
    return *command;
}

void KeysCommand::add_token(CLI::App& command) {
    command.add_option("--token", m_token.serial, text(m_language, "only the token of this serial number", {}))
        ->option_text(" ");
}

void KeysCommand::add_listing() {
    auto& list = add(*m_keys, "list", message_id("show certificates and keys with their state"));
    list.add_flag("--pin", m_listing.on_token,
                  text(m_language, "what is on the token, after its PIN in the window", {}));
    list.add_option("--state", m_listing.state, text(m_language, "only those in this state", {}))
        ->check(CLI::IsMember({"valid", "expiring", "expired", "revoked", "no-certificate", "no-key"}))
        ->option_text("valid|expiring|expired|revoked|no-certificate|no-key");
    add_token(list);
    list.add_flag("--json", m_json, text(m_language, "for programs", {}));
    add(*m_keys, "lost", message_id("what to do when a token, its PIN or a password is gone"));
    add(*m_keys, "remind", message_id("tell the desktop of certificates that end in 30, 14 or 3 days"));
}

void KeysCommand::add_renewal() {
    auto& renew = add(*m_keys, "renew", message_id("make new keys, and the application for their certificates"));
    renew
        .add_option("--out", m_renewal.folder, text(m_language, "write the files to be handed in into this folder", {}))
        ->option_text("DIR");
    renew.add_option("--resume", m_renewal.resume, text(m_language, "go on with the application of this number", {}))
        ->option_text(" ");
    renew
        .add_option("--certificate", m_renewal.certificates,
                    text(m_language, "only this one: the beginning of its fingerprint or serial number", {}))
        ->option_text("HEX");
    renew.add_option("--kind", m_renewal.kind, text(m_language, "of the new keys; otherwise as the present ones", {}))
        ->check(CLI::IsMember({"rsa-2048", "ec-p256", "gost2015-256", "gost2015-512"}))
        ->option_text("rsa-2048|ec-p256|gost2015-256|gost2015-512");
    renew.add_option("--email", m_renewal.email, text(m_language, "an e-mail address for the certificates", {}))
        ->option_text(" ");
    add_token(renew);
    renew.add_flag("--yes", m_yes, text(m_language, "without the question", {}));
    renew.add_flag("--json", m_json, text(m_language, "for programs", {}));
    auto& applications = add(*m_keys, "applications", message_id("show applications and how far they are"));
    applications.add_flag("--json", m_json, text(m_language, "for programs", {}));
    auto& submitted = add(*m_keys, "submitted", message_id("note that an application was handed in"));
    submitted.add_option("NUMBER", m_id)->required()->option_text(" ");
    submitted.add_option("--portal-number", m_text, text(m_language, "the number that the portal gave it", {}))
        ->option_text(" ");
    auto& install = add(*m_keys, "install", message_id("store issued certificates beside their keys, and try them"));
    install.add_option("FILE", m_installation.files, text(m_language, "certificates: .cer or .p7b", {}))
        ->required()
        ->option_text("...");
    install
        .add_option("--application", m_installation.application,
                    text(m_language, "the number of their application", {}))
        ->option_text(" ");
    add_token(install);
    install.add_flag("--json", m_json, text(m_language, "for programs", {}));
}

void KeysCommand::add_single_tasks() {
    auto& unwanted = add(*m_keys, "delete", message_id("delete a key pair from the token, for good"));
    auto& label = add(*m_keys, "label", message_id("call a key pair something else"));
    for (auto* const command : {&unwanted, &label}) {
        command->add_option("ID", m_id, text(m_language, "the beginning of its identifier, as list --pin shows it", {}))
            ->required()
            ->option_text(" ");
        add_token(*command);
    }
    label.add_option("LABEL", m_text)->required()->option_text(" ");
    unwanted.add_flag("--yes", m_yes, text(m_language, "without the question", {}));
    add_token(add(*m_keys, "unblock", message_id("set a new PIN with the administrator's, where it is locked")));
}

void KeysCommand::add_statements() {
    auto& revoke = add(*m_keys, "revoke", message_id("sign statements that have certificates revoked"));
    revoke
        .add_option("FILE", m_revocation.files,
                    text(m_language, "certificates; otherwise those that are known here", {}))
        ->option_text("...");
    revoke
        .add_option("--certificate", m_revocation.certificates,
                    text(m_language, "only this one: the beginning of its fingerprint or serial number", {}))
        ->option_text("HEX");
    revoke.add_option("--reason", m_revocation.reason, text(m_language, "why", {}))
        ->required()
        ->option_text("lost|compromised|changed|ended");
    revoke.add_flag("--yes", m_yes, text(m_language, "without the question", {}));
    auto& approve = add(*m_keys, "approve", message_id("approve employees' applications: each is shown and confirmed"));
    auto& decline = add(*m_keys, "decline", message_id("decline employees' applications: each is shown and confirmed"));
    for (auto* const command : {&approve, &decline}) {
        command->add_option("FILE", m_decision.applications, text(m_language, "the applications", {}))
            ->required()
            ->option_text("...");
        command->add_option("--reason", m_decision.reason, text(m_language, "why", {}))->option_text(" ");
    }
    for (auto* const command : {&revoke, &approve, &decline}) {
        command->add_option("--out", m_decision.folder, text(m_language, "write the signed files into this folder", {}))
            ->option_text("DIR");
        command->add_flag("--json", m_json, text(m_language, "for programs", {}));
    }
}

void KeysCommand::add_pins(CLI::App& app) {
    m_pin = app.add_subcommand("pin", text(m_language, "the PIN of a token", {}));
    m_pin->require_subcommand(1);
    add_token(add(*m_pin, "change", message_id("set another PIN, in the window")));
}

bool KeysCommand::typed(char const* name) const {
    return m_commands.at(name)->parsed();
}

std::optional<int> KeysCommand::run() {
    if (!*m_keys && !*m_pin) return std::nullopt;
    return run_typed();
}

int KeysCommand::run_typed() {
    KeysSettings settings{
        m_language,     LocalClient::default_path(),
        journal_file(), m_json ? ReportForm::json : ReportForm::words,
        m_yes,          [this](std::string const& question) { return ask_yes_or_no(m_language, question); }};
    m_listing.token = m_renewal.token = m_installation.token = m_token;
    m_revocation.folder = m_decision.folder;
    auto& out = std::cout;
    auto& complaints = std::cerr;
    if (typed("list")) return list_keys(settings, m_listing, out, complaints);
    if (typed("lost")) return tell_of_lost_keys(settings, out, complaints);
    if (typed("remind"))
        return remind(settings, policy::ReminderBook::default_path(), notify_desktop, std::time(nullptr), out,
                      complaints);
    if (typed("renew")) return renew_keys(settings, m_renewal, out, complaints);
    if (typed("applications")) return list_applications(settings, out, complaints);
    if (typed("submitted")) return note_submission(settings, m_id, m_text, out, complaints);
    if (typed("install")) return install_certificates(settings, m_installation, out, complaints);
    if (typed("delete")) return delete_pair(settings, m_token, m_id, out, complaints);
    if (typed("label")) return label_pair(settings, m_token, m_id, m_text, out, complaints);
    if (typed("revoke")) return revoke_keys(settings, m_revocation, out, complaints);
    if (typed("approve") || typed("decline")) {
        m_decision.approves = typed("approve");
        return decide_applications(settings, m_decision, out, complaints);
    }
    return work_on_pin(settings, typed("unblock") ? PinAction::unblock : PinAction::change, m_token, out, complaints);
}

} // namespace tamga::cli

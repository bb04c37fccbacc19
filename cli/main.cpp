// tamga: the command line.
#include "base/build_id.hpp"
#include "base/text.hpp"
#include "cli/authorities.hpp"
#include "cli/doctor/checks.hpp"
#include "cli/doctor_command.hpp"
#include "cli/journal_command.hpp"
#include "cli/keys_command.hpp"
#include "cli/local_client.hpp"
#include "cli/services_command.hpp"
#include "cli/sign.hpp"
#include "cli/sites_command.hpp"
#include "cli/status.hpp"
#include "cli/tokens.hpp"
#include "cli/trust.hpp"
#include "cli/verify.hpp"
#include "policy/web_config.hpp"

#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>

namespace {

using namespace tamga;

constexpr int exit_usage = 2;

/// The language has to be known before the options are described: `--language` is looked for ahead of the parser.
Language language_of(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument{argv[i]};
        std::string_view tag;
        if (argument == "--language" && i + 1 < argc) tag = argv[i + 1];
        if (argument.starts_with("--language=")) tag = argument.substr(std::string_view{"--language="}.size());
        if (auto const language = language_from_tag(tag)) return *language;
    }
    return system_language();
}

/// CLI11 counts octets where it puts descriptions into a column; a Cyrillic letter has two.
class Columns : public CLI::Formatter {
public:
    std::string make_option(CLI::Option const* option, bool is_positional) const override {
        auto const name = "  " + make_option_name(option, is_positional) + make_option_opts(option);
        auto const continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
        auto const letters = name.size() - static_cast<std::size_t>(std::ranges::count_if(name, continues));
        auto const width = get_column_width();
        auto const gap = letters < width ? std::string(width - letters, ' ') : '\n' + std::string(width, ' ');
        return name + gap + make_option_desc(option) + '\n';
    }
};

/// CLI11 has words of its own, in English; those that a person sees are replaced.
void translate_headings(CLI::App& app, Language language) {
    auto const& formatter = app.get_formatter();
    formatter->label("Positionals", text(language, "Arguments", {}));
    formatter->label("Usage", text(language, "Usage", {}));
    formatter->label("OPTIONS", text(language, "OPTIONS", {}));
    formatter->label("SUBCOMMAND", text(language, "COMMAND", {}));
    for (auto* option : app.get_options())
        option->group(text(language, "Options", {}));
    for (auto* command : app.get_subcommands({})) {
        command->group(text(language, "Commands", {}));
        translate_headings(*command, language);
    }
}

/// As it was typed, as far as it was understood: "tamga trust". Its help tells what may follow.
std::string command_of(CLI::App const& app) {
    std::string command = app.get_name();
    for (auto const* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        command += ' ' + at->get_name();
    }
    return command;
}

/// The option that CLI11 speaks of: "--risk: maybe not in ...", "Could not convert: --minutes = abc", "--risk is
/// required".
std::string name_in(std::string_view words) {
    auto const at = words.find("--");
    if (at == std::string_view::npos) return {};
    words.remove_prefix(at);
    return std::string{words.substr(0, words.find_first_of(": ,="))};
}

/// What may stand there: "cms|xml|raw", as --help has it; empty where it says nothing.
std::string values_of(CLI::App const& app, std::string const& name) {
    auto const* at = &app;
    while (!at->get_subcommands().empty())
        at = at->get_subcommands().front();
    auto const* option = at->get_option_no_throw(name);
    return option == nullptr ? std::string{} : option->get_option_text();
}

int not_understood(Language language, std::string const& argument = {}, std::string const& command = "tamga") {
    std::cerr << (argument.empty()
                      ? text(language, "The command was not understood. See: %1 --help", {command})
                      : text(language, "This argument was not understood: %1. See: %2 --help", {argument, command}))
              << '\n';
    return exit_usage;
}

int not_understood(Language language, CLI::App const& app, CLI::ParseError const& failure) {
    auto const surplus = app.remaining(true);
    auto const name = name_in(failure.what());
    if (surplus.empty() && dynamic_cast<CLI::RequiredError const*>(&failure) != nullptr) {
        std::cerr << (name.empty() ? text(language, "%1: something is missing. See: %1 --help", {command_of(app)})
                                   : text(language, "%1: %2 is missing. See: %1 --help", {command_of(app), name}))
                  << '\n';
        return exit_usage;
    }
    bool const is_value = dynamic_cast<CLI::ValidationError const*>(&failure) != nullptr ||
                          dynamic_cast<CLI::ConversionError const*>(&failure) != nullptr;
    if (is_value && !name.empty()) {
        auto const values = values_of(app, name);
        std::cerr << (values.empty()
                          ? text(language, "%1: this is no value for %2. See: %1 --help", {command_of(app), name})
                          : text(language, "%1: this is no value for %2, which takes: %3. See: %1 --help",
                                 {command_of(app), name, values}))
                  << '\n';
        return exit_usage;
    }
    return not_understood(language, surplus.empty() ? name : surplus.front(), command_of(app));
}

int trust_command(Language language, cli::TrustAction action, cli::TrustWish wish) {
    char const* home = std::getenv("HOME");
    auto folder = trust::tls_folder();
    if (home == nullptr || !folder) {
        std::cerr << text(language, "The variable HOME is not set.") << '\n';
        return 1;
    }
    cli::TrustSettings settings;
    settings.language = language;
    settings.home = home;
    settings.tls_folder = std::move(*folder);
    settings.now = std::chrono::system_clock::now();
    settings.wish = wish;
    return cli::run_trust(action, settings, std::cout);
}

int verify_command(cli::VerifyRequest request) {
    // A mistake in the configuration, which this command hardly needs, is the daemon's to complain of.
    auto const config = policy::load_web_config(policy::config_files());
    bool const user = !config || config->user_authorities;
    request.settings.trusted = signing::TrustSet::load(
        signing::TrustFolders::here(), user ? signing::UserAuthorities::counted : signing::UserAuthorities::left_out);
    request.settings.revocation = signing::RevocationCache{signing::RevocationCache::default_folder()};
    request.settings.now = std::time(nullptr);
    return cli::run_verify(request, std::cout, std::cerr);
}

} // namespace

int main(int argc, char** argv) {
    ::umask(0077);
    auto const language = language_of(argc, argv);

    CLI::App app{text(language, "Tamga: electronic signatures with keys on tokens", {}), "tamga"};
    app.formatter(std::make_shared<Columns>()); // before the commands, which take it over
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string{"tamga "} + build_id, text(language, "the version", {}));
    app.set_help_flag("-h,--help", text(language, "this text", {}));
    std::string tag;
    app.add_option("--language", tag, text(language, "the language of the messages", {}))
        ->check(CLI::IsMember({"kk", "ru", "en"}))
        ->option_text("kk|ru|en");

    auto* const trust = app.add_subcommand(
        "trust", text(language, "let this user's browsers trust the certificate of this computer's Tamga", {}));
    auto install = false;
    auto remove = false;
    auto status = false;
    trust->add_flag("--install", install, text(language, "add the certificate to every browser's store", {}));
    trust->add_flag("--remove", remove, text(language, "take it out of every store", {}));
    trust->add_flag("--status", status, text(language, "say where it is trusted", {}));
    auto automatic = false;
    trust->add_flag("--automatic", automatic,
                    text(language, "as Tamga does it by itself: not against what the person said last", {}));
    auto const file_word = text(language, "FILE", {});
    auto* const verify =
        app.add_subcommand("verify", text(language, "say what a signed file (CMS or XML) is worth", {}));
    cli::VerifyRequest request;
    std::string content;
    std::string at;
    auto json = false;
    verify
        ->add_option(file_word, request.file,
                     text(language, "the signed file: CMS (DER, PEM or base64) or XML; not S/MIME", {}))
        ->required()
        ->option_text(" ");
    verify->add_option("--content", content, text(language, "what was signed, where it is not in the CMS", {}))
        ->option_text(file_word);
    verify->add_option("--at", at, text(language, "judge certificates as of this time (UTC)", {}))
        ->option_text("YYYY-MM-DD[THH:MM:SSZ]");
    verify->add_flag("--json", json, text(language, "for programs", {}));

    auto* const tokens = app.add_subcommand("tokens", text(language, "say which tokens are plugged in", {}));
    cli::TokensRequest listing;
    auto tokens_json = false;
    tokens->add_flag("--watch", listing.watch, text(language, "go on, and say what comes and goes", {}));
    tokens->add_flag("--json", tokens_json, text(language, "for programs", {}));

    auto* const state =
        app.add_subcommand("status", text(language, "say whether Tamga runs, and what is plugged in", {}));
    cli::StatusRequest state_request;
    auto state_json = false;
    state->add_flag("--open", state_request.open, text(language, "show it in the browser too", {}));
    state->add_flag("--json", state_json, text(language, "for programs", {}));

    auto* const sign = app.add_subcommand(
        "sign", text(language, "sign files with a key of this computer; a window asks for the key and its PIN", {}));
    cli::SignRequest signing;
    auto sign_json = false;
    sign->add_option("FILE", signing.files, text(language, "what is signed, with one PIN", {}))
        ->required()
        ->option_text("...");
    sign->add_option("--format", signing.format,
                     text(language, "cms: a signed file; xml: within the XML; raw: the bare signature", {}))
        ->check(CLI::IsMember({"cms", "xml", "raw"}))
        ->option_text("cms|xml|raw");
    sign->add_flag("--detached", signing.detached, text(language, "cms: without the document in it", {}));
    sign->add_flag("--timestamp", signing.timestamp, text(language, "cms: with a time-stamp, or not at all", {}));
    sign->add_option("-o,--output", signing.output, text(language, "the file to be written; a folder for several", {}))
        ->option_text("PATH");
    sign->add_flag("--overwrite", signing.overwrite, text(language, "replace files that are there already", {}));
    sign->add_option("--service", signing.service, text(language, "the service that the request is for", {}))
        ->option_text("ID");
    sign->add_option("--iin", signing.iin, text(language, "only the key of this person", {}))->option_text("IIN");
    sign->add_option("--bin", signing.bin, text(language, "only a key of this organisation", {}))->option_text("BIN");
    sign->add_option("--serial", signing.serial_number, text(language, "only the certificate of this number", {}))
        ->option_text("HEX");
    sign->add_flag("--json", sign_json, text(language, "for programs", {}));

    auto* const ca = app.add_subcommand("ca", text(language, "the authorities whose certificates are trusted", {}));
    ca->require_subcommand(1);
    std::filesystem::path authority_file;
    std::string fingerprint;
    auto* const ca_add = ca->add_subcommand("add", text(language, "trust the authorities in a file", {}));
    ca_add
        ->add_option(file_word, authority_file,
                     text(language, "the authorities' certificates: PEM, DER or PKCS#7 (.p7b)", {}))
        ->required()
        ->option_text(" ");
    auto* const ca_list = ca->add_subcommand("list", text(language, "show them all", {}));
    auto* const ca_remove = ca->add_subcommand("remove", text(language, "take one that you added back", {}));
    ca_remove->add_option("SHA-256", fingerprint, text(language, "its first 8 digits or more, as list shows them", {}))
        ->required()
        ->option_text(" ");
    cli::ServicesCommand services{app, language};
    cli::JournalCommand journal{app, language};
    cli::SitesCommand sites{app, language};
    cli::KeysCommand keys{app, language};
    cli::DoctorCommand doctor{app, language};
    translate_headings(app, language);

    try {
        app.parse(argc, argv);
    } catch (CLI::Success const& wanted) {
        return app.exit(wanted); // --help, --version
    } catch (CLI::ParseError const& failure) {
        return not_understood(language, app, failure);
    }
    if (*ca) {
        cli::AuthoritySettings const settings{language, signing::TrustFolders::here()};
        if (*ca_add) return cli::add_authorities(settings, authority_file, std::cout, std::cerr);
        if (*ca_list) return cli::list_authorities(settings, std::cout);
        if (*ca_remove) return cli::remove_authority(settings, fingerprint, std::cout, std::cerr);
    }
    if (*tokens) {
        listing.language = language;
        listing.socket = cli::LocalClient::default_path();
        listing.form = tokens_json ? cli::ReportForm::json : cli::ReportForm::words;
        listing.why_none = [language] { return cli::why_no_token(cli::Surroundings::here(language)); };
        return cli::run_tokens(listing, std::cout, std::cerr);
    }
    if (*state) {
        state_request.language = language;
        state_request.socket = cli::LocalClient::default_path();
        state_request.form = state_json ? cli::ReportForm::json : cli::ReportForm::words;
        state_request.browse = cli::browse_with_xdg_open;
        return cli::run_status(state_request, std::cout, std::cerr);
    }
    if (*sign) {
        signing.language = language;
        signing.socket = cli::LocalClient::default_path();
        signing.form = sign_json ? cli::ReportForm::json : cli::ReportForm::words;
        return cli::run_sign(signing, std::cout, std::cerr);
    }
    if (auto const code = services.run()) return *code;
    if (auto const code = journal.run()) return *code;
    if (auto const code = sites.run()) return *code;
    if (auto const code = keys.run()) return *code;
    if (auto const code = doctor.run()) return *code;
    if (*verify) {
        request.language = language;
        request.form = json ? cli::ReportForm::json : cli::ReportForm::words;
        if (!content.empty()) request.content = content;
        if (!at.empty() && !cli::time_from(at)) return not_understood(language, at, "tamga verify");
        if (!at.empty()) request.settings.at = cli::time_from(at);
        return verify_command(std::move(request));
    }
    if (int{install} + int{remove} + int{status} != 1) {
        std::cerr << text(language, "%1: one of these is needed: %2. See: %1 --help",
                          {"tamga trust", "--install, --remove, --status"})
                  << '\n';
        return exit_usage;
    }
    auto const action = install  ? cli::TrustAction::install
                        : remove ? cli::TrustAction::remove
                                 : cli::TrustAction::status;
    return trust_command(language, action, automatic ? cli::TrustWish::automatic : cli::TrustWish::of_the_person);
}

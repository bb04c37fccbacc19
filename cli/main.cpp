// tamga: the command line.
#include "base/build_id.hpp"
#include "base/text.hpp"
#include "cli/trust.hpp"

#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include <cstdlib>
#include <iostream>

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

int trust_command(Language language, cli::TrustAction action) {
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
    return cli::run_trust(action, settings, std::cout);
}

} // namespace

int main(int argc, char** argv) {
    ::umask(0077);
    auto const language = language_of(argc, argv);
    auto const in_words = [language](char const* message) { return std::string{text(language, message)}; };

    CLI::App app{in_words("Tamga: electronic signatures with keys on tokens"), "tamga"};
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string{"tamga "} + build_id, in_words("the version"));
    app.set_help_flag("-h,--help", in_words("this text"));
    std::string tag;
    app.add_option("--language", tag, in_words("the language of the messages"))
        ->check(CLI::IsMember({"kk", "ru", "en"}));

    auto* const trust = app.add_subcommand(
        "trust", in_words("let this user's browsers trust the certificate of this computer's Tamga"));
    auto* const actions = trust->add_option_group("action");
    auto install = false;
    auto remove = false;
    auto status = false;
    actions->add_flag("--install", install, in_words("add the certificate to every browser's store"));
    actions->add_flag("--remove", remove, in_words("take it out of every store"));
    actions->add_flag("--status", status, in_words("say where it is trusted"));
    actions->require_option(1);

    try {
        app.parse(argc, argv);
    } catch (CLI::Success const& wanted) {
        return app.exit(wanted); // --help, --version
    } catch (CLI::ParseError const&) {
        std::cerr << text(language, "The command was not understood. See: tamga --help") << '\n';
        return exit_usage;
    }
    auto const action = install  ? cli::TrustAction::install
                        : remove ? cli::TrustAction::remove
                                 : cli::TrustAction::status;
    return trust_command(language, action);
}

// The arguments of `tamga keys` and `tamga pin`.
#pragma once

#include "cli/keys.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace tamga::cli {

/// Adds the commands to `app`; lives as long as that parses. The rest is done by `run`.
class KeysCommand {
public:
    KeysCommand(CLI::App& app, Language language);
    KeysCommand(KeysCommand const&) = delete;
    KeysCommand& operator=(KeysCommand const&) = delete;

    /// Nothing where another command was typed; else the exit code. Words go to standard output.
    [[nodiscard]] std::optional<int> run();

private:
    CLI::App& add(CLI::App& to, char const* name, char const* words);
    void add_token(CLI::App& command);
    void add_listing();
    void add_renewal();
    void add_single_tasks();
    void add_statements();
    void add_pins(CLI::App& app);
    [[nodiscard]] bool typed(char const* name) const;
    [[nodiscard]] int run_typed();

    Language m_language;
    CLI::App* m_keys;
    CLI::App* m_pin = nullptr;
    std::map<std::string, CLI::App*> m_commands;
    bool m_json = false;
    bool m_yes = false;
    std::string m_id;
    std::string m_text;
    TokenChoice m_token;
    KeysListing m_listing;
    Renewal m_renewal;
    Installation m_installation;
    Revocation m_revocation;
    Decision m_decision;
};

} // namespace tamga::cli

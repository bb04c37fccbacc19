// The arguments of `tamga sites`.
#pragma once

#include "cli/sites.hpp"

#include <CLI/CLI.hpp>

namespace tamga::cli {

/// Adds the command to `app`; lives as long as that parses. The rest is done by `run`.
class SitesCommand {
public:
    SitesCommand(CLI::App& app, Language language);
    SitesCommand(SitesCommand const&) = delete;
    SitesCommand& operator=(SitesCommand const&) = delete;

    /// Nothing where another command was typed; else the exit code. Words go to standard output.
    [[nodiscard]] std::optional<int> run();

private:
    [[nodiscard]] CLI::App* add(char const* name, std::string const& words);

    Language m_language;
    CLI::App* m_sites;
    CLI::App* m_list;
    CLI::App* m_allow;
    CLI::App* m_refuse;
    CLI::App* m_forget;
    CLI::App* m_revoke;
    bool m_json = false;
    std::string m_origin;
};

} // namespace tamga::cli

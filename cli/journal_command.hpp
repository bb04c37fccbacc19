// The arguments of `tamga journal`.
#pragma once

#include "cli/journal.hpp"

#include <CLI/CLI.hpp>

namespace tamga::cli {

/// Adds the command to `app`; lives as long as that parses. The rest is done by `run`.
class JournalCommand {
public:
    JournalCommand(CLI::App& app, Language language);
    JournalCommand(JournalCommand const&) = delete;
    JournalCommand& operator=(JournalCommand const&) = delete;

    /// Nothing where another command was typed; else the exit code. Words go to standard output.
    [[nodiscard]] std::optional<int> run();

private:
    void add_filter(CLI::App& command);
    [[nodiscard]] std::optional<journal::Filter> filter() const;

    Language m_language;
    CLI::App* m_journal;
    CLI::App* m_export = nullptr;
    CLI::App* m_erase = nullptr;
    std::string m_since;
    std::string m_before;
    std::string m_site;
    std::string m_text;
    bool m_json = false;
    bool m_yes = false;
    std::filesystem::path m_file;
};

/// Asks on the terminal; "no" is what everything but a yes means.
[[nodiscard]] bool ask_yes_or_no(Language language, std::string const& question);

} // namespace tamga::cli

#include "cli/journal_command.hpp"

#include <iostream>

namespace tamga::cli {

namespace {

constexpr int exit_usage = 2;
constexpr char const* time_form = "YYYY-MM-DD[THH:MM:SSZ]";

} // namespace

JournalCommand::JournalCommand(CLI::App& app, Language language)
    : m_language{language},
      m_journal{app.add_subcommand("journal", text(language, "what keys were used for on this computer", {}))} {
    m_journal->require_subcommand(0, 1);
    add_filter(*m_journal);
    m_journal->add_flag("--json", m_json, text(language, "for programs", {}));
    m_export = m_journal->add_subcommand("export", text(language, "write it to a file, CSV or JSON by its name", {}));
    m_export->add_option("FILE", m_file)->required()->option_text(" ");
    add_filter(*m_export);
    m_erase = m_journal->add_subcommand("erase", text(language, "erase it, after a question", {}));
    m_erase->add_option("--before", m_before, text(language, "only what is older", {}))->option_text(time_form);
    m_erase->add_flag("--yes", m_yes, text(language, "without the question", {}));
}

void JournalCommand::add_filter(CLI::App& command) {
    command.add_option("--since", m_since, text(m_language, "only from this time on", {}))->option_text(time_form);
    command.add_option("--site", m_site, text(m_language, "only sites whose address has this in it", {}))
        ->option_text(text(m_language, "TEXT", {}));
    command
        .add_option(
            "--text", m_text,
            text(m_language, "only where a title, a name, a service, a digest or the outcome has this in it", {}))
        ->option_text(text(m_language, "TEXT", {}));
}

/// Nothing where a time was not understood.
std::optional<journal::Filter> JournalCommand::filter() const {
    journal::Filter filter;
    filter.site = m_site;
    filter.text = m_text;
    filter.since = moment_from(m_since);
    filter.before = moment_from(m_before);
    bool const understood = (m_since.empty() || filter.since) && (m_before.empty() || filter.before);
    return understood ? std::optional{filter} : std::nullopt;
}

std::optional<int> JournalCommand::run() {
    if (!*m_journal) return std::nullopt;
    auto const wanted = filter();
    if (!wanted) {
        std::cerr << text(m_language, "A time is written as %1.", {time_form}) << '\n';
        return exit_usage;
    }
    JournalSettings const settings{m_language, journal_file()};
    if (settings.file.empty()) {
        std::cerr << text(m_language, "The variable HOME is not set.") << '\n';
        return 1;
    }
    if (*m_export) return export_journal(settings, *wanted, m_file, std::cout, std::cerr);
    if (*m_erase) {
        auto const agrees = [this](std::string const& question) {
            return m_yes || ask_yes_or_no(m_language, question);
        };
        return erase_journal(settings, wanted->before, agrees, std::cout, std::cerr);
    }
    auto const form = m_json ? ReportForm::json : ReportForm::words;
    return show_journal(settings, *wanted, form, std::cout, std::cerr);
}

bool ask_yes_or_no(Language language, std::string const& question) {
    std::cout << question << ' ' << text(language, "[yes/no]") << ' ' << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "yes" || answer == text(language, "yes");
}

} // namespace tamga::cli

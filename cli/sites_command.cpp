#include "cli/sites_command.hpp"

#include "policy/web_config.hpp"

#include <iostream>

namespace tamga::cli {

SitesCommand::SitesCommand(CLI::App& app, Language language)
    : m_language{language},
      m_sites{app.add_subcommand("sites", text(language, "which sites may ask on this computer", {}))},
      m_list{m_sites->add_subcommand("list", text(language, "show what was answered about sites", {}))},
      m_allow{add("allow", text(language, "let a site ask", {}))},
      m_refuse{add("refuse", text(language, "refuse a site for ever", {}))},
      m_forget{add("forget", text(language, "forget what was answered about a site", {}))},
      m_revoke{add("revoke", text(language, "take a permission back: its pages are cut off at once", {}))} {
    m_sites->require_subcommand(1);
    m_list->add_flag("--json", m_json, text(language, "for programs", {}));
}

CLI::App* SitesCommand::add(char const* name, std::string const& words) {
    auto* const command = m_sites->add_subcommand(name, words);
    command->add_option("ORIGIN", m_origin, text(m_language, "the site: https://egov.kz", {}))
        ->required()
        ->option_text(" ");
    return command;
}

std::optional<int> SitesCommand::run() {
    if (!*m_sites) return std::nullopt;
    // A mistake in the configuration is the daemon's to complain of.
    auto const config = policy::load_web_config(policy::config_files());
    policy::WebConfig const otherwise;
    auto const days = config ? config->grant_days : otherwise.grant_days;
    SitesSettings const settings{m_language, policy::ConsentBook::default_path(), std::chrono::days{days}};
    if (settings.file.empty()) {
        std::cerr << text(m_language, "The variable HOME is not set.") << '\n';
        return 1;
    }
    if (*m_list) return list_sites(settings, m_json ? ReportForm::json : ReportForm::words, std::cout, std::cerr);
    auto const action = *m_allow    ? SitesAction::allow
                        : *m_refuse ? SitesAction::refuse
                        : *m_forget ? SitesAction::forget
                                    : SitesAction::revoke;
    return answer_about_site(settings, action, m_origin, std::cout, std::cerr);
}

} // namespace tamga::cli

#include "cli/services_command.hpp"

#include "policy/web_config.hpp"

#include <algorithm>
#include <ctime>
#include <iostream>

namespace tamga::cli {

namespace {

ServiceSettings settings_for(Language language) {
    // A mistake in the configuration is the daemon's to complain of.
    auto const config = policy::load_web_config(policy::config_files());
    bool const user = !config || config->user_catalogues;
    return {language, policy::ServiceFolders::here(),
            user ? policy::UserCatalogues::counted : policy::UserCatalogues::left_out, std::time(nullptr)};
}

} // namespace

ServicesCommand::ServicesCommand(CLI::App& app, Language language)
    : m_language{language},
      m_services{app.add_subcommand("services", text(language,
                                                     "public services: how the law classifies them, and what is known "
                                                     "of them here",
                                                     {}))} {
    m_services->require_subcommand(1);
    add_classify();
    m_list = m_services->add_subcommand("list", text(language, "show every catalogue and what was refused", {}));
    m_show = m_services->add_subcommand("show", text(language, "show one service and explain its classification", {}));
    m_show->add_option("SERVICE", m_id)->required()->option_text(" ");
    m_verify = m_services->add_subcommand("verify", text(language, "say what a catalogue is worth here", {}));
    m_verify->add_option("FILE", m_file)->required()->option_text(" ");
    add_sign();
}

void ServicesCommand::add_classify() {
    m_classify =
        m_services->add_subcommand("classify", text(m_language, "classify a service and explain it line by line", {}));
    auto const decided = [&](char const* name, std::string& target, char const* words) {
        m_classify->add_option(name, target, text(m_language, words, {}))
            ->required()
            ->check(CLI::IsMember({"yes", "no"}))
            ->option_text("yes|no");
    };
    decided("--risk", m_risk, message_id("disclosed personal data could cause damage"));
    decided("--changes-database", m_changes_database, message_id("it changes the provider's database"));
    m_classify->add_option("--minutes", m_minutes, text(m_language, "minutes from the request to the result", {}))
        ->required()
        ->option_text("N");
    decided("--paid", m_paid, message_id("there is a fee"));
    m_classify->add_flag("--permit", m_flags.permit, text(m_language, "it is a permit", {}));
    m_classify->add_flag("--composite", m_flags.composite, text(m_language, "it is a composite service", {}));
    std::vector<std::string> names;
    for (auto const channel : policy::channels)
        names.emplace_back(policy::name_of(channel));
    m_classify->add_option("--channel", m_channel, text(m_language, "how the result is received", {}))
        ->check(CLI::IsMember(names))
        ->option_text("portal|mobile_application|instant_message|sms");
}

void ServicesCommand::add_sign() {
    m_sign = m_services->add_subcommand("sign", text(m_language, "make a catalogue of a text (docs/services.md)", {}));
    m_sign->add_option("FILE", m_publish.text)->required()->option_text(" ");
    m_sign->add_option("--key", m_publish.key, text(m_language, "the publisher's key (PKCS#12)", {}))
        ->required()
        ->option_text("FILE");
    m_sign->add_option("--output", m_publish.output, text(m_language, "the catalogue: *.services", {}))
        ->required()
        ->option_text("FILE");
    m_sign
        ->add_option("--certificate", m_publish.certificate,
                     text(m_language, "which of several: how its SHA-256 begins", {}))
        ->option_text("SHA-256");
}

std::optional<int> ServicesCommand::run() {
    if (!*m_services) return std::nullopt;
    if (*m_classify) return classify();
    if (*m_sign) return sign();
    if (*m_list) return list_services(settings_for(m_language), std::cout);
    if (*m_show) return show_service(settings_for(m_language), m_id, std::cout);
    return verify_catalogue(settings_for(m_language), m_file, std::cout);
}

int ServicesCommand::classify() const {
    policy::Criteria const criteria{m_risk == "yes", m_changes_database == "yes", m_minutes, m_paid == "yes"};
    auto const* channel = std::ranges::find_if(
        policy::channels, [this](policy::Channel each) { return policy::name_of(each) == m_channel; });
    return classify_service(m_language, criteria, m_flags, *channel, std::cout);
}

int ServicesCommand::sign() {
    m_publish.language = m_language;
    m_publish.now = std::time(nullptr);
    m_publish.ask = [this] { return ask_password(text(m_language, "Password of the key file:")); };
    return publish_catalogue(m_publish, std::cout);
}

} // namespace tamga::cli

// The arguments of `tamga services`.
#pragma once

#include "cli/publish.hpp"
#include "cli/services.hpp"

#include <CLI/CLI.hpp>

#include <optional>

namespace tamga::cli {

/// Adds the command to `app`; lives as long as that parses. The rest is done by `run`.
class ServicesCommand {
public:
    ServicesCommand(CLI::App& app, Language language);
    ServicesCommand(ServicesCommand const&) = delete;
    ServicesCommand& operator=(ServicesCommand const&) = delete;

    /// Nothing where another command was typed; else the exit code. Words go to standard output.
    [[nodiscard]] std::optional<int> run();

private:
    void add_classify();
    void add_sign();
    [[nodiscard]] int classify() const;
    [[nodiscard]] int sign();

    Language m_language;
    CLI::App* m_services;
    CLI::App* m_classify = nullptr;
    CLI::App* m_list = nullptr;
    CLI::App* m_show = nullptr;
    CLI::App* m_verify = nullptr;
    CLI::App* m_sign = nullptr;

    std::string m_id;
    std::filesystem::path m_file;
    PublishRequest m_publish;
    std::string m_risk;
    std::string m_changes_database;
    std::uint32_t m_minutes = 0;
    std::string m_paid;
    policy::Flags m_flags;
    std::string m_channel{policy::name_of(policy::Channel::portal)};
};

} // namespace tamga::cli

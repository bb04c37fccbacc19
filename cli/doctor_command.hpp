// The arguments of `tamga doctor`, `report`, `explain`, `log` and `config`.
#pragma once

#include "base/text.hpp"
#include "cli/log.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace tamga::cli {

/// Adds the commands to `app`; lives as long as that parses. The rest is done by `run`.
class DoctorCommand {
public:
    DoctorCommand(CLI::App& app, Language language);
    DoctorCommand(DoctorCommand const&) = delete;
    DoctorCommand& operator=(DoctorCommand const&) = delete;

    /// Nothing where another command was typed; else the exit code. Words go to standard output.
    [[nodiscard]] std::optional<int> run();

private:
    [[nodiscard]] int doctor();
    [[nodiscard]] int report();
    [[nodiscard]] bool agrees(std::string const& question) const;
    void add_surroundings(CLI::App& command);
    void add_reading();

    Language m_language;
    CLI::App* m_doctor;
    CLI::App* m_report;
    CLI::App* m_explain;
    CLI::App* m_log;
    CLI::App* m_config;
    LogRequest m_log_request;
    bool m_json = false;
    bool m_fix = false;
    bool m_yes = false;
    bool m_sign_test = false;
    bool m_token_dump = false;
    bool m_offline = false;
    std::uint16_t m_port = 13579;
    std::filesystem::path m_output;
    std::string m_code;
};

} // namespace tamga::cli

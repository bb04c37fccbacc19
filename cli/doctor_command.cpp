#include "cli/doctor_command.hpp"

#include "cli/config_show.hpp"
#include "cli/doctor/doctor.hpp"
#include "cli/explain.hpp"
#include "cli/support_report.hpp"

#include <unistd.h>

#include <iostream>

namespace tamga::cli {

DoctorCommand::DoctorCommand(CLI::App& app, Language language)
    : m_language{language},
      m_doctor{app.add_subcommand("doctor", text(language, "find out why signing does not work, and what to do", {}))},
      m_report{app.add_subcommand("report", text(language, "write one file for those who help, without secrets", {}))},
      m_explain{app.add_subcommand("explain", text(language, "say what a code or an error word means", {}))},
      m_log{app.add_subcommand("log", text(language, "show what Tamga did, in plain words", {}))},
      m_config{app.add_subcommand("config", text(language, "what is configured on this computer", {}))} {
    add_surroundings(*m_doctor);
    add_surroundings(*m_report);
    add_reading();
    m_doctor->add_flag("--json", m_json, text(language, "for programs", {}));
    m_doctor->add_flag("--fix", m_fix, text(language, "repair what can be repaired safely, after asking", {}));
    m_doctor->add_flag("--yes", m_yes, text(language, "with --fix: do not ask", {}));
    m_doctor->add_flag("--sign-test", m_sign_test,
                       text(language, "make a signature too; the window asks for the PIN", {}));
    m_doctor->add_flag("--token-dump", m_token_dump,
                       text(language, "print what is known of readers and tokens, without names and numbers", {}));
    m_report->add_option("-o,--output", m_output, text(language, "the file to be written", {}))
        ->option_text(text(language, "FILE", {}));
    m_report->add_flag("--yes", m_yes, text(language, "save it without asking", {}));
    m_explain
        ->add_option("CODE", m_code,
                     text(language, "a code such as D4036, a word such as pin_locked, or an error's number", {}))
        ->required()
        ->option_text(" ");
}

void DoctorCommand::add_reading() {
    m_log->add_flag("--follow,-f", m_log_request.follow, text(m_language, "go on, and show what comes", {}));
    m_log->add_flag("--raw", m_log_request.raw, text(m_language, "the lines as they were written", {}));
    m_log->add_option("-n,--lines", m_log_request.lines, text(m_language, "how many of the last lines", {}))
        ->option_text("N");
    m_config->require_subcommand(1);
    m_config->add_subcommand("show", text(m_language, "show every value, and which file says so", {}))
        ->add_flag("--json", m_json, text(m_language, "for programs", {}));
}

void DoctorCommand::add_surroundings(CLI::App& command) {
    command.add_flag("--offline", m_offline, text(m_language, "ask nobody on the network", {}));
    command.add_option("--port", m_port, text(m_language, "where tamgad was told to listen (13579)", {}))
        ->option_text("N");
}

std::optional<int> DoctorCommand::run() {
    if (*m_explain) return explain_code(m_language, m_code, std::cout, std::cerr);
    if (*m_doctor) return doctor();
    if (*m_report) return report();
    if (*m_log) {
        m_log_request.language = m_language;
        return run_log(m_log_request, std::cout, std::cerr);
    }
    if (*m_config) {
        auto const form = m_json ? ReportForm::json : ReportForm::words;
        return show_config(Surroundings::here(m_language), form, std::cout, std::cerr);
    }
    return std::nullopt;
}

int DoctorCommand::doctor() {
    auto here = Surroundings::here(m_language);
    here.port = m_port;
    if (m_offline) here.network = Network::left_alone;
    if (m_token_dump) return dump_tokens(here, std::cout, std::cerr);
    DoctorRequest request;
    request.form = m_json ? ReportForm::json : ReportForm::words;
    request.fix = m_fix;
    request.sign_test = m_sign_test;
    request.agrees = [this](std::string const& question) { return agrees(question); };
    return run_doctor(here, request, std::cout, std::cerr);
}

int DoctorCommand::report() {
    auto here = Surroundings::here(m_language);
    here.port = m_port;
    if (m_offline) here.network = Network::left_alone;
    ReportRequest request;
    request.file = m_output;
    request.agrees = [this](std::string const& question) { return agrees(question); };
    return run_report(here, request, std::cout, std::cerr);
}

/// Without a terminal nobody answers, and nothing is done.
bool DoctorCommand::agrees(std::string const& question) const {
    if (m_yes) return true;
    if (::isatty(STDIN_FILENO) == 0) return false;
    std::cerr << question << ' ' << text(m_language, "[y/N]") << ' ' << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    for (auto const* yes : {"y", "Y", "yes", "и", "иә", "д", "да"}) {
        if (answer == yes) return true;
    }
    return false;
}

} // namespace tamga::cli

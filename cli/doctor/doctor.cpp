#include "cli/doctor/doctor.hpp"

#include "cli/doctor/checks.hpp"
#include "cli/doctor/repair.hpp"
#include "cli/printable.hpp"
#include "cli/sign.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;

std::string_view mark(State state) {
    switch (state) {
    case State::good: return "[ ok ]";
    case State::unknown: return "[ ?? ]";
    case State::bad: return "[ !! ]";
    }
    return {};
}

void append(Findings& all, Findings more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

State worst_of(Findings const& findings) {
    auto worst = State::good;
    for (auto const& finding : findings)
        worst = std::max(worst, row_of(finding.cause).state);
    return worst;
}

/// One signature over a text of ours, by the way that every command takes; the daemon has verified it.
Finding test_signature(Surroundings const& here) {
    std::string folder = (fs::temp_directory_path() / "tamga-sign-test-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return {Cause::sign_failed, "mkdtemp"};
    auto const file = fs::path{folder} / "sign-test.txt";
    std::ofstream{file} << "tamga doctor --sign-test\n";
    SignRequest request;
    request.language = here.language;
    request.socket = here.socket;
    request.files = {file};
    std::ostringstream out;
    std::ostringstream complaints;
    auto const code = run_sign(request, out, complaints);
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    return code == 0 ? Finding{Cause::sign_good} : Finding{Cause::sign_failed, complaints.str()};
}

/// One repair may be what another one needs: a new certificate is served after a new start.
class Repairs {
public:
    Repairs(Surroundings const& here, DoctorRequest const& request, std::ostream& complaints)
        : m_here{here}, m_request{request}, m_complaints{complaints} {}

    /// Asks about each repair once. @return whether anything was repaired.
    bool run(Findings& findings) {
        auto repaired = false;
        while (repair_once(findings)) {
            repaired = true;
            findings = examine(m_here);
        }
        return repaired;
    }

private:
    bool repair_once(Findings const& findings) {
        auto repaired = false;
        for (auto const fix : repairs_for(findings)) {
            if (!m_asked.insert(fix).second || !m_request.agrees(question_about(m_here.language, fix))) continue;
            auto const done = repair(m_here, fix);
            if (!done) m_complaints << text(m_here.language, "failed: %1", {printable(done.error().detail)}) << '\n';
            repaired |= done.has_value();
        }
        return repaired;
    }

    Surroundings const& m_here;
    DoctorRequest const& m_request;
    std::ostream& m_complaints;
    std::set<Fix> m_asked;
};

} // namespace

Findings examine(Surroundings const& here) {
    auto const daemon = ask_daemon(here.socket);
    auto const tokens = ask_tokens(here);
    auto const port = check_port(here);
    Findings all;
    append(all, check_package(here, daemon));
    append(all, check_configuration(here, tokens));
    append(all, check_state(here));
    append(all, check_service(here, daemon));
    append(all, port);
    append(all, check_tls(here, port));
    append(all, check_trust(here));
    append(all, check_browsers(here));
    append(all, check_card_service(tokens));
    append(all, check_readers(here, tokens));
    append(all, check_modules(tokens));
    append(all, check_tokens(tokens, daemon));
    append(all, check_keys(here, tokens));
    append(all, check_network(here));
    append(all, check_catalogue(here));
    append(all, check_window(here));
    return all;
}

void print_finding(Language language, Finding const& finding, std::ostream& out) {
    auto const& row = row_of(finding.cause);
    out << mark(row.state) << ' ' << row.hop() << ": " << sentence_of(language, finding) << '\n';
    if (auto const step = step_of(language, finding); !step.empty()) out << "       -> " << step << '\n';
    if (!finding.detail.empty()) out << "       (" << printable(finding.detail) << ")\n";
    if (finding.cause != Cause::readers_unknown_atr && finding.cause != Cause::readers_other_kind) return;
    std::istringstream row_lines{family_row_for(finding.second, finding.third)};
    for (std::string line; std::getline(row_lines, line);)
        out << "          " << line << '\n';
}

void print_findings(Language language, Findings const& findings, std::ostream& out) {
    for (auto const& finding : findings)
        print_finding(language, finding, out);
    out << '\n';
    auto const* const main = main_finding(findings);
    if (main == nullptr) {
        out << text(language, "Nothing is the matter.") << '\n';
        return;
    }
    out << text(language, "First of all: %1", {sentence_of(language, *main)}) << '\n'
        << text(language, "Code for the telephone: %1", {phone_code(main->cause)}) << '\n';
}

Tree tree_of(Surroundings const& here, Findings const& findings) {
    Tree tree;
    Tree::List list;
    for (auto const& finding : findings)
        list.push_back(tree_of(here.language, finding));
    tree.add("version", here.version).add("worst", name_of(worst_of(findings)));
    if (auto const* main = main_finding(findings)) {
        tree.add("main", row_of(main->cause).id).add("code", phone_code(main->cause));
    }
    tree.add("findings", Tree{std::move(list)});
    return tree;
}

int exit_code_of(Findings const& findings) {
    switch (worst_of(findings)) {
    case State::good: return 0;
    case State::unknown: return exit_unknown;
    case State::bad: return exit_bad;
    }
    return exit_bad;
}

int run_doctor(Surroundings const& here, DoctorRequest const& request, std::ostream& out, std::ostream& complaints) {
    auto findings = examine(here);
    auto const words = request.form == ReportForm::words;
    if (request.fix) {
        if (words) print_findings(here.language, findings, out);
        if (Repairs{here, request, complaints}.run(findings)) {
            if (words) out << '\n' << text(here.language, "After the repairs:") << '\n';
        } else if (words) {
            out << text(here.language, "Nothing was repaired.") << '\n';
            return exit_code_of(findings);
        }
    }
    if (request.sign_test) findings.push_back(test_signature(here));
    if (words)
        print_findings(here.language, findings, out);
    else
        out << printable_json(tree_of(here, findings)) << '\n';
    return exit_code_of(findings);
}

} // namespace tamga::cli

// `tamga doctor`: walks the way that a request takes and says of each hop whether it is good, and what to do.
#pragma once

#include "cli/doctor/finding.hpp"
#include "cli/doctor/surroundings.hpp"
#include "cli/report_form.hpp"

#include <functional>
#include <ostream>

namespace tamga::cli {

// Exit codes; docs/errors.md has the table.
inline constexpr int exit_bad = 1;
inline constexpr int exit_unknown = 3;

/// Everything. Blocks for some seconds, and for 10 more for each module that hangs.
[[nodiscard]] Findings examine(Surroundings const& here);

/// One finding: a mark, what was found, what to do, and what helps who helps.
void print_finding(Language language, Finding const& finding, std::ostream& out);
/// One line a finding, grouped by nothing: a mark, what was found, what to do; at the end the code for the telephone.
void print_findings(Language language, Findings const& findings, std::ostream& out);
[[nodiscard]] Tree tree_of(Surroundings const& here, Findings const& findings);

/// 0 where everything is good, 3 where of something nothing is known, 1 where something is bad.
[[nodiscard]] int exit_code_of(Findings const& findings);

struct DoctorRequest {
    ReportForm form = ReportForm::words;
    bool fix = false;
    bool sign_test = false;
    /// Asked before each repair, with what it would do. In a test, or with --yes, it says yes.
    std::function<bool(std::string const& question)> agrees;
};

/// @return the exit code.
int run_doctor(Surroundings const& here, DoctorRequest const& request, std::ostream& out, std::ostream& complaints);

/// Prints what is known of readers, modules and tokens as TOML, without what names a person or one token: labels and
/// serial numbers are only as long as they are, certificates are left out. Never asks for a PIN. @return the exit code.
int dump_tokens(Surroundings const& here, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

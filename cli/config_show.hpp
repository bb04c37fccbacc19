// `tamga config show`: what is in effect on this computer, and which file says so. Changes nothing.
#pragma once

#include "cli/doctor/surroundings.hpp"
#include "cli/report_form.hpp"

#include <ostream>

namespace tamga::cli {

/// tamga.toml, modules.toml, publishers and authorities, value by value, each with its file. Blocking: runs
/// `tamga-token --settings`. @return the exit code: 0, or 1 where a file has a mistake, which `complaints` names.
int show_config(Surroundings const& here, ReportForm form, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

// What `tamga doctor --fix` does.
#pragma once

#include "cli/doctor/finding.hpp"
#include "cli/doctor/surroundings.hpp"

#include <vector>

namespace tamga::cli {

/// What could be repaired, each repair once, in the order in which it helps.
[[nodiscard]] std::vector<Fix> repairs_for(Findings const& findings);

/// What it would do, as a question.
[[nodiscard]] std::string question_about(Language language, Fix fix);

/// Does it. Blocking. Error: system, with the reason.
Result<void> repair(Surroundings const& here, Fix fix);

} // namespace tamga::cli

// One thing that `tamga doctor` found.
#pragma once

#include "base/tree.hpp"
#include "cli/doctor/causes.hpp"

#include <string>
#include <vector>

namespace tamga::cli {

struct Finding {
    Cause cause{};
    std::string first = {};  ///< %1 of the cause's words: a path, a program, a label
    std::string second = {}; ///< %2
    std::string detail = {}; ///< in English, for whoever helps
    std::string third = {};  ///< %3
};
using Findings = std::vector<Finding>;

/// What was found, and what to do next; the latter empty where nothing is to be done.
[[nodiscard]] std::string sentence_of(Language language, Finding const& finding);
[[nodiscard]] std::string step_of(Language language, Finding const& finding);

/// The finding that everything else may follow from: the first bad one on the way of a request, else the first of
/// which nothing is known, else none.
[[nodiscard]] Finding const* main_finding(Findings const& findings);

/// {hop, cause, state, code, says, step, detail, fix}.
[[nodiscard]] Tree tree_of(Language language, Finding const& finding);

} // namespace tamga::cli

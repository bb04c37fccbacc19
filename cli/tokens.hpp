// `tamga tokens`: what is plugged in, as the daemon sees it.
#pragma once

#include "base/text.hpp"
#include "base/tree.hpp"
#include "cli/doctor/finding.hpp"
#include "cli/report_form.hpp"

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>

namespace tamga::cli {

/// One line of a token that the daemon told of: its kind, its label, its number, and the state of its PIN.
[[nodiscard]] std::string token_line(Language language, Tree const& token);

struct TokensRequest {
    Language language{};
    std::filesystem::path socket;
    ReportForm form{};
    bool watch = false; ///< says what comes and goes, until the daemon ends
    /// Asked where there is no token: what keeps one from being seen. May take seconds.
    std::function<Findings()> why_none = [] { return Findings{}; };
};

/// Where there is no token, `complaints` say what keeps one from being seen; with `json` that stands in `findings` too.
/// @return the exit code (docs/errors.md): that of a failure where the empty list may be wrong.
int run_tokens(TokensRequest const& request, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

// `tamga tokens`: what is plugged in, as the daemon sees it.
#pragma once

#include "base/text.hpp"
#include "base/tree.hpp"
#include "cli/report_form.hpp"

#include <filesystem>
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
};

/// @return the exit code (docs/errors.md).
int run_tokens(TokensRequest const& request, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

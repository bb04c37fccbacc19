// `tamga tokens`: what is plugged in, as the daemon sees it.
#pragma once

#include "base/text.hpp"
#include "cli/report_form.hpp"

#include <filesystem>
#include <ostream>

namespace tamga::cli {

struct TokensRequest {
    Language language{};
    std::filesystem::path socket;
    ReportForm form{};
    bool watch = false; ///< says what comes and goes, until the daemon ends
};

/// @return the exit code (docs/errors.md).
int run_tokens(TokensRequest const& request, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

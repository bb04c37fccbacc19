// `tamga status`: whether the daemon answers, which one it is, and what is plugged in.
#pragma once

#include "base/text.hpp"
#include "cli/report_form.hpp"

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>

namespace tamga::cli {

struct StatusRequest {
    Language language{};
    std::filesystem::path socket;
    ReportForm form{};
    bool open = false; ///< shows the tokens in the browser too
    /// Has the person's browser open an address. False where there is none, or no display.
    std::function<bool(std::string const& url)> browse;
};

/// Blocks until the daemon has answered. @return the exit code (docs/errors.md).
int run_status(StatusRequest const& request, std::ostream& out, std::ostream& complaints);

/// Starts xdg-open, and waits until it has handed the address on: some seconds at most, unless the browser is its
/// child and stays. False where there is no display or no such program, or it fails.
[[nodiscard]] bool browse_with_xdg_open(std::string const& url);

} // namespace tamga::cli

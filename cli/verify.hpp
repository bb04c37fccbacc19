// `tamga verify`: what a signed file is worth, in words or as JSON.
#pragma once

#include "base/text.hpp"
#include "cli/report_form.hpp"
#include "signing/verify.hpp"

#include <filesystem>
#include <optional>
#include <ostream>

namespace tamga::cli {

struct VerifyRequest {
    Language language{};
    std::filesystem::path file;
    std::optional<std::filesystem::path> content;
    signing::VerifySettings settings;
    ReportForm form{};
};

/// Seconds since 1970 of YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ; nothing where it is neither, or no such day or time
/// exists.
[[nodiscard]] std::optional<std::int64_t> time_from(std::string const& text);

/// Says on `out` what was found (as JSON also what failed), and on `errors` why nothing was. Blocking.
/// @return the exit code: 0 when every signature is good, 1 when one is not or the file is no signed one, 2 for a
/// content beside XML, 3 when nothing is known against any and something is not known, 4 when a file cannot be opened
/// (docs/errors.md).
int run_verify(VerifyRequest const& request, std::ostream& out, std::ostream& errors);

} // namespace tamga::cli

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

/// Seconds since 1970 of YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ; nothing where it is neither.
[[nodiscard]] std::optional<std::int64_t> time_from(std::string const& text);

/// Says on `out` what was found. @return the exit code: 0 when every signature is good, 1 when one is not or the file
/// cannot be read as signed, 3 when nothing is known against any and something is not known (docs/errors.md).
int run_verify(VerifyRequest const& request, std::ostream& out);

} // namespace tamga::cli

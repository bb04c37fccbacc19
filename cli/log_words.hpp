// The daemon's log in plain words: a line of ours (base/log.hpp) becomes a sentence.
#pragma once

#include "base/text.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tamga::cli {

/// "tamga-web: request origin=\"https://egov.kz\" ms=96", taken apart.
struct LogLine {
    std::string program;
    std::string event;
    std::map<std::string, std::string, std::less<>> fields; ///< without their quotes

    /// A field; empty where it is not there.
    [[nodiscard]] std::string_view field(std::string_view name) const;
};

/// Nothing where it is no line of ours.
[[nodiscard]] std::optional<LogLine> parse_log_line(std::string_view line);

/// What happened, for a person. A line that nobody has words for is given as it is.
[[nodiscard]] std::string words_for(Language language, LogLine const& line, std::string_view as_it_is);

} // namespace tamga::cli

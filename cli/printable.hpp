// What other people wrote, on a terminal.
#pragma once

#include "base/tree.hpp"

#include <string>
#include <string_view>

namespace tamga::cli {

/// Text that others wrote, without what a terminal would obey.
[[nodiscard]] std::string printable(std::string_view text);

/// JSON in one line, in which everything that a terminal would obey or a reader be deceived by is escaped (RFC 8259
/// section 7): who reads it as JSON gets it as it was, but for octets that are no UTF-8, which become U+FFFD.
[[nodiscard]] std::string printable_json(Tree const& tree);

} // namespace tamga::cli

// What other people wrote, on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace tamga::cli {

/// Text that others wrote, without what a terminal would obey.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace tamga::cli

// Letters without their case, for searching.
#pragma once

#include <string>
#include <string_view>

namespace tamga::journal {

/// Latin letters of ASCII and Cyrillic ones, the Kazakh among them, made small; everything else stays, octets that are
/// no UTF-8 too.
[[nodiscard]] std::string folded(std::string_view text);

} // namespace tamga::journal

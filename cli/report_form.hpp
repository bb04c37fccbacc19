// How a command says what it found.
#pragma once

#include <cstdint>

namespace tamga::cli {

enum class ReportForm : std::uint8_t { words, json };

} // namespace tamga::cli

// JSON of other programs as a tree: policies and preferences of browsers, lines of the system's journal, our own
// messages to who asked for them.
#pragma once

#include "base/result.hpp"
#include "base/tree.hpp"

#include <cstdint>
#include <string_view>

namespace tamga::protocol {

/// What becomes of a value that a Tree has no place for: a fraction, or a number that is too large.
enum class Strange : std::uint8_t { left_out, refused };

/// The object in `text`, without its nulls. Blocking, linear in size.
/// Error: message_malformed (no JSON, no object, deeper than 64, more than 100 000 values, or a strange one refused).
Result<Tree> read_json(std::string_view text, Strange strange = Strange::left_out);

} // namespace tamga::protocol

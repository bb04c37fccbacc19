// JSON that other programs keep in files: policies and preferences of browsers.
#pragma once

#include "base/result.hpp"
#include "base/tree.hpp"

#include <string_view>

namespace tamga::protocol {

/// The object in `text`. What a Tree has no place for (null, fractions) is left out. Blocking, linear in size.
/// Error: message_malformed (no JSON, no object, deeper than 64, or more than 100 000 values).
Result<Tree> read_json(std::string_view text);

} // namespace tamga::protocol

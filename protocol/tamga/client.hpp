// The other half of tamga.v1: how a command of this computer asks, and reads what it is told.
#pragma once

#include "base/result.hpp"
#include "base/tree.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tamga::protocol::v1 {

/// One request as text.
[[nodiscard]] std::string request(std::int64_t id, std::string_view method, Tree const& params);

/// A message of the daemon: an object with `id` and `result` or `error`, or with `method` and `params`. Blocking,
/// linear in size. Error: message_malformed (no JSON object, or a value that is neither text, flag nor whole number).
Result<Tree> read_message(std::string_view text);

} // namespace tamga::protocol::v1

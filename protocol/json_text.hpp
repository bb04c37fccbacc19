// JSON as text, written without an intermediate value: no blanks, `</` as `<\/`.
#pragma once

#include "base/bytes.hpp"
#include "base/tree.hpp"

#include <string>
#include <string_view>

namespace tamga::protocol {

/// Appends `text` as a JSON string, quotes included.
void append_string(std::string& out, std::string_view text);

/// Appends the octets as a JSON string that holds base64 on one line.
void append_base64_string(std::string& out, View octets);

/// Appends the values as JSON, in their order.
void append_json(std::string& out, Tree const& tree);
[[nodiscard]] std::string json_of(Tree const& tree);

} // namespace tamga::protocol

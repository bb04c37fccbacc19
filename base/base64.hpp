// Base64 (RFC 4648, section 4) with the strictness of java.util.Base64, whose error texts pages compare.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>

namespace tamga {

/// Standard alphabet, padded, one line.
[[nodiscard]] std::string to_base64(View bytes);
/// The same, appended to `text`: for large documents, without an intermediate copy.
void append_base64(std::string& text, View bytes);
/// The same in lines of `columns` characters, each ended by '\n' (PEM has 64).
[[nodiscard]] std::string to_base64_lines(View bytes, std::size_t columns);

enum class Base64Whitespace : bool { refused, skipped };

/// Error: bad_base64, whose detail names the first wrong octet in hexadecimal ("2d"), or is empty for a wrong length.
Result<Bytes> from_base64(std::string_view text, Base64Whitespace whitespace = Base64Whitespace::refused);

} // namespace tamga

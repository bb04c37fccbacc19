// JSON as pages write it. NCALayer reads with org.json, which forgives much; strict JSON is tried first.
#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>

namespace tamga::protocol::ncalayer {

/// The value of `text`, which is freed before this returns. Where strict JSON (RFC 8259) fails, the text is rewritten
/// from org.json's relaxed form first: unquoted keys and values, single quotes, `;` for `,`, `=` and `=>` for `:`, a
/// comma before a closing bracket. Nesting ends at 64, and there are at most 100 000 values. Error: bad_request, also
/// for invalid UTF-8.
Result<boost::json::value> parse_json(std::string text);

/// Relaxed JSON as strict JSON; what is inside strings is judged by the strict parser afterwards. Error: bad_request.
Result<std::string> strict_json(std::string_view relaxed);

} // namespace tamga::protocol::ncalayer

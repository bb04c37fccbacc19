// JSON as RFC 8259 has it, within limits that a page cannot stretch.
#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <string_view>

namespace tamga::protocol {

/// The value of `text`: at most `max_depth` deep and 100 000 values. Of a member that comes twice the last counts.
/// Blocking, linear in size. Error: bad_request, also for invalid UTF-8.
Result<boost::json::value> parse_strict_json(std::string_view text, std::size_t max_depth);

} // namespace tamga::protocol

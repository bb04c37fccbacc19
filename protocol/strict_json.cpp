#include "protocol/strict_json.hpp"

namespace tamga::protocol {

namespace {

namespace json = boost::json;

/// Ten times what the largest batch has. Two octets of text make a value of 24, so the size of a frame is no limit.
constexpr std::size_t max_values = 100'000;

bool has_too_many_values(std::string_view text) {
    std::size_t values = 0;
    for (std::size_t at = 0; (at = text.find_first_of("\",[{", at)) != std::string_view::npos; ++at) {
        if (text[at] != '"') {
            if (++values > max_values) return true;
            continue;
        }
        std::size_t escapes = 0;
        do {
            at = text.find('"', at + 1);
            if (at == std::string_view::npos) return false;
            escapes = at - 1 - text.find_last_not_of('\\', at - 1);
        } while (escapes % 2 != 0);
    }
    return false;
}

} // namespace

Result<json::value> parse_strict_json(std::string_view text, std::size_t max_depth) {
    if (has_too_many_values(text)) return Error{Errc::bad_request, "too many values"};
    json::parse_options options;
    options.max_depth = max_depth;
    json::error_code failure;
    auto value = json::parse(text, failure, {}, options);
    if (failure) return Error{Errc::bad_request, failure.message()};
    return value;
}

} // namespace tamga::protocol

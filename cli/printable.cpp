#include "cli/printable.hpp"

#include "base/utf8.hpp"
#include "protocol/json_text.hpp"

#include <cstdio>

namespace tamga::cli {

namespace {

constexpr std::uint32_t replacement = 0xfffd;

void append_unit(std::string& out, unsigned unit) {
    char digits[8] = "";
    std::snprintf(digits, sizeof digits, "\\u%04x", unit);
    out += digits;
}

/// As one UTF-16 unit, or two.
void append_escaped(std::string& out, std::uint32_t code) {
    constexpr std::uint32_t above = 0x10000;
    if (code < above) return append_unit(out, code);
    append_unit(out, 0xd800 + ((code - above) >> 10));
    append_unit(out, 0xdc00 + ((code - above) & 0x3ff));
}

} // namespace

std::string printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        auto const character = first_character(text);
        if (character.valid && !is_deceptive(character.code))
            shown += text.substr(0, character.size);
        else
            shown += '?';
        text.remove_prefix(character.size);
    }
    return shown;
}

std::string printable_json(Tree const& tree) {
    std::string shown;
    auto const json = protocol::json_of(tree);
    for (std::string_view rest = json; !rest.empty();) {
        auto const character = first_character(rest);
        if (character.valid && !is_deceptive(character.code))
            shown += rest.substr(0, character.size);
        else
            append_escaped(shown, character.valid ? character.code : replacement);
        rest.remove_prefix(character.size);
    }
    return shown;
}

} // namespace tamga::cli

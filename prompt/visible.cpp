#include "prompt/visible.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tamga::prompt {

namespace {

void append_escape(std::string& out, Character character) {
    std::array<char, 20> buffer{};
    std::snprintf(buffer.data(), buffer.size(), character.valid ? "‹U+%04X›" : "‹%02X›",
                  static_cast<unsigned>(character.code));
    out += buffer.data();
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        auto const character = first_character(text);
        if (!character.valid) return false;
        text.remove_prefix(character.size);
    }
    return true;
}

std::string visible_text(std::string_view text, std::size_t limit) {
    std::string out;
    out.reserve(std::min(text.size(), limit * 2));
    for (std::size_t count = 0; !text.empty() && count < limit; ++count) {
        auto const character = first_character(text);
        bool const line_end = text.front() == '\n' || text.starts_with("\r\n");
        if (character.valid && (line_end || character.code == '\t' || !is_deceptive(character.code))) {
            if (!(line_end && text.front() == '\r')) out += text.substr(0, character.size);
        } else
            append_escape(out, character);
        text.remove_prefix(character.size);
    }
    return out;
}

std::string visible_line(std::string_view text) {
    std::string out;
    for (std::size_t count = 0; !text.empty(); ++count) {
        if (count == 200) return out + "…";
        auto const character = first_character(text);
        if (character.valid && !is_deceptive(character.code))
            out += text.substr(0, character.size);
        else
            append_escape(out, character);
        text.remove_prefix(character.size);
    }
    return out;
}

std::string visible_origin(std::string_view origin) {
    std::string out;
    while (!origin.empty()) {
        auto const character = first_character(origin);
        if (character.valid && character.code > 0x20 && character.code < 0x7F)
            out += origin.front();
        else
            append_escape(out, character);
        origin.remove_prefix(character.size);
    }
    return out;
}

} // namespace tamga::prompt

#include "prompt/visible.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace tamga::prompt {

namespace {

/// A decoded character; `valid` is false for a stray octet, which then stands in `code`.
struct Character {
    std::uint32_t code = 0;
    std::size_t size = 1;
    bool valid = false;
};

/// RFC 3629: shortest form only, no surrogates, at most U+10FFFF.
Character first_of(std::string_view text) noexcept {
    auto const lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1, true};
    std::size_t const size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {lead, 1, false};
    auto code = static_cast<std::uint32_t>(lead) & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        auto const octet = static_cast<unsigned char>(text[i]);
        if ((octet & 0xC0) != 0x80) return {lead, 1, false};
        code = code << 6 | (octet & 0x3FU);
    }
    std::array<std::uint32_t, 5> constexpr smallest{0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {lead, 1, false};
    return {code, size, true};
}

/// Characters that are not seen, or that change how their neighbours are seen.
bool is_deceptive(std::uint32_t code) noexcept {
    struct Range {
        std::uint32_t first;
        std::uint32_t last;
    };
    std::array<Range, 20> constexpr ranges{{
        {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},
        {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},
        {0x2060, 0x206F}, {0x2800, 0x2800}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    }};
    return std::any_of(ranges.begin(), ranges.end(),
                       [code](Range range) { return code >= range.first && code <= range.last; });
}

void append_escape(std::string& out, Character character) {
    std::array<char, 20> buffer{};
    std::snprintf(buffer.data(), buffer.size(), character.valid ? "‹U+%04X›" : "‹%02X›",
                  static_cast<unsigned>(character.code));
    out += buffer.data();
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        auto const character = first_of(text);
        if (!character.valid) return false;
        text.remove_prefix(character.size);
    }
    return true;
}

std::string visible_text(std::string_view text, std::size_t limit) {
    std::string out;
    out.reserve(std::min(text.size(), limit * 2));
    for (std::size_t count = 0; !text.empty() && count < limit; ++count) {
        auto const character = first_of(text);
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
        auto const character = first_of(text);
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
        auto const character = first_of(origin);
        if (character.valid && character.code > 0x20 && character.code < 0x7F)
            out += origin.front();
        else
            append_escape(out, character);
        origin.remove_prefix(character.size);
    }
    return out;
}

} // namespace tamga::prompt

#include "base/utf8.hpp"

#include <algorithm>
#include <array>

namespace tamga {

Character first_character(std::string_view text) noexcept {
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

} // namespace tamga

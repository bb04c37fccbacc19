#include "journal/fold.hpp"

#include <cstdint>

namespace tamga::journal {

namespace {

/// Unicode 15, Cyrillic and Cyrillic Supplement.
std::uint32_t small(std::uint32_t letter) {
    if (letter >= 0x400 && letter < 0x410) return letter + 0x50;
    if (letter >= 0x410 && letter < 0x430) return letter + 0x20;
    bool const in_pairs = (letter >= 0x460 && letter < 0x4c0) || (letter >= 0x4d0 && letter < 0x530);
    return in_pairs && letter % 2 == 0 ? letter + 1 : letter;
}

} // namespace

std::string folded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const first = static_cast<unsigned char>(text[i]);
        // All of these letters take two octets.
        bool const pair = (first & 0xe0U) == 0xc0U && i + 1 < text.size();
        if (!pair) {
            out += first >= 'A' && first <= 'Z' ? static_cast<char>(first + 32) : text[i];
            continue;
        }
        auto const second = static_cast<unsigned char>(text[++i]);
        auto const letter = small(((first & 0x1fU) << 6U) | (second & 0x3fU));
        out += static_cast<char>(0xc0U | (letter >> 6U));
        out += static_cast<char>((second & 0xc0U) | (letter & 0x3fU));
    }
    return out;
}

} // namespace tamga::journal

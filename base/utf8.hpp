// UTF-8 that others wrote, character by character: what is valid, and what a person could be deceived by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tamga {

/// A decoded character; `valid` is false for a stray octet, which then stands in `code`.
struct Character {
    std::uint32_t code = 0;
    std::size_t size = 1; ///< octets
    bool valid = false;
};

/// The first character of `text`, which is not empty. RFC 3629: shortest form only, no surrogates, at most U+10FFFF.
[[nodiscard]] Character first_character(std::string_view text) noexcept;

/// Whether a character is not seen, or changes how its neighbours are seen: controls (line feed and tab included),
/// bidirectional controls, invisible characters, line separators.
[[nodiscard]] bool is_deceptive(std::uint32_t code) noexcept;

} // namespace tamga

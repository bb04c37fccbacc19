// Octets, owned and borrowed. Used by every layer.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tamga {

using Bytes = std::vector<unsigned char>;
using View = std::span<unsigned char const>;

/// The octets of `text`, borrowed: valid as long as `text` is.
[[nodiscard]] inline View as_view(std::string_view text) noexcept {
    return {reinterpret_cast<unsigned char const*>(text.data()), text.size()};
}

/// The octets of `bytes` read as text, borrowed; says nothing about their encoding.
[[nodiscard]] inline std::string_view as_text(View bytes) noexcept {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes to_bytes(View bytes) {
    return {bytes.begin(), bytes.end()};
}

/// Lower-case hexadecimal, two digits an octet.
[[nodiscard]] inline std::string to_hex(View bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (auto const octet : bytes) {
        text += digits[octet >> 4];
        text += digits[octet & 15];
    }
    return text;
}

} // namespace tamga

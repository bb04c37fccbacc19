#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace tamga {

namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t not_a_digit = 0xff;

constexpr std::array<std::uint8_t, 256> digits = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(not_a_digit);
    for (std::uint8_t i = 0; i < 64; ++i)
        table[static_cast<unsigned char>(alphabet[i])] = i;
    return table;
}();

constexpr bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

} // namespace

void append_base64(std::string& text, View bytes) {
    auto const start = text.size();
    text.resize(start + (bytes.size() + 2) / 3 * 4);
    auto* out = text.data() + start;
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        auto const group = static_cast<std::uint32_t>(bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]);
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = alphabet[group >> 6 & 63];
        *out++ = alphabet[group & 63];
    }
    if (auto const left = bytes.size() - i; left != 0) {
        auto const group = static_cast<std::uint32_t>(bytes[i] << 16 | (left == 2 ? bytes[i + 1] << 8 : 0));
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left == 2 ? alphabet[group >> 6 & 63] : '=';
        *out++ = '=';
    }
}

std::string to_base64(View bytes) {
    std::string text;
    append_base64(text, bytes);
    return text;
}

std::string to_base64_lines(View bytes, std::size_t columns) {
    auto const octets_per_line = columns / 4 * 3;
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4 + bytes.size() / octets_per_line + 1);
    for (std::size_t i = 0; i < bytes.size(); i += octets_per_line) {
        append_base64(text, bytes.subspan(i, std::min(octets_per_line, bytes.size() - i)));
        text += '\n';
    }
    return text;
}

Result<Bytes> from_base64(std::string_view text, Base64Whitespace whitespace) {
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t group = 0;
    unsigned digits_in_group = 0;
    std::size_t padding = 0;
    for (char const c : text) {
        if (whitespace == Base64Whitespace::skipped && is_space(c)) continue;
        auto const octet = static_cast<unsigned char>(c);
        if (c == '=') {
            ++padding;
            continue;
        }
        if (padding != 0 || digits[octet] == not_a_digit) return Error{Errc::bad_base64, to_hex(View{&octet, 1})};
        group = group << 6 | digits[octet];
        if (++digits_in_group == 4) {
            bytes.push_back(static_cast<unsigned char>(group >> 16));
            bytes.push_back(static_cast<unsigned char>(group >> 8));
            bytes.push_back(static_cast<unsigned char>(group));
            group = 0;
            digits_in_group = 0;
        }
    }
    // Java's decoder takes a missing padding, never a wrong one or a single left-over digit.
    if (digits_in_group == 1 || (padding != 0 && digits_in_group + padding != 4) || padding > 2)
        return Errc::bad_base64;
    if (digits_in_group == 2) bytes.push_back(static_cast<unsigned char>(group >> 4));
    if (digits_in_group == 3) {
        bytes.push_back(static_cast<unsigned char>(group >> 10));
        bytes.push_back(static_cast<unsigned char>(group >> 2));
    }
    return bytes;
}

} // namespace tamga

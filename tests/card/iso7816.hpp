// The words of ISO/IEC 7816-4 that the virtual card speaks: commands, status words, tagged values.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace tamga::card {

/// SW1 SW2. Those of table 6 in ISO/IEC 7816-4, and two that this family of cards has for itself.
enum class StatusWord : std::uint16_t {
    ok = 0x9000,
    wrong_pin = 0x6300,
    tries_left = 0x63c0, ///< and the number in the last four bits
    wrong_length = 0x6700,
    wrong_file_kind = 0x6981,
    not_allowed = 0x6982,
    pin_blocked = 0x6983,
    no_current_file = 0x6986,
    wrong_data = 0x6a80,
    unsupported = 0x6a81,
    file_not_found = 0x6a82,
    not_enough_room = 0x6a84,
    wrong_parameters = 0x6a86,
    reference_not_found = 0x6a88,
    file_exists = 0x6a89,
    outside_file = 0x6b00,
    unknown_instruction = 0x6d00,
    unknown_class = 0x6e00,
    failure = 0x6f00,
    already_logged_in = 0x6f86, ///< of its own: log out first
};

/// A command APDU of the short form: lengths of one octet, as the real cards have.
struct Command {
    unsigned char cla = 0;
    unsigned char ins = 0;
    unsigned char p1 = 0;
    unsigned char p2 = 0;
    Bytes data;
    std::optional<std::size_t> le;

    /// More of the same command follows (ISO/IEC 7816-4 section 5.1.1.1).
    [[nodiscard]] bool is_chained() const noexcept { return (cla & 0x10) != 0; }
    [[nodiscard]] std::uint16_t parameters() const noexcept { return static_cast<std::uint16_t>(p1 << 8 | p2); }
};

/// Nothing where the lengths do not fit the octets.
[[nodiscard]] std::optional<Command> parse_command(View apdu);

[[nodiscard]] Bytes answer(StatusWord status);
[[nodiscard]] Bytes answer(Bytes data);

struct Tagged {
    unsigned char tag = 0;
    View value;
};

/// Tag, length and value, one octet each for the former two. Nothing where a length reaches beyond the end.
[[nodiscard]] std::optional<std::vector<Tagged>> parse_tagged(View octets);
void append_tagged(Bytes& out, unsigned char tag, View value);

/// Two octets, the more significant first.
[[nodiscard]] constexpr std::uint16_t big_endian(View two) noexcept {
    return static_cast<std::uint16_t>(two[0] << 8 | two[1]);
}
void append_big_endian(Bytes& out, std::uint16_t number);

} // namespace tamga::card

#include "tests/card/iso7816.hpp"

namespace tamga::card {

namespace {

/// An Le of zero asks for as much as an octet can count.
std::size_t expected_length(unsigned char le) {
    return le == 0 ? 256 : le;
}

} // namespace

std::optional<Command> parse_command(View apdu) {
    if (apdu.size() < 4) return std::nullopt;
    Command command{apdu[0], apdu[1], apdu[2], apdu[3], {}, {}};
    auto const rest = apdu.subspan(4);
    if (rest.empty()) return command;
    if (rest.size() == 1) {
        command.le = expected_length(rest[0]);
        return command;
    }
    std::size_t const length = rest[0];
    if (length == 0 || rest.size() < 1 + length || rest.size() > 2 + length) return std::nullopt;
    command.data = to_bytes(rest.subspan(1, length));
    if (rest.size() == 2 + length) command.le = expected_length(rest.back());
    return command;
}

void append_big_endian(Bytes& out, std::uint16_t number) {
    out.push_back(static_cast<unsigned char>(number >> 8));
    out.push_back(static_cast<unsigned char>(number & 0xff));
}

Bytes answer(Bytes data) {
    append_big_endian(data, static_cast<std::uint16_t>(StatusWord::ok));
    return data;
}

Bytes answer(StatusWord status) {
    Bytes octets;
    append_big_endian(octets, static_cast<std::uint16_t>(status));
    return octets;
}

std::optional<std::vector<Tagged>> parse_tagged(View octets) {
    std::vector<Tagged> all;
    while (!octets.empty()) {
        if (octets.size() < 2 || octets.size() < 2U + octets[1]) return std::nullopt;
        all.push_back({octets[0], octets.subspan(2, octets[1])});
        octets = octets.subspan(2U + octets[1]);
    }
    return all;
}

void append_tagged(Bytes& out, unsigned char tag, View value) {
    out.push_back(tag);
    out.push_back(static_cast<unsigned char>(value.size()));
    out.insert(out.end(), value.begin(), value.end());
}

} // namespace tamga::card

#include "signing/gost34311.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace tamga::signing {

namespace {

// Numbers are little-endian throughout: word 0 holds the first octets of a block.
using Words = std::array<std::uint64_t, 4>;
using Octets = std::array<unsigned char, 32>;

/// RFC 4357 section 11.2: row i replaces the i-th four bits from below.
constexpr unsigned char boxes[8][16] = {
    {4, 10, 9, 2, 13, 8, 0, 14, 6, 11, 1, 12, 7, 15, 5, 3}, {14, 11, 4, 12, 6, 13, 15, 10, 2, 3, 8, 1, 0, 7, 5, 9},
    {5, 8, 1, 13, 10, 3, 4, 2, 14, 15, 12, 7, 6, 0, 9, 11}, {7, 13, 10, 1, 0, 8, 9, 15, 14, 4, 6, 12, 11, 2, 5, 3},
    {6, 12, 7, 1, 5, 15, 13, 8, 4, 10, 9, 14, 0, 3, 11, 2}, {4, 11, 10, 0, 7, 2, 1, 13, 3, 6, 8, 5, 9, 12, 15, 14},
    {13, 11, 4, 1, 3, 15, 5, 9, 0, 10, 14, 7, 6, 8, 2, 12}, {1, 15, 13, 0, 5, 7, 10, 4, 9, 2, 3, 14, 6, 11, 8, 12}};

/// Two boxes at once, with the rotation by 11 that follows them.
constexpr auto replacement = [] {
    std::array<std::array<std::uint32_t, 256>, 4> tables{};
    for (unsigned octet = 0; octet < 4; ++octet) {
        for (unsigned value = 0; value < 256; ++value) {
            std::uint32_t const low = boxes[2 * octet][value & 15];
            std::uint32_t const high = boxes[2 * octet + 1][value >> 4];
            tables[octet][value] = std::rotl((high << 4 | low) << (8 * octet), 11);
        }
    }
    return tables;
}();

constexpr std::uint32_t replaced(std::uint32_t word) noexcept {
    return replacement[0][word & 255] ^ replacement[1][word >> 8 & 255] ^ replacement[2][word >> 16 & 255] ^
           replacement[3][word >> 24];
}

Words words_of(Octets const& octets) noexcept {
    Words words{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        words[i / 8] |= std::uint64_t{octets[i]} << (8 * (i % 8));
    return words;
}

Octets octets_of(Words const& words) noexcept {
    Octets octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = static_cast<unsigned char>(words[i / 8] >> (8 * (i % 8)));
    return octets;
}

Words operator^(Words const& one, Words const& other) noexcept {
    return {one[0] ^ other[0], one[1] ^ other[1], one[2] ^ other[2], one[3] ^ other[3]};
}

/// GOST 28147-89 in simple replacement (RFC 5830 section 5): eight parts of the key, three times up and once down.
std::uint64_t encrypt(std::array<std::uint32_t, 8> const& key, std::uint64_t block) noexcept {
    auto low = static_cast<std::uint32_t>(block);
    auto high = static_cast<std::uint32_t>(block >> 32);
    for (unsigned round = 0; round < 32; ++round) {
        auto const part = key[round < 24 ? round % 8 : 31 - round];
        auto const next = high ^ replaced(low + part);
        high = low;
        low = next;
    }
    return std::uint64_t{low} << 32 | high;
}

Words shifted(Words const& y) noexcept {
    return {y[1], y[2], y[3], y[0] ^ y[1]};
}

/// The permutation P of RFC 5831 section 5.1.
std::array<std::uint32_t, 8> key_of(Words const& w) noexcept {
    auto const octets = octets_of(w);
    std::array<std::uint32_t, 8> key{};
    for (unsigned part = 0; part < 8; ++part) {
        for (unsigned i = 0; i < 4; ++i)
            key[part] |= std::uint32_t{octets[8 * i + part]} << (8 * i);
    }
    return key;
}

/// The map psi of RFC 5831 section 5.3, `times` times: a shift register of sixteen words.
Words mixed(Words const& block, unsigned times) noexcept {
    std::array<std::uint16_t, 16> y{};
    for (std::size_t i = 0; i < y.size(); ++i)
        y[i] = static_cast<std::uint16_t>(block[i / 4] >> (16 * (i % 4)));
    for (; times > 0; --times) {
        auto const next = static_cast<std::uint16_t>(y[0] ^ y[1] ^ y[2] ^ y[3] ^ y[12] ^ y[15]);
        std::copy(y.begin() + 1, y.end(), y.begin());
        y[15] = next;
    }
    Words result{};
    for (std::size_t i = 0; i < y.size(); ++i)
        result[i / 4] |= std::uint64_t{y[i]} << (16 * (i % 4));
    return result;
}

/// The step function of RFC 5831 section 5.
Words step(Words const& hash, Words const& message) noexcept {
    static constexpr Words third_constant{0xff00ff00ff00ff00, 0x00ff00ff00ff00ff, 0xff0000ff00ffff00,
                                          0xff00ffff000000ff};
    auto u = hash;
    auto v = message;
    Words encrypted{};
    for (std::size_t i = 0; i < encrypted.size(); ++i) {
        if (i > 0) u = shifted(u);
        if (i == 2) u = u ^ third_constant;
        if (i > 0) v = shifted(shifted(v));
        encrypted[i] = encrypt(key_of(u ^ v), hash[i]);
    }
    return mixed(hash ^ mixed(message ^ mixed(encrypted, 12), 1), 61);
}

/// Addition of 256-bit numbers.
Words sum(Words const& one, Words const& other) noexcept {
    Words result{};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
        auto const partial = one[i] + carry;
        carry = partial < carry ? 1U : 0U;
        result[i] = partial + other[i];
        carry += result[i] < partial ? 1U : 0U;
    }
    return result;
}

} // namespace

Bytes gost34311(View octets) {
    Words hash{};
    Words checksum{};
    auto const size = octets.size();
    while (!octets.empty()) {
        Octets padded{};
        auto const part = octets.first(std::min(octets.size(), padded.size()));
        std::copy(part.begin(), part.end(), padded.begin());
        auto const block = words_of(padded);
        hash = step(hash, block);
        checksum = sum(checksum, block);
        octets = octets.subspan(part.size());
    }
    hash = step(hash, {std::uint64_t{size} * 8, 0, 0, 0});
    auto const value = octets_of(step(hash, checksum));
    return {value.begin(), value.end()};
}

} // namespace tamga::signing

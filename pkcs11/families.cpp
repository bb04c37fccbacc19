#include "pkcs11/families.hpp"

#include <algorithm>
#include <array>

namespace tamga::pkcs11 {

namespace {

constexpr std::array<std::string_view, 6> storages{"AKKaztokenStore",   "AKKZIDCardStore", "AKEToken72KStore",
                                                   "AKEToken5110Store", "AKJaCartaStore",  "AKAKEYStore"};

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// 0 to 15, or nothing where it is no hexadecimal digit.
std::optional<unsigned char> half_octet(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned char>(digit - '0');
    auto const letter = lower(digit);
    if (letter >= 'a' && letter <= 'f') return static_cast<unsigned char>(letter - 'a' + 10);
    return std::nullopt;
}

Family other_row(std::string storage) {
    Family other;
    other.id = other_family;
    other.storage = std::move(storage);
    other.name = {"Белгісіз токен", "Неизвестный токен", "Unknown token"};
    return other;
}

} // namespace

bool is_token_storage(std::string_view name) noexcept {
    return std::find(storages.begin(), storages.end(), name) != storages.end();
}

std::string token_storages() {
    std::string text;
    for (auto const storage : storages)
        text.append(text.empty() ? "" : ", ").append(storage);
    return text;
}

std::optional<AtrPattern> AtrPattern::parse(std::string_view text) {
    constexpr std::size_t shortest = 2;
    constexpr std::size_t longest = 33;
    AtrPattern pattern;
    bool second_half = false;
    for (char const digit : text) {
        if (digit == ' ' || digit == ':') {
            if (second_half) return std::nullopt;
            continue;
        }
        auto const value = half_octet(digit);
        if (!value && digit != '?') return std::nullopt;
        if (!second_half) {
            pattern.m_value.push_back(0);
            pattern.m_mask.push_back(0);
        }
        auto const shift = second_half ? 0 : 4;
        pattern.m_value.back() |= static_cast<unsigned char>(value.value_or(0) << shift);
        pattern.m_mask.back() |= static_cast<unsigned char>((value ? 0xf : 0) << shift);
        second_half = !second_half;
    }
    if (second_half || pattern.m_value.size() < shortest || pattern.m_value.size() > longest) return std::nullopt;
    return pattern;
}

bool AtrPattern::matches(View atr) const noexcept {
    if (atr.size() != m_value.size()) return false;
    for (std::size_t i = 0; i < atr.size(); ++i) {
        if ((atr[i] & m_mask[i]) != m_value[i]) return false;
    }
    return true;
}

/// The usual two pointers: after a "*" the text is tried again one character further. Never more than the product of
/// the lengths.
bool matches_text(std::string_view pattern, std::string_view text) noexcept {
    if (pattern.empty()) return true;
    std::size_t at = 0;
    std::size_t in = 0;
    auto star = pattern.npos;
    std::size_t resumed = 0;
    while (in < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            resumed = in;
        } else if (at < pattern.size() && lower(pattern[at]) == lower(text[in])) {
            ++at;
            ++in;
        } else if (star != pattern.npos) {
            at = star + 1;
            in = ++resumed;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == pattern.npos;
}

bool Family::has_atr(View atr) const noexcept {
    return std::any_of(atrs.begin(), atrs.end(), [&](auto const& pattern) { return pattern.matches(atr); });
}

bool Family::has_strings(Seen const& seen) const noexcept {
    return std::any_of(tokens.begin(), tokens.end(), [&](auto const& pattern) {
        return matches_text(pattern.manufacturer, seen.manufacturer) && matches_text(pattern.model, seen.model) &&
               matches_text(pattern.reader, seen.reader);
    });
}

bool Family::is_default_pin(View pin) const noexcept {
    return std::any_of(default_pins.begin(), default_pins.end(), [&](auto const& delivered) {
        auto const octets = as_view(delivered);
        return std::equal(octets.begin(), octets.end(), pin.begin(), pin.end());
    });
}

Families::Families(std::vector<Family> rows, std::vector<std::filesystem::path> opensc_modules,
                   std::string other_storage)
    : m_rows{std::move(rows)},
      m_opensc_modules{std::move(opensc_modules)},
      m_other{other_row(std::move(other_storage))} {}

Family const& Families::classify(Seen const& seen) const noexcept {
    Family const* by_atr = nullptr;
    Family const* by_strings = nullptr;
    for (auto const& row : m_rows) {
        auto const strings = row.has_strings(seen);
        auto const atr = !seen.atr.empty() && row.has_atr(seen.atr);
        if (atr && strings) return row;
        if (atr && by_atr == nullptr) by_atr = &row;
        if (strings && by_strings == nullptr) by_strings = &row;
    }
    return by_atr != nullptr ? *by_atr : by_strings != nullptr ? *by_strings : m_other;
}

Family const* Families::find(std::string_view id) const noexcept {
    auto const row = std::find_if(m_rows.begin(), m_rows.end(), [&](auto const& family) { return family.id == id; });
    return row == m_rows.end() ? nullptr : &*row;
}

} // namespace tamga::pkcs11

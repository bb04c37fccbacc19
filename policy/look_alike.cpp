// Look-alikes of known hosts. A false alarm costs a line in a window, a miss costs more: so the tests are coarse.
#include "policy/origin.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace tamga::policy {

namespace {

/// One label decoded (RFC 3492, section 6.2, with its section 5 constants); nothing where it is not Punycode.
std::optional<std::u32string> from_punycode(std::string_view text) {
    constexpr std::uint32_t base = 36, tmin = 1, tmax = 26, skew = 38, damp = 700, limit = 0x10ffff;
    std::u32string output;
    if (auto const dash = text.rfind('-'); dash != std::string_view::npos) {
        output.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dash));
        text.remove_prefix(dash + 1);
    }
    std::uint32_t code = 128, bias = 72;
    std::uint64_t place = 0;
    while (!text.empty()) {
        auto const before = place;
        std::uint64_t weight = 1;
        for (std::uint32_t k = base;; k += base) {
            if (text.empty()) return std::nullopt;
            auto const c = text.front();
            text.remove_prefix(1);
            auto const digit = c >= 'a' && c <= 'z' ? c - 'a' : c >= '0' && c <= '9' ? c - '0' + 26 : -1;
            if (digit < 0) return std::nullopt;
            place += static_cast<std::uint64_t>(digit) * weight;
            if (place > std::uint64_t{limit} * 64) return std::nullopt;
            auto const threshold = k <= bias ? tmin : std::min(k - bias, tmax);
            if (static_cast<std::uint32_t>(digit) < threshold) break;
            weight *= base - threshold;
        }
        auto const count = output.size() + 1;
        auto delta = (place - before) / (before == 0 ? damp : 2);
        delta += delta / count;
        std::uint32_t k = 0;
        for (; delta > (base - tmin) * tmax / 2; k += base)
            delta /= base - tmin;
        bias = k + static_cast<std::uint32_t>((base - tmin + 1) * delta / (delta + skew));
        if (code + place / count > limit) return std::nullopt;
        code += static_cast<std::uint32_t>(place / count);
        place %= count;
        output.insert(output.begin() + static_cast<std::ptrdiff_t>(place), char32_t{code});
        ++place;
    }
    return output;
}

/// Characters that look like a Latin letter in most fonts (a selection of Unicode's confusables for Cyrillic, Greek,
/// Latin with marks, and digits).
constexpr std::pair<char32_t, char> confusables[] = {
    {U'а', 'a'}, {U'ә', 'e'}, {U'ӕ', 'a'}, {U'в', 'b'}, {U'ь', 'b'}, {U'с', 'c'}, {U'ԁ', 'd'}, {U'е', 'e'}, {U'ё', 'e'},
    {U'є', 'e'}, {U'ғ', 'f'}, {U'ԍ', 'g'}, {U'г', 'r'}, {U'һ', 'h'}, {U'н', 'h'}, {U'і', 'i'}, {U'ї', 'i'}, {U'ӏ', 'l'},
    {U'ј', 'j'}, {U'к', 'k'}, {U'қ', 'k'}, {U'м', 'm'}, {U'п', 'n'}, {U'ո', 'n'}, {U'о', 'o'}, {U'ө', 'o'}, {U'р', 'p'},
    {U'ԛ', 'q'}, {U'ѕ', 's'}, {U'т', 't'}, {U'ս', 'u'}, {U'ѵ', 'v'}, {U'ν', 'v'}, {U'ԝ', 'w'}, {U'х', 'x'}, {U'ҳ', 'x'},
    {U'у', 'y'}, {U'ү', 'y'}, {U'ұ', 'y'}, {U'з', 'z'}, {U'α', 'a'}, {U'ο', 'o'}, {U'ρ', 'p'}, {U'ι', 'i'}, {U'κ', 'k'},
    {U'ė', 'e'}, {U'é', 'e'}, {U'è', 'e'}, {U'ê', 'e'}, {U'ē', 'e'}, {U'ę', 'e'}, {U'ẹ', 'e'}, {U'ġ', 'g'}, {U'ğ', 'g'},
    {U'ɡ', 'g'}, {U'ó', 'o'}, {U'ò', 'o'}, {U'ö', 'o'}, {U'ō', 'o'}, {U'ọ', 'o'}, {U'ķ', 'k'}, {U'ż', 'z'}, {U'ź', 'z'},
    {U'ž', 'z'}, {U'ı', 'i'}, {U'í', 'i'}, {U'á', 'a'}, {U'à', 'a'}, {U'ä', 'a'}, {U'ș', 's'}, {U'ş', 's'}, {U'ú', 'u'},
    {U'0', 'o'}, {U'1', 'l'}, {U'3', 'e'}, {U'5', 's'}, {U'9', 'g'},
};

char plain(char32_t c) {
    if (c >= U'A' && c <= U'Z') c += 32;
    auto const* entry =
        std::find_if(std::begin(confusables), std::end(confusables), [&](auto const& pair) { return pair.first == c; });
    if (entry != std::end(confusables)) return entry->second;
    return c < 128 ? static_cast<char>(c) : '?';
}

std::string lower(std::string_view text) {
    std::string result{text};
    for (auto& c : result)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return result;
}

/// A host as the eye reads it: lower case, Punycode decoded, look-alike letters made Latin, no trailing dot.
std::string skeleton(std::string_view host) {
    auto const text = lower(host);
    std::string result;
    std::string_view rest = text;
    while (!rest.empty()) {
        auto const end = std::min(rest.find('.'), rest.size());
        auto const label = rest.substr(0, end);
        auto const decoded = label.starts_with("xn--") ? from_punycode(label.substr(4)) : std::nullopt;
        if (decoded)
            std::transform(decoded->begin(), decoded->end(), std::back_inserter(result), plain);
        else
            std::transform(label.begin(), label.end(), std::back_inserter(result),
                           [](char c) { return plain(static_cast<unsigned char>(c)); });
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!rest.empty()) result += '.';
    }
    return result;
}

/// Insertions, deletions, replacements and swaps of neighbours between `a` and `b` (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last, last, row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before_last = std::exchange(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            auto const swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

/// Neighbours in a zone of at least two labels, such as a.gov.kz and b.gov.kz: whoever gives out names there gave both.
bool same_zone(std::string_view a, std::string_view b) {
    auto const zone_a = a.substr(std::min(a.find('.'), a.size()));
    auto const zone_b = b.substr(std::min(b.find('.'), b.size()));
    return zone_a == zone_b && std::count(zone_a.begin(), zone_a.end(), '.') >= 2;
}

/// "egov-kz" for "egov.kz".
std::string dashed(std::string text) {
    std::replace(text.begin(), text.end(), '.', '-');
    return text;
}

bool looks_like(std::string_view host, std::string_view known) {
    if (host == known || host.ends_with('.' + std::string{known})) return false;
    auto const seen = skeleton(host);
    auto const meant = skeleton(known);
    if (seen == meant || seen.find(meant) != std::string::npos || seen.find(dashed(meant)) != std::string::npos)
        return true;
    return !same_zone(host, known) && distance(seen, meant) <= (meant.size() < 8 ? 1U : 2U);
}

} // namespace

std::string resembles(std::string_view header, std::set<std::string> const& known_hosts) {
    auto const origin = parse_origin(header);
    if (!origin || known_hosts.contains(origin->host_and_port())) return {};
    // A subdomain of a known host belongs to its owner, whatever else it looks like.
    for (auto const& known : known_hosts) {
        if (origin->host.ends_with('.' + known)) return {};
    }
    for (auto const& known : known_hosts) {
        auto const host = known.substr(0, known.find(':'));
        if (origin->host == host || looks_like(origin->host, host)) return known;
    }
    return {};
}

} // namespace tamga::policy

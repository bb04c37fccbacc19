#include "signing/der.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string>

namespace tamga::signing::der {

namespace {

constexpr unsigned max_indefinite_depth = 32;
constexpr unsigned char constructed = 0x20;
constexpr unsigned char high_tag_number = 0x1f;

std::optional<Element> take_nested(View& rest, unsigned depth);

/// The length octets at the front of `rest`, taken off; SIZE_MAX stands for indefinite.
std::optional<std::size_t> take_length(View& rest) {
    if (rest.empty()) return std::nullopt;
    auto const first = rest[0];
    rest = rest.subspan(1);
    if (first < 0x80) return first;
    if (first == 0x80) return SIZE_MAX;
    std::size_t const count = first & 0x7f;
    if (count >= sizeof(std::size_t) || count > rest.size()) return std::nullopt;
    std::size_t length = 0;
    for (auto const octet : rest.first(count))
        length = length << 8 | octet;
    rest = rest.subspan(count);
    return length;
}

/// The size of the content before its end-of-contents octets.
std::optional<std::size_t> indefinite_size(View content, unsigned depth) {
    auto rest = content;
    while (rest.size() >= 2 && (rest[0] != 0 || rest[1] != 0)) {
        if (!take_nested(rest, depth)) return std::nullopt;
    }
    if (rest.size() < 2) return std::nullopt;
    return content.size() - rest.size();
}

std::optional<Element> take_nested(View& rest, unsigned depth) {
    if (rest.empty() || (rest[0] & high_tag_number) == high_tag_number) return std::nullopt;
    auto const tag = rest[0];
    auto content = rest.subspan(1);
    auto length = take_length(content);
    if (!length) return std::nullopt;
    std::size_t end_size = 0;
    if (*length == SIZE_MAX) {
        if (depth == 0 || (tag & constructed) == 0) return std::nullopt;
        length = indefinite_size(content, depth - 1);
        if (!length) return std::nullopt;
        end_size = 2;
    } else if (*length > content.size()) {
        return std::nullopt;
    }
    auto const header = rest.size() - content.size();
    Element const element{tag, content.first(*length), rest.first(header + *length + end_size)};
    rest = rest.subspan(element.octets.size());
    return element;
}

/// How many octets follow the first one of a length.
std::size_t long_length_octets(std::size_t length) noexcept {
    if (length < 0x80) return 0;
    std::size_t count = 0;
    for (; length != 0; length >>= 8)
        ++count;
    return count;
}

} // namespace

std::optional<Element> take(View& rest) {
    return take_nested(rest, max_indefinite_depth);
}

std::optional<Element> take(View& rest, unsigned char tag) {
    if (rest.empty() || rest[0] != tag) return std::nullopt;
    return take(rest);
}

std::size_t element_size(std::size_t length) noexcept {
    return 2 + long_length_octets(length) + length;
}

void append_header(Bytes& out, unsigned char tag, std::size_t length) {
    auto const octets = long_length_octets(length);
    out.push_back(tag);
    out.push_back(static_cast<unsigned char>(octets == 0 ? length : 0x80 | octets));
    for (auto i = octets; i-- > 0;)
        out.push_back(static_cast<unsigned char>(length >> 8 * i));
}

void append(Bytes& out, View octets) {
    out.insert(out.end(), octets.begin(), octets.end());
}

Bytes element(unsigned char tag, std::initializer_list<View> parts) {
    std::size_t length = 0;
    for (auto const part : parts)
        length += part.size();
    Bytes out;
    out.reserve(element_size(length));
    append_header(out, tag, length);
    for (auto const part : parts)
        append(out, part);
    return out;
}

Bytes set_of(unsigned char tag, std::vector<Bytes> members) {
    std::sort(members.begin(), members.end());
    Bytes content;
    for (auto const& member : members)
        append(content, member);
    return element(tag, {content});
}

std::optional<std::vector<Element>> members(View content) {
    std::vector<Element> found;
    while (auto const member = take(content))
        found.push_back(*member);
    if (!content.empty()) return std::nullopt;
    return found;
}

Bytes algorithm_identifier(std::string_view dotted, bool with_null) {
    auto const parameters = with_null ? element(null, {}) : Bytes{};
    return element(sequence, {oid(dotted), parameters});
}

std::string dotted(View octets) {
    auto const* at = octets.data();
    std::unique_ptr<ASN1_OBJECT, decltype(&ASN1_OBJECT_free)> const object{
        d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(octets.size())), ASN1_OBJECT_free};
    ERR_clear_error();
    char text[128] = "";
    if (!object || OBJ_obj2txt(text, sizeof text, object.get(), 1) >= static_cast<int>(sizeof text)) return {};
    return text;
}

std::optional<std::int64_t> seconds(Element const& time) {
    if (time.tag != utc_time && time.tag != generalized_time) return std::nullopt;
    auto text = std::string{as_text(time.content)};
    if (time.tag == utc_time) text.insert(0, text[0] >= '5' ? "19" : "20");
    if (auto const point = text.find('.'); point != std::string::npos) text.erase(point, text.size() - 1 - point);
    constexpr std::size_t digits = 14;
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != digits + 1 || text.back() != 'Z' || !std::all_of(text.begin(), text.end() - 1, is_digit)) {
        return std::nullopt;
    }
    std::tm parts{};
    if (::strptime(text.c_str(), "%Y%m%d%H%M%SZ", &parts) == nullptr) return std::nullopt;
    return ::timegm(&parts);
}

Bytes oid(std::string_view dotted) {
    std::unique_ptr<ASN1_OBJECT, decltype(&ASN1_OBJECT_free)> const object{OBJ_txt2obj(std::string{dotted}.c_str(), 1),
                                                                           ASN1_OBJECT_free};
    return element(object_identifier, {{OBJ_get0_data(object.get()), OBJ_length(object.get())}});
}

} // namespace tamga::signing::der

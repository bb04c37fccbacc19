#include "protocol/json_text.hpp"

#include "base/base64.hpp"

#include <utility>

namespace tamga::protocol {

namespace {

/// What mostly follows a large string in a reply, so that it need not be moved once more.
constexpr std::size_t room_for_the_rest = 128;

void append_escaped(std::string& out, char c) {
    switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    default: break;
    }
    auto const octet = static_cast<unsigned char>(c);
    if (octet < ' ')
        out += "\\u00" + to_hex(View{&octet, 1});
    else
        out += c;
}

/// `items` with commas between them, each written by `append`.
template <class Items, class Append>
void append_items(std::string& out, Items const& items, Append append) {
    bool first = true;
    for (auto const& item : items) {
        if (!std::exchange(first, false)) out += ',';
        append(item);
    }
}

} // namespace

void append_string(std::string& out, std::string_view text) {
    out.reserve(out.size() + text.size() + text.size() / 16 + room_for_the_rest);
    out += '"';
    char before = '\0';
    for (char const c : text) {
        if (c == '/' && before == '<') out += '\\'; // so that a reply can stand inside a script element
        append_escaped(out, c);
        before = c;
    }
    out += '"';
}

void append_base64_string(std::string& out, View octets) {
    out.reserve(out.size() + (octets.size() + 2) / 3 * 4 + room_for_the_rest);
    out += '"';
    append_base64(out, octets);
    out += '"';
}

void append_json(std::string& out, Tree const& tree) {
    if (auto const* flag = std::get_if<bool>(&tree.value)) out += *flag ? "true" : "false";
    if (auto const* number = std::get_if<std::int64_t>(&tree.value)) out += std::to_string(*number);
    if (auto const* text = std::get_if<std::string>(&tree.value)) append_string(out, *text);
    if (auto const* list = std::get_if<Tree::List>(&tree.value)) {
        out += '[';
        append_items(out, *list, [&](Tree const& item) { append_json(out, item); });
        out += ']';
    }
    if (auto const* members = std::get_if<Tree::Members>(&tree.value)) {
        out += '{';
        append_items(out, *members, [&](auto const& member) {
            append_string(out, member.first);
            out += ':';
            append_json(out, member.second);
        });
        out += '}';
    }
}

std::string json_of(Tree const& tree) {
    std::string out;
    append_json(out, tree);
    return out;
}

} // namespace tamga::protocol

#include "protocol/ncalayer/json_out.hpp"

#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tamga::protocol::ncalayer {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> basics_messages{{
    {"GENERAL_ERROR", "General error."},
    {"INVOCATION_ERROR", "An invoked method threw an exception."},
    {"SIGNING_FAILURE", "Signing has failed."},
    {"INVALID_SIGNING_PARAMS", "Invalid signing parameters."},
}};

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

void append_pem_string(std::string& out, std::string_view label, View octets) {
    constexpr std::size_t octets_a_line = 48;
    auto const lines = octets.size() / octets_a_line + 1;
    out.reserve(out.size() + lines * 66 + 2 * label.size() + 40);
    out.append("\"-----BEGIN ").append(label).append("-----\\n");
    for (std::size_t i = 0; i < octets.size(); i += octets_a_line) {
        append_base64(out, octets.subspan(i, std::min(octets_a_line, octets.size() - i)));
        out += "\\n";
    }
    out.append("-----END ").append(label).append("-----\\n\"");
}

std::string core_error(std::string_view code) {
    return R"({"success":false,"errorCode":")" + std::string{code} + "\"}";
}

std::string common_error(std::string_view message, std::string_view uuid) {
    std::string out = R"({"code":"500")";
    if (!message.empty()) {
        out += R"(,"message":)";
        append_string(out, message);
    }
    if (!uuid.empty()) {
        out += R"(,"uuid":)";
        append_string(out, uuid);
    }
    return out + '}';
}

std::string basics_error(std::string_view code, std::string_view details) {
    auto const known =
        std::find_if(basics_messages.begin(), basics_messages.end(), [&](auto const& m) { return m.first == code; });
    std::string out = R"({"code":")" + std::string{code} + '"';
    if (!details.empty()) {
        out += R"(,"details":)";
        append_string(out, details);
    }
    out += R"(,"message":)";
    append_string(out, known == basics_messages.end() ? code : known->second);
    return out + R"(,"status":false})";
}

} // namespace tamga::protocol::ncalayer

#include "protocol/ncalayer/json_out.hpp"

#include "base/base64.hpp"
#include "protocol/json_text.hpp"

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

} // namespace

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

// Replies as text, octet for octet as NCALayer's org.json writes them: no blanks, `</` as `<\/`, no null members.
#pragma once

#include "base/bytes.hpp"
#include "protocol/json_text.hpp"

#include <string>
#include <string_view>

namespace tamga::protocol::ncalayer {

/// Appends the octets as a JSON string that holds PEM with this label: 64 columns, a line feed at the end of each line.
void append_pem_string(std::string& out, std::string_view label, View octets);

/// `{"success":false,"errorCode":code}`: what the core answers, before any module.
[[nodiscard]] std::string core_error(std::string_view code);

/// `{"code":"500"[,"message":message][,"uuid":uuid]}`; an empty message or uuid is left out.
[[nodiscard]] std::string common_error(std::string_view message, std::string_view uuid = {});

/// `{"code":code[,"details":details],"message":...,"status":false}` with the message that belongs to `code`.
[[nodiscard]] std::string basics_error(std::string_view code, std::string_view details);

} // namespace tamga::protocol::ncalayer

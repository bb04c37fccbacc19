// Object identifiers of CMS (RFC 5652, RFC 5035) and of time-stamps (RFC 3161), dotted.
#pragma once

#include <string_view>

namespace tamga::signing {

inline constexpr std::string_view oid_data = "1.2.840.113549.1.7.1";
inline constexpr std::string_view oid_signed_data = "1.2.840.113549.1.7.2";
inline constexpr std::string_view oid_content_type = "1.2.840.113549.1.9.3";
inline constexpr std::string_view oid_message_digest = "1.2.840.113549.1.9.4";
inline constexpr std::string_view oid_signing_time = "1.2.840.113549.1.9.5";
inline constexpr std::string_view oid_signing_certificate = "1.2.840.113549.1.9.16.2.12";
inline constexpr std::string_view oid_signing_certificate_v2 = "1.2.840.113549.1.9.16.2.47";
inline constexpr std::string_view oid_timestamp_token = "1.2.840.113549.1.9.16.2.14";
inline constexpr std::string_view oid_timestamp_info = "1.2.840.113549.1.9.16.1.4";

} // namespace tamga::signing

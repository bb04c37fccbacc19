// What the modules of NCALayer's protocol share: one parse function each, and the facts they agree on.
#pragma once

#include "protocol/ncalayer/ncalayer.hpp"

#include <boost/json.hpp>

#include <array>
#include <string_view>

namespace tamga::protocol::ncalayer {

inline constexpr std::string_view common_utils_module = "kz.gov.pki.knca.commonUtils";
inline constexpr std::string_view basics_module = "kz.gov.pki.knca.basics";
inline constexpr std::string_view accessory_module = "kz.gov.pki.ncalayerservices.accessory";

/// Each takes the request apart and leaves nothing large behind in it.
[[nodiscard]] Call parse_common_utils(boost::json::object& request);
[[nodiscard]] Call parse_basics(boost::json::object& request);
[[nodiscard]] Call parse_accessory(boost::json::object const& request);

inline constexpr std::string_view eku_client_auth = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view eku_email_protection = "1.3.6.1.5.5.7.3.4";

/// Whether a digest may have so many octets: SHA-256 and Streebog-256 have 32, Streebog-512 has 64. Whether it suits
/// the key is known when the key is.
[[nodiscard]] constexpr bool is_digest_size(std::size_t octets) noexcept {
    return octets == 32 || octets == 64;
}

/// NCALayer's storage names (docs/ncalayer.md). JKS is a known word with nothing behind it.
inline constexpr std::array<std::string_view, 8> storage_names{
    "PKCS12",         "JKS",        "AKKaztokenStore", "AKKZIDCardStore", "AKEToken72KStore", "AKEToken5110Store",
    "AKJaCartaStore", "AKAKEYStore"};
[[nodiscard]] bool is_storage_name(std::string_view name) noexcept;

/// The member as a string; empty where it is absent or of another type.
[[nodiscard]] std::string_view string_member(boost::json::object const& object, std::string_view key) noexcept;

/// What java.util.Base64 says of a text that from_base64 refused with this error.
[[nodiscard]] std::string base64_message(Error const& error);

/// NCALayer's own text for an error, where it has one, else our word. The one detail that goes out is that of
/// xml_malformed, which speaks of nothing but the page's own document.
[[nodiscard]] std::string error_text(Error const& error);

[[nodiscard]] inline Call answer(std::string text, std::optional<Errc> refused = {}) {
    return {Answer{std::move(text), refused}, {}, {}};
}

} // namespace tamga::protocol::ncalayer

// What can go wrong, as a closed list. Each word stands in four places: here, on the wire of our own protocol, in the
// log, and as a heading of docs/errors.md (a test compares them).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tamga {

enum class Errc : std::uint8_t {
    // the request
    bad_request,
    unsupported,
    bad_base64,
    digest_length,
    xml_malformed,
    xml_target,
    cms_malformed,
    file_not_found,
    raw_refused,
    too_large,
    busy,
    application_unknown,
    application_damaged,
    // who asks
    origin_denied,
    site_refused,
    eds_not_required,
    service_unknown,
    service_origin,
    key_work_denied,
    // the person
    user_cancelled,
    withdrawn,
    timeout,
    prompt_unavailable,
    // the token
    storage_unknown,
    token_absent,
    key_not_found,
    role_missing,
    pin_incorrect,
    pin_length,
    pin_locked,
    pin_expired,
    password_incorrect,
    key_file_malformed,
    key_file_unsupported,
    mechanism_unsupported,
    algorithm_unavailable,
    token_failure,
    token_crashed,
    token_timeout,
    card_service_lost,
    token_full,
    token_write_protected,
    key_exists,
    generation_unsupported,
    certificate_mismatch,
    pin_unsuitable,
    so_pin_incorrect,
    so_pin_locked,
    mandate_violated,
    // the certificate
    issuer_missing,
    certificate_untrusted,
    certificate_revoked,
    revocation_unknown,
    renewal_too_late,
    // the result
    signature_invalid,
    timestamp_unavailable,
    timestamp_invalid,
    // this computer
    config_invalid,
    file_untrusted,
    module_unloadable,
    port_taken,
    channel_closed,
    message_malformed,
    build_mismatch,
    system,
    internal, // stays the last: errc_count. A new word goes above it, into its group
};

inline constexpr std::size_t errc_count = static_cast<std::size_t>(Errc::internal) + 1;
constexpr std::size_t enumerator_count(Errc) noexcept {
    return errc_count;
}

/// The word of an error: total over Errc, stable, `snake_case`.
[[nodiscard]] std::string_view wire_name(Errc code) noexcept;

/// `code` is for programs. `detail` is for the log and for support. To a page goes at most what it says of that page's
/// own request, where NCALayer says it too: the member that is missing (bad_request), the character that is no base64
/// (bad_base64), the place in the XML (xml_malformed).
struct Error {
    Errc code = Errc::internal;
    std::string detail;

    Error() = default;
    explicit Error(Errc c) : code{c} {}
    Error(Errc c, std::string d) : code{c}, detail{std::move(d)} {}
};

/// errno as an Error of code `system`: "what: text".
[[nodiscard]] Error system_error(std::string_view what, int error_number);

} // namespace tamga

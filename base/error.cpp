#include "base/error.hpp"

#include <cstring>

namespace tamga {

std::string_view wire_name(Errc code) noexcept {
    switch (code) {
    case Errc::bad_request: return "bad_request";
    case Errc::unsupported: return "unsupported";
    case Errc::bad_base64: return "bad_base64";
    case Errc::digest_length: return "digest_length";
    case Errc::xml_malformed: return "xml_malformed";
    case Errc::xml_target: return "xml_target";
    case Errc::cms_malformed: return "cms_malformed";
    case Errc::file_not_found: return "file_not_found";
    case Errc::raw_refused: return "raw_refused";
    case Errc::too_large: return "too_large";
    case Errc::busy: return "busy";
    case Errc::application_unknown: return "application_unknown";
    case Errc::application_damaged: return "application_damaged";
    case Errc::origin_denied: return "origin_denied";
    case Errc::site_refused: return "site_refused";
    case Errc::eds_not_required: return "eds_not_required";
    case Errc::service_unknown: return "service_unknown";
    case Errc::service_origin: return "service_origin";
    case Errc::key_work_denied: return "key_work_denied";
    case Errc::user_cancelled: return "user_cancelled";
    case Errc::withdrawn: return "withdrawn";
    case Errc::timeout: return "timeout";
    case Errc::prompt_unavailable: return "prompt_unavailable";
    case Errc::storage_unknown: return "storage_unknown";
    case Errc::token_absent: return "token_absent";
    case Errc::key_not_found: return "key_not_found";
    case Errc::role_missing: return "role_missing";
    case Errc::pin_incorrect: return "pin_incorrect";
    case Errc::pin_length: return "pin_length";
    case Errc::pin_locked: return "pin_locked";
    case Errc::pin_expired: return "pin_expired";
    case Errc::password_incorrect: return "password_incorrect";
    case Errc::key_file_malformed: return "key_file_malformed";
    case Errc::key_file_unsupported: return "key_file_unsupported";
    case Errc::mechanism_unsupported: return "mechanism_unsupported";
    case Errc::algorithm_unavailable: return "algorithm_unavailable";
    case Errc::token_failure: return "token_failure";
    case Errc::token_crashed: return "token_crashed";
    case Errc::card_service_lost: return "card_service_lost";
    case Errc::token_timeout: return "token_timeout";
    case Errc::token_full: return "token_full";
    case Errc::token_write_protected: return "token_write_protected";
    case Errc::key_exists: return "key_exists";
    case Errc::generation_unsupported: return "generation_unsupported";
    case Errc::certificate_mismatch: return "certificate_mismatch";
    case Errc::pin_unsuitable: return "pin_unsuitable";
    case Errc::so_pin_incorrect: return "so_pin_incorrect";
    case Errc::so_pin_locked: return "so_pin_locked";
    case Errc::mandate_violated: return "mandate_violated";
    case Errc::issuer_missing: return "issuer_missing";
    case Errc::certificate_untrusted: return "certificate_untrusted";
    case Errc::certificate_revoked: return "certificate_revoked";
    case Errc::revocation_unknown: return "revocation_unknown";
    case Errc::renewal_too_late: return "renewal_too_late";
    case Errc::signature_invalid: return "signature_invalid";
    case Errc::timestamp_unavailable: return "timestamp_unavailable";
    case Errc::timestamp_invalid: return "timestamp_invalid";
    case Errc::config_invalid: return "config_invalid";
    case Errc::file_untrusted: return "file_untrusted";
    case Errc::module_unloadable: return "module_unloadable";
    case Errc::port_taken: return "port_taken";
    case Errc::channel_closed: return "channel_closed";
    case Errc::message_malformed: return "message_malformed";
    case Errc::build_mismatch: return "build_mismatch";
    case Errc::system: return "system";
    case Errc::internal: return "internal";
    }
    return "internal";
}

Error system_error(std::string_view what, int error_number) {
    char buffer[128] = "";
    char const* text = ::strerror_r(error_number, buffer, sizeof buffer);
    return {Errc::system, std::string{what} + ": " + text};
}

} // namespace tamga

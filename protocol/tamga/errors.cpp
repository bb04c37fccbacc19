// The numbers of errors on the wire of tamga.v1. A number is given once and stays; openrpc.json has the same list.
#include "protocol/tamga/words.hpp"

namespace tamga::protocol::v1 {

namespace {

/// How far below -33000.
// NOLINTNEXTLINE(readability-function-size): as long as there are words.
int place_of(Errc word) noexcept {
    switch (word) {
    case Errc::bad_request: return 1;
    case Errc::unsupported: return 2;
    case Errc::bad_base64: return 3;
    case Errc::digest_length: return 4;
    case Errc::xml_malformed: return 5;
    case Errc::xml_target: return 6;
    case Errc::cms_malformed: return 7;
    case Errc::file_not_found: return 8;
    case Errc::raw_refused: return 9;
    case Errc::too_large: return 10;
    case Errc::busy: return 11;
    case Errc::origin_denied: return 12;
    case Errc::site_refused: return 13;
    case Errc::user_cancelled: return 14;
    case Errc::withdrawn: return 15;
    case Errc::timeout: return 16;
    case Errc::prompt_unavailable: return 17;
    case Errc::storage_unknown: return 18;
    case Errc::token_absent: return 19;
    case Errc::key_not_found: return 20;
    case Errc::pin_incorrect: return 21;
    case Errc::pin_length: return 22;
    case Errc::pin_locked: return 23;
    case Errc::pin_expired: return 24;
    case Errc::password_incorrect: return 25;
    case Errc::key_file_malformed: return 26;
    case Errc::key_file_unsupported: return 27;
    case Errc::mechanism_unsupported: return 28;
    case Errc::algorithm_unavailable: return 29;
    case Errc::token_failure: return 30;
    case Errc::token_crashed: return 31;
    case Errc::token_timeout: return 32;
    case Errc::card_service_lost: return 33;
    case Errc::mandate_violated: return 34;
    case Errc::issuer_missing: return 35;
    case Errc::certificate_untrusted: return 36;
    case Errc::certificate_revoked: return 37;
    case Errc::revocation_unknown: return 38;
    case Errc::signature_invalid: return 39;
    case Errc::timestamp_unavailable: return 40;
    case Errc::timestamp_invalid: return 41;
    case Errc::config_invalid: return 42;
    case Errc::file_untrusted: return 43;
    case Errc::module_unloadable: return 44;
    case Errc::port_taken: return 45;
    case Errc::channel_closed: return 46;
    case Errc::message_malformed: return 47;
    case Errc::build_mismatch: return 48;
    case Errc::system: return 49;
    case Errc::internal: return 50;
    case Errc::service_unknown: return 51;
    case Errc::service_origin: return 52;
    case Errc::eds_not_required: return 53;
    case Errc::role_missing: return 54;
    case Errc::token_full: return 55;
    case Errc::token_write_protected: return 56;
    case Errc::key_exists: return 57;
    case Errc::generation_unsupported: return 58;
    case Errc::certificate_mismatch: return 59;
    case Errc::pin_unsuitable: return 60;
    case Errc::so_pin_incorrect: return 61;
    case Errc::so_pin_locked: return 62;
    case Errc::key_work_denied: return 63;
    case Errc::application_unknown: return 64;
    case Errc::application_damaged: return 65;
    case Errc::renewal_too_late: return 66;
    }
    return 50;
}

bool is_about_the_request(Errc word) noexcept {
    return word == Errc::bad_request || word == Errc::bad_base64 || word == Errc::xml_malformed;
}

} // namespace

int code_of(Errc word) noexcept {
    return -33000 - place_of(word);
}

Fault fault_of(Error const& error) {
    return {code_of(error.code), error.code, is_about_the_request(error.code) ? error.detail : std::string{}};
}

} // namespace tamga::protocol::v1

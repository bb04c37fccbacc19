#include "pkcs11/cryptoki_error.hpp"

#include <cstdio>

namespace tamga::pkcs11 {

Errc to_errc(CK_RV rv) noexcept {
    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID: return Errc::pin_incorrect;
    case CKR_PIN_LEN_RANGE: return Errc::pin_length;
    case CKR_PIN_LOCKED: return Errc::pin_locked;
    case CKR_PIN_EXPIRED: return Errc::pin_expired;
    // Modules answer a session of a token that was pulled out and put back with an invalid handle.
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_DEVICE_REMOVED: return Errc::token_absent;
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID: return Errc::key_not_found;
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_FUNCTION_NOT_PERMITTED: return Errc::mechanism_unsupported;
    case CKR_DEVICE_MEMORY: return Errc::token_full;
    case CKR_TOKEN_WRITE_PROTECTED:
    case CKR_SESSION_READ_ONLY: return Errc::token_write_protected;
    // On the reader's own keypad.
    case CKR_FUNCTION_CANCELED:
    case CKR_FUNCTION_REJECTED: return Errc::user_cancelled;
    default: return Errc::token_failure;
    }
}

Result<void> check(CK_RV rv, std::string_view call) {
    if (rv == CKR_OK) return ok();
    char number[32] = "";
    std::snprintf(number, sizeof number, ": 0x%lx", rv);
    return Error{to_errc(rv), std::string{call} + number};
}

} // namespace tamga::pkcs11

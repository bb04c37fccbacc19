// From CK_RV, which 90 standard and any number of vendors' values may fill, to the words of base/error.hpp.
#pragma once

#include "base/result.hpp"

#include <p11-kit/pkcs11.h>

namespace tamga::pkcs11 {

/// The word for a failed call's CK_RV: total; what nobody acts on is token_failure.
[[nodiscard]] Errc to_errc(CK_RV rv) noexcept;

/// Success for CKR_OK; else to_errc(rv) with "C_Sign: 0x..." as detail. Every Cryptoki call passes here.
Result<void> check(CK_RV rv, std::string_view call);

} // namespace tamga::pkcs11

// What signing/algorithm.hpp's keys are called in PKCS#11.
#pragma once

#include "signing/algorithm.hpp"

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>

namespace tamga::pkcs11 {

struct SignatureMechanism {
    CK_MECHANISM_TYPE mechanism;
    CK_KEY_TYPE key_type;
    View before_digest;                   ///< what C_Sign wants in front of the digest: DigestInfo for CKM_RSA_PKCS
    CK_ATTRIBUTE_TYPE public_attribute;   ///< where an object shows the value that tells one public key from another
    Bytes (*public_value)(::X509 const&); ///< that value from a certificate; an attribute may have octets before it
};

/// The entry of a key algorithm: total, valid for the program's life.
/// Source: PKCS#11 v2.40 mechanisms, sections 2.1.6 (CKM_RSA_PKCS) and 2.3.6 (CKM_ECDSA); RFC 8017 section 9.2 note 1.
[[nodiscard]] SignatureMechanism signature_mechanism(signing::KeyAlgorithm key) noexcept;

} // namespace tamga::pkcs11

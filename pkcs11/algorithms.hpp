// What signing/algorithm.hpp's keys are called in PKCS#11.
#pragma once

#include "signing/algorithm.hpp"

#include "pkcs11/signature_order.hpp"

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>

#include <span>

namespace tamga::pkcs11 {

/// Which objects have SignatureMechanism::public_attribute as what it is meant for.
enum class PublicHalf : std::uint8_t {
    in_either_key,
    in_public_key, ///< in a private key the same attribute is the secret itself: it is not read
};

struct SignatureMechanism {
    CK_MECHANISM_TYPE mechanism;
    CK_KEY_TYPE key_type;
    View before_digest;                 ///< what C_Sign wants in front of the digest: DigestInfo for CKM_RSA_PKCS
    CK_ATTRIBUTE_TYPE public_attribute; ///< where an object shows the value that tells one public key from another
    PublicHalf public_half;
    Bytes (*public_value)(::X509 const&);   ///< that value from a certificate; an attribute may have octets before it
    CK_ATTRIBUTE_TYPE parameters;           ///< where a key shows its curve by identifier; CKA_VENDOR_DEFINED: nowhere
    std::span<SignatureOrder const> orders; ///< in which modules write a signature
};

/// The entry of a key algorithm: total, valid for the program's life.
/// Source: PKCS#11 v2.40 mechanisms, sections 2.1.6 (CKM_RSA_PKCS), 2.3.6 (CKM_ECDSA) and 2.25 (CKM_GOSTR3410); the
/// extensions of TC 26 for 512 bits; RFC 8017 section 9.2 note 1.
[[nodiscard]] SignatureMechanism signature_mechanism(signing::KeyAlgorithm key) noexcept;

/// Whether a key that shows `parameters` (DER of an object identifier; empty: it shows none) lies on the curve of
/// `key`, by the name it has in Kazakhstan or in Russia.
[[nodiscard]] bool accepts_parameters(signing::KeyAlgorithm key, View parameters);

} // namespace tamga::pkcs11

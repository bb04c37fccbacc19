// Public keys: as Cryptoki's objects show them, and as certificates and requests hold them.
#pragma once

#include "pkcs11/session.hpp"
#include "signing/certificate.hpp"

namespace tamga::pkcs11 {

/// What tells one public key from another: modulus, point, or x || y of a GOST key (little-endian). One that is on the
/// same curve under another name is the same key.
struct PublicValue {
    signing::KeyAlgorithm algorithm{};
    Bytes octets;

    bool operator==(PublicValue const&) const = default;
};

/// Of a SubjectPublicKeyInfo (DER). Errors: bad_request; mechanism_unsupported (no kind of the registry).
Result<PublicValue> public_value(View subject_public_key_info);
[[nodiscard]] PublicValue public_value(signing::Certificate const& certificate);

/// A public key with its SubjectPublicKeyInfo.
struct PublicKey {
    PublicValue value;
    Bytes info; ///< DER, under the names of Kazakhstan where it is a GOST key
};

/// What a key object shows of its public half; nothing where it shows none, or is of a kind not known. Of a private key
/// that has the secret where a public one has its value, that is not read.
[[nodiscard]] std::optional<PublicKey> shown_public_key(Session const& session, ObjectHandle object,
                                                        CK_OBJECT_CLASS object_class, CK_KEY_TYPE type);

/// Whether `signature`, raw (ipc::Signatures), is one over `digest` by the key of `info` (DER). Errors:
/// signature_invalid, algorithm_unavailable, bad_request, mechanism_unsupported.
Result<void> verify_with(View info, View digest, View signature);

} // namespace tamga::pkcs11

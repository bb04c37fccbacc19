// The key pairs of a token, whole and half, and the certificates that belong to them.
#pragma once

#include "pkcs11/public_keys.hpp"

namespace tamga::pkcs11 {

/// A certificate object. One of a kind of key that is not known has no value.
struct CertificateObject {
    ObjectHandle handle;
    Bytes der;
    ipc::Fingerprint fingerprint{};
    std::optional<PublicValue> value;
};

/// A private key, a public key, or both, by CKA_ID and kind.
struct Pair {
    std::optional<ObjectHandle> private_key;
    std::optional<ObjectHandle> public_key;
    CK_KEY_TYPE type = CKK_VENDOR_DEFINED;
    Bytes id;
    std::string label;
    std::optional<PublicKey> key; ///< what it shows of its public half
    std::vector<CertificateObject> certificates;

    [[nodiscard]] bool is_whole() const noexcept { return private_key && public_key; }
    [[nodiscard]] ipc::PairFound described() const;
};

/// After a login: all of them, in the token's order, private keys first. Certificates belong to the pair whose public
/// key they hold; labels and identifiers mean nothing there.
Result<std::vector<Pair>> read_pairs(Session const& session);

/// The pair of this CKA_ID, found by it alone. Errors: key_not_found; key_exists (more than one private key has it).
Result<Pair> read_pair(Session const& session, View id);

/// Every certificate object. Errors: token_failure (one cannot be read), those of Session::find.
Result<std::vector<CertificateObject>> read_certificates(Session const& session);

} // namespace tamga::pkcs11

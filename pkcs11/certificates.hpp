// The certificates of a token, and the private keys that belong to them.
#pragma once

#include "pkcs11/session.hpp"
#include "signing/certificate.hpp"

namespace tamga::pkcs11 {

/// DER of every X.509 certificate that is readable without a PIN. During somebody's login private ones are visible to
/// all sessions: they are left out, as they would be without it.
Result<std::vector<Bytes>> public_certificates(Session const& session);

struct SigningKey {
    signing::Certificate certificate;
    ObjectHandle key;
    bool always_authenticate = false; ///< CKA_ALWAYS_AUTHENTICATE: the PIN is wanted again for each signature
};

/// After a login: every certificate whose private key is on the token too, in the token's order. A key belongs to a
/// certificate when their public keys are the same; where the token shows no public key, when their CKA_IDs are the
/// same. Labels mean nothing. Certificates with a key this program cannot use are left out. `chosen` (DER), where it is
/// not empty and has its key here, comes alone: nothing else is read then, which a slow card thanks us for.
Result<std::vector<SigningKey>> signing_keys(Session const& session, View chosen = {});

} // namespace tamga::pkcs11

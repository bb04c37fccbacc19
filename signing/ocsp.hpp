// OCSP (RFC 6960): the question about one certificate, and the judge of the answer. No socket: daemon/revocations.hpp.
#pragma once

#include "signing/chain.hpp"
#include "signing/revocation.hpp"

namespace tamga::signing {

inline constexpr std::size_t max_ocsp_reply = 64 * 1024;

struct OcspQuery {
    Bytes der;   ///< OCSPRequest, unsigned
    Bytes nonce; ///< its extension's value
};

/// Asks whether `issuer` revoked `certificate`, which it is named by with SHA-256. Error: internal.
Result<OcspQuery> query_ocsp(Certificate const& certificate, Certificate const& issuer);

/// What the answer says. It must be signed by the issuer, or by a responder that the issuer certified for that; carry
/// our nonce, where it has one; and be of now. Unknown where the responder knows nothing of the certificate. Errors:
/// signature_invalid, mechanism_unsupported (over MD5 or SHA-1, or by an RSA key under 2048 bits), message_malformed
/// (no answer, or another's), algorithm_unavailable, timeout (not of now).
Result<RevocationStatus> read_ocsp_reply(OcspQuery const& query, View reply, Certificate const& certificate,
                                         Certificate const& issuer, std::int64_t now);

} // namespace tamga::signing

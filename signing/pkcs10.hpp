// PKCS#10 requests for certificates (RFC 2986) as the NCA's software writes them, by the prepare / sign / finish seam:
// nothing here calls a token. Part of the core, so that the process with the key can read what it is asked to sign.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/certificate.hpp"

#include <string>

namespace tamga::signing {

/// Where a key lies, as the NCA's own extension names it (1.2.398.3.3.5): the only kind whose identifier is published.
inline constexpr std::string_view key_store_file = "1.2.398.3.3.5.1.1";

/// A public key as certificates and requests hold it. Immutable.
struct PublicKey {
    Bytes der; ///< SubjectPublicKeyInfo
    Algorithm const* algorithm = nullptr;

    bool operator==(PublicKey const& other) const noexcept { return der == other.der; }
};

/// The key that is exactly `der`. Errors: bad_request; mechanism_unsupported (a kind of key that is not in the
/// registry, an RSA key under 2048 bits).
Result<PublicKey> read_public_key(View der);

/// The key of a certificate.
[[nodiscard]] PublicKey public_key_of(Certificate const& certificate);

/// What a request asks to be certified.
struct RequestContent {
    Bytes subject;         ///< DER of the distinguished name
    PublicKey key;         ///< of the new pair
    std::string email;     ///< for subjectAltName; printable ASCII with one @; empty: none
    std::string key_store; ///< dotted identifier for the key-store extension; empty: no such extension
};

/// What a new pair of the same person asks for: the subject of the present certificate in its very octets.
[[nodiscard]] RequestContent renewal_of(Certificate const& present, PublicKey key);

/// CertificationRequestInfo, DER: the octets that the new private key signs. Errors: bad_request (a subject that is no
/// name, an address that is none, an identifier that is none).
Result<Bytes> prepare_request(RequestContent const& content);

/// What exactly such octets ask for; nothing is accepted but what prepare_request writes. Error: bad_request,
/// mechanism_unsupported.
Result<RequestContent> parse_request_info(View octets);

/// The finished request, DER. `raw_signature` is PKCS#11's form and is verified with the key in the request.
/// Errors: bad_request (no CertificationRequestInfo of ours), signature_invalid, algorithm_unavailable.
Result<Bytes> finish_request(View to_be_signed, View raw_signature);

/// What a finished request asks for, its signature verified. Errors as finish_request.
Result<RequestContent> read_request(View der);

/// PEM, 64 columns.
[[nodiscard]] std::string request_pem(View der);

} // namespace tamga::signing

// What is too weak to count, though OpenSSL would verify it: signatures over MD5 and SHA-1, and short RSA keys.
// OpenSSL's own security levels do not know Kazakhstan's signatures (X509_get_signature_info asks no engine for them).
#pragma once

#include <openssl/types.h>

namespace tamga::signing {

inline constexpr int shortest_rsa_bits = 2048;

/// Whether it is long enough. Keys that are not RSA's are.
[[nodiscard]] bool is_strong_key(EVP_PKEY const* key);

/// Whether the issuer of `certificate` signed it over a digest that digest_by_oid knows.
[[nodiscard]] bool has_strong_signature(::X509* certificate);

/// The same of a signature that is named by one identifier: of an OCSP answer.
[[nodiscard]] bool is_strong_signature(X509_ALGOR const* identifier);

} // namespace tamga::signing

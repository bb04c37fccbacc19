// GOST keys by gost-engine, named as Kazakhstan names them: for what issues and signs in tests. Everything here ends
// the process where OpenSSL fails.
#pragma once

#include "base/bytes.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>

namespace tamga::test {

enum class KeyKind : std::uint8_t { rsa_2048, ec_p256, gost2015_512, gost2015_256, gost2004 };

[[nodiscard]] bool is_gost(KeyKind kind) noexcept;

/// A new key. gost-engine's object: its encodings have Russian names.
[[nodiscard]] std::shared_ptr<EVP_PKEY> make_gost_key(KeyKind kind);

/// The key whose public half is `point`: x || y, each little-endian.
[[nodiscard]] std::shared_ptr<EVP_PKEY> gost_public_key(KeyKind kind, View point);
[[nodiscard]] Bytes gost_point(EVP_PKEY const* key);

/// s || r, both big-endian.
[[nodiscard]] Bytes gost_sign_digest(EVP_PKEY* key, View digest);

/// Streebog or, for gost2004, GOST 34.311.
[[nodiscard]] Bytes gost_digest(KeyKind kind, View octets);

/// Puts the key into a certificate or request, under Kazakhstan's names.
void set_public_key(X509_PUBKEY* into, KeyKind kind, View point);

/// AlgorithmIdentifier of such a key, as it stands with a private one.
[[nodiscard]] Bytes gost_key_identifier(KeyKind kind);

/// AlgorithmIdentifier of a signature: identifier and NULL.
void set_signature_algorithm(X509_ALGOR const* into, KeyKind kind);

/// The signature as it stands in certificates, CRLs and OCSP answers.
void set_signature(ASN1_BIT_STRING const* into, View raw_signature);

} // namespace tamga::test

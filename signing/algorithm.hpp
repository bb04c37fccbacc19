// The algorithm registry: everything that depends on the kind of a key, as values. Adding an algorithm is adding an
// entry; nobody else asks "is it RSA?". The PKCS#11 names stand in pkcs11/, keyed by the same KeyAlgorithm.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace tamga::signing {

enum class KeyAlgorithm : std::uint8_t { rsa, ec_p256 };
enum class DigestAlgorithm : std::uint8_t { sha256 };

/// How the signature value of PKCS#11 and of CMS/XML relate.
enum class SignatureEncoding : std::uint8_t {
    as_is,      ///< RSA: the same octets everywhere
    r_s_or_der, ///< ECDSA: r||s from PKCS#11 and in XML (RFC 4051 section 3.4.1), DER Ecdsa-Sig-Value in CMS (RFC 5753)
};

struct Algorithm {
    KeyAlgorithm key;
    std::string_view name; ///< as NCALayer's getKeyInfo names it: "RSA"
    DigestAlgorithm digest;
    std::size_t digest_size;        ///< octets
    std::string_view digest_oid;    ///< dotted
    std::string_view signature_oid; ///< dotted; what CMS writes into SignerInfo.signatureAlgorithm
    bool signature_parameters_null; ///< whether that AlgorithmIdentifier carries an explicit NULL
    std::string_view xml_digest_uri;
    std::string_view xml_signature_uri;
    SignatureEncoding encoding;
    std::size_t coordinate_size; ///< octets of r and of s; 0 where the value is no pair
};

/// The entry of a key algorithm: total, valid for the program's life.
[[nodiscard]] Algorithm const& algorithm(KeyAlgorithm key) noexcept;

/// The entry whose XML SignatureMethod is `uri`; nullptr where there is none.
[[nodiscard]] Algorithm const* algorithm_by_xml_uri(std::string_view uri) noexcept;

/// Digest of `octets`. Blocking: about 1 ms a megabyte for SHA-256 (OpenSSL EVP).
[[nodiscard]] Bytes digest(DigestAlgorithm algorithm, View octets);

/// Starts OpenSSL without the system's configuration file, whose reading is half of a short-lived process's start, and
/// looks up what hashing and reading a certificate need, which would else wait for the first one. For programs that are
/// started before there is work for them; call first in main. Takes about 2 ms.
void start_openssl() noexcept;

/// A signature value of PKCS#11 in the form CMS wants. Error: signature_invalid (no pair of the algorithm's size).
Result<Bytes> to_cms_signature(Algorithm const& algorithm, View raw_signature);

} // namespace tamga::signing

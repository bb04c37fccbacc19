// The algorithm registry: everything that depends on the kind of a key, as values. Adding an algorithm is adding an
// entry; nobody else asks "is it RSA?". The PKCS#11 names stand in pkcs11/, keyed by the same KeyAlgorithm.
#pragma once

#include "signing/digest.hpp"
#include "signing/gost.hpp"

#include <openssl/types.h>

#include <span>
#include <string_view>

namespace tamga::signing {

enum class KeyAlgorithm : std::uint8_t {
    rsa,
    ec_p256,
    gost2015_512, ///< GOST 34.10-2015 with 512 bits: what the NCA issues since 2024
    gost2015_256, ///< the same with 256 bits
    gost2004,     ///< GOST 34.310-2004: its certificates have expired, what was signed with it is still read
};

/// How a raw signature (ipc::Signatures) and the value in CMS and XML relate.
enum class SignatureEncoding : std::uint8_t {
    as_is,      ///< RSA: the same octets everywhere
    r_s_or_der, ///< ECDSA: r||s from PKCS#11 and in XML (RFC 4051 section 3.4.1), DER Ecdsa-Sig-Value in CMS (RFC 5753)
    reversed,   ///< GOST: raw is s||r, both big-endian (RFC 4491); in Kazakhstan r||s, both little-endian, everywhere
};

/// A kind of key that OpenSSL does not know: its name in Kazakhstan, and in Russia, where the same curve is used.
struct ForeignKey {
    char const* name;                  ///< given to OpenSSL
    char const* parameters_oid;        ///< dotted; the first member of the parameters in a SubjectPublicKeyInfo
    char const* digest_parameters_oid; ///< dotted; the second member, which may be left out
    gost::Names russian;
};

struct Algorithm {
    KeyAlgorithm key;
    std::string_view name;      ///< as NCALayer's getKeyInfo names it: "RSA"
    char const* key_oid;        ///< dotted; in SubjectPublicKeyInfo
    std::string_view key_group; ///< OpenSSL's name of the curve; empty where the identifiers alone tell the algorithm
    ForeignKey const* foreign;  ///< nullptr where OpenSSL knows the key itself
    DigestAlgorithm digest;
    std::size_t digest_size;        ///< octets
    char const* digest_oid;         ///< dotted
    char const* signature_oid;      ///< dotted; in SignerInfo.signatureAlgorithm and in certificates
    bool signature_parameters_null; ///< whether that AlgorithmIdentifier carries an explicit NULL
    std::string_view xml_digest_uri;
    std::string_view xml_signature_uri;
    SignatureEncoding encoding;
    std::size_t coordinate_size;  ///< octets of r and of s; 0 where the value is no pair
    char const* timestamp_policy; ///< dotted; under which the NCA's service stamps such signatures
};

/// The entry of a key algorithm: total, valid for the program's life.
[[nodiscard]] Algorithm const& algorithm(KeyAlgorithm key) noexcept;

/// The entry whose XML SignatureMethod is `uri`; nullptr where there is none.
[[nodiscard]] Algorithm const* algorithm_by_xml_uri(std::string_view uri) noexcept;

/// Every entry. For tests, and for what must be told of all of them.
[[nodiscard]] std::span<Algorithm const> algorithms() noexcept;

/// Whether what `algorithm` needs is on this computer. Loads it, where that takes loading (signing/gost.hpp).
/// Error: algorithm_unavailable.
Result<void> available(Algorithm const& algorithm);

/// The entry for the key of a certificate or request; nullptr where there is none. `key` as OpenSSL decoded it.
[[nodiscard]] Algorithm const* algorithm_of(X509_PUBKEY const* key);

/// Starts OpenSSL without the system's configuration file, whose reading is half of a short-lived process's start, and
/// looks up what hashing and reading a certificate need, which would else wait for the first one. For programs that are
/// started before there is work for them; call first in main. Takes about 2 ms.
void start_openssl() noexcept;

/// A raw signature in the form CMS wants. Error: signature_invalid (no pair of the algorithm's size).
Result<Bytes> to_cms_signature(Algorithm const& algorithm, View raw_signature);

/// A raw signature in the form XMLDSig wants, and a page that asked for nothing but the signature.
[[nodiscard]] Bytes to_bare_signature(Algorithm const& algorithm, View raw_signature);

} // namespace tamga::signing

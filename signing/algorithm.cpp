#include "signing/algorithm.hpp"

#include "signing/der.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>

namespace tamga::signing {

namespace {

/// In the order of KeyAlgorithm.
constexpr std::array algorithms{
    Algorithm{.key = KeyAlgorithm::rsa,
              .name = "RSA",
              .digest = DigestAlgorithm::sha256,
              .digest_size = 32,
              .digest_oid = "2.16.840.1.101.3.4.2.1",
              .signature_oid = "1.2.840.113549.1.1.11",
              .signature_parameters_null = true,
              .xml_digest_uri = "http://www.w3.org/2001/04/xmlenc#sha256",
              .xml_signature_uri = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
              .encoding = SignatureEncoding::as_is,
              .coordinate_size = 0},
    Algorithm{.key = KeyAlgorithm::ec_p256,
              .name = "EC",
              .digest = DigestAlgorithm::sha256,
              .digest_size = 32,
              .digest_oid = "2.16.840.1.101.3.4.2.1",
              .signature_oid = "1.2.840.10045.4.3.2",
              .signature_parameters_null = false,
              .xml_digest_uri = "http://www.w3.org/2001/04/xmlenc#sha256",
              .xml_signature_uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
              .encoding = SignatureEncoding::r_s_or_der,
              .coordinate_size = 32},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < algorithms.size(); ++i) {
        if (static_cast<std::size_t>(algorithms[i].key) != i) return false;
    }
    return true;
}
static_assert(in_order());

EVP_MD const* method(DigestAlgorithm algorithm) noexcept {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return EVP_sha256();
    }
    return nullptr;
}

/// INTEGER of a big-endian number without sign (X.690, section 8.3).
Bytes unsigned_integer(View number) {
    static constexpr unsigned char zero = 0;
    while (number.size() > 1 && number[0] == 0)
        number = number.subspan(1);
    return der::element(der::integer, {{&zero, number[0] >= 0x80 ? 1U : 0U}, number});
}

} // namespace

Algorithm const& algorithm(KeyAlgorithm key) noexcept {
    return algorithms[static_cast<std::size_t>(key)];
}

Algorithm const* algorithm_by_xml_uri(std::string_view uri) noexcept {
    for (auto const& entry : algorithms) {
        if (entry.xml_signature_uri == uri) return &entry;
    }
    return nullptr;
}

Bytes digest(DigestAlgorithm algorithm, View octets) {
    Bytes value(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_Digest(octets.data(), octets.size(), value.data(), &size, method(algorithm), nullptr);
    value.resize(size);
    return value;
}

void start_openssl() noexcept {
    ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    static_cast<void>(digest(DigestAlgorithm::sha256, {}));
    // SubjectPublicKeyInfo of the base point of P-256 (SEC 2, section 2.4.2): any key would do.
    static constexpr std::array<unsigned char, 91> some_key{
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
        0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1,
        0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
        0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
        0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
        0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    auto const* at = some_key.data();
    ::EVP_PKEY_free(::d2i_PUBKEY(nullptr, &at, some_key.size()));
}

Result<Bytes> to_cms_signature(Algorithm const& algorithm, View raw_signature) {
    switch (algorithm.encoding) {
    case SignatureEncoding::as_is: return to_bytes(raw_signature);
    case SignatureEncoding::r_s_or_der: {
        auto const size = algorithm.coordinate_size;
        if (raw_signature.size() != 2 * size) return Errc::signature_invalid;
        return der::element(der::sequence, {unsigned_integer(raw_signature.first(size)),
                                            unsigned_integer(raw_signature.subspan(size))});
    }
    }
    return Errc::internal;
}

} // namespace tamga::signing

#include "signing/algorithm.hpp"

#include "signing/der.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

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

void skip_openssl_configuration() noexcept {
    ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
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

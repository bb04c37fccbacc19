#include "signing/algorithm.hpp"

#include "signing/der.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>

namespace tamga::signing {

namespace {

// Object identifiers and the Russian names of the same curves and digests: the NCA's certificates, and documents signed
// with its software (docs/ncalayer.md tells which of them were seen on real data).

constexpr ForeignKey foreign_2015_512{.name = "kz-gost2015-512",
                                      .parameters_oid = "1.2.398.3.10.1.1.2.2.1",
                                      .digest_parameters_oid = "1.2.398.3.10.1.3.3",
                                      .russian = {.key = "1.2.643.7.1.1.1.2",
                                                  .parameters = "1.2.643.7.1.2.1.2.1", // tc26-512-A
                                                  .digest_parameters = ""}};
constexpr ForeignKey foreign_2015_256{.name = "kz-gost2015-256",
                                      .parameters_oid = "1.2.398.3.10.1.1.2.1.1",
                                      .digest_parameters_oid = "1.2.398.3.10.1.3.2",
                                      .russian = {.key = "1.2.643.7.1.1.1.1",
                                                  .parameters = "1.2.643.7.1.2.1.1.1", // tc26-256-A
                                                  .digest_parameters = "1.2.643.7.1.1.2.2"}};
constexpr ForeignKey foreign_2004{.name = "kz-gost2004",
                                  .parameters_oid = "1.2.398.3.10.1.1.1.1.1",
                                  .digest_parameters_oid = "1.2.398.3.10.1.3.1.1.0",
                                  .russian = {.key = "1.2.643.2.2.19",
                                              .parameters = "1.2.643.2.2.35.1", // CryptoPro-A
                                              .digest_parameters = "1.2.643.2.2.30.1"}};

/// In the order of KeyAlgorithm.
constexpr std::array entries{
    Algorithm{.key = KeyAlgorithm::rsa,
              .name = "RSA",
              .key_oid = "1.2.840.113549.1.1.1",
              .key_group = "",
              .foreign = nullptr,
              .digest = DigestAlgorithm::sha256,
              .digest_size = name_of(DigestAlgorithm::sha256).octets,
              .digest_oid = name_of(DigestAlgorithm::sha256).oid,
              .signature_oid = "1.2.840.113549.1.1.11",
              .signature_parameters_null = true,
              .xml_digest_uri = name_of(DigestAlgorithm::sha256).xml_uri,
              .xml_signature_uri = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
              .encoding = SignatureEncoding::as_is,
              .coordinate_size = 0,
              .timestamp_policy = "1.2.398.3.3.2.6.2"},
    Algorithm{.key = KeyAlgorithm::ec_p256,
              .name = "EC",
              .key_oid = "1.2.840.10045.2.1",
              .key_group = "prime256v1",
              .foreign = nullptr,
              .digest = DigestAlgorithm::sha256,
              .digest_size = name_of(DigestAlgorithm::sha256).octets,
              .digest_oid = name_of(DigestAlgorithm::sha256).oid,
              .signature_oid = "1.2.840.10045.4.3.2",
              .signature_parameters_null = false,
              .xml_digest_uri = name_of(DigestAlgorithm::sha256).xml_uri,
              .xml_signature_uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
              .encoding = SignatureEncoding::r_s_or_der,
              .coordinate_size = 32,
              .timestamp_policy = "1.2.398.3.3.2.6.2"},
    Algorithm{.key = KeyAlgorithm::gost2015_512,
              .name = "ECGOST3410-2015-512",
              .key_oid = "1.2.398.3.10.1.1.2.2",
              .key_group = "",
              .foreign = &foreign_2015_512,
              .digest = DigestAlgorithm::streebog512,
              .digest_size = name_of(DigestAlgorithm::streebog512).octets,
              .digest_oid = name_of(DigestAlgorithm::streebog512).oid,
              .signature_oid = "1.2.398.3.10.1.1.2.3.2",
              .signature_parameters_null = true,
              .xml_digest_uri = name_of(DigestAlgorithm::streebog512).xml_uri,
              .xml_signature_uri = "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34102015-gostr34112015-512",
              .encoding = SignatureEncoding::reversed,
              .coordinate_size = 64,
              .timestamp_policy = "1.2.398.3.3.2.6.4"},
    Algorithm{.key = KeyAlgorithm::gost2015_256,
              .name = "ECGOST3410-2015-256",
              .key_oid = "1.2.398.3.10.1.1.2.1",
              .key_group = "",
              .foreign = &foreign_2015_256,
              .digest = DigestAlgorithm::streebog256,
              .digest_size = name_of(DigestAlgorithm::streebog256).octets,
              .digest_oid = name_of(DigestAlgorithm::streebog256).oid,
              .signature_oid = "1.2.398.3.10.1.1.2.3.1",
              .signature_parameters_null = true,
              .xml_digest_uri = name_of(DigestAlgorithm::streebog256).xml_uri,
              .xml_signature_uri = "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34102015-gostr34112015-256",
              .encoding = SignatureEncoding::reversed,
              .coordinate_size = 32,
              .timestamp_policy = "1.2.398.3.3.2.6.4"},
    Algorithm{.key = KeyAlgorithm::gost2004,
              .name = "ECGOST34310",
              .key_oid = "1.2.398.3.10.1.1.1.1",
              .key_group = "",
              .foreign = &foreign_2004,
              .digest = DigestAlgorithm::gost34311,
              .digest_size = name_of(DigestAlgorithm::gost34311).octets,
              .digest_oid = name_of(DigestAlgorithm::gost34311).oid,
              .signature_oid = "1.2.398.3.10.1.1.1.2",
              .signature_parameters_null = true,
              .xml_digest_uri = name_of(DigestAlgorithm::gost34311).xml_uri,
              .xml_signature_uri = "http://www.w3.org/2001/04/xmldsig-more#gost34310-gost34311",
              .encoding = SignatureEncoding::reversed,
              .coordinate_size = 32,
              .timestamp_policy = "1.2.398.3.3.2.6.1"},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (static_cast<std::size_t>(entries[i].key) != i) return false;
    }
    return true;
}
static_assert(in_order());

/// INTEGER of a big-endian number without sign (X.690, section 8.3).
Bytes unsigned_integer(View number) {
    static constexpr unsigned char zero = 0;
    while (number.size() > 1 && number[0] == 0)
        number = number.subspan(1);
    return der::element(der::integer, {{&zero, number[0] >= 0x80 ? 1U : 0U}, number});
}

} // namespace

Algorithm const& algorithm(KeyAlgorithm key) noexcept {
    return entries[static_cast<std::size_t>(key)];
}

Algorithm const* algorithm_by_xml_uri(std::string_view uri) noexcept {
    for (auto const& entry : entries) {
        if (entry.xml_signature_uri == uri) return &entry;
    }
    return nullptr;
}

std::span<Algorithm const> algorithms() noexcept {
    return entries;
}

Result<void> available(Algorithm const& algorithm) {
    return algorithm.foreign == nullptr ? ok() : gost::load();
}

Algorithm const* algorithm_of(X509_PUBKEY const* key) {
    ASN1_OBJECT* named = nullptr;
    X509_PUBKEY_get0_param(&named, nullptr, nullptr, nullptr, key);
    char oid[128] = "";
    OBJ_obj2txt(oid, sizeof oid, named, 1);
    char group[64] = "";
    for (auto const& entry : entries) {
        if (std::string_view{oid} != entry.key_oid) continue;
        if (entry.key_group.empty()) return &entry;
        EVP_PKEY_get_group_name(X509_PUBKEY_get0(key), group, sizeof group, nullptr);
        if (entry.key_group == group) return &entry;
    }
    return nullptr;
}

void start_openssl() noexcept {
    ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    static_cast<void>(sha256({}));
    // One SubjectPublicKeyInfo of each kind: any key would do. The smallest of RSA, and the base point of P-256 (SEC 2,
    // section 2.4.2).
    static constexpr std::array<unsigned char, 29> some_rsa_key{
        0x30, 0x1b, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
        0x05, 0x00, 0x03, 0x0a, 0x00, 0x30, 0x07, 0x02, 0x02, 0x00, 0xc5, 0x02, 0x01, 0x03};
    static constexpr std::array<unsigned char, 91> some_ec_key{
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
        0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1,
        0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
        0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
        0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
        0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    for (View const key : {View{some_rsa_key}, View{some_ec_key}}) {
        auto const* at = key.data();
        ::EVP_PKEY_free(::d2i_PUBKEY(nullptr, &at, static_cast<long>(key.size())));
    }
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
    case SignatureEncoding::reversed:
        if (raw_signature.size() != 2 * algorithm.coordinate_size) return Errc::signature_invalid;
        return Bytes(raw_signature.rbegin(), raw_signature.rend());
    }
    return Errc::internal;
}

Bytes to_bare_signature(Algorithm const& algorithm, View raw_signature) {
    switch (algorithm.encoding) {
    case SignatureEncoding::as_is:
    case SignatureEncoding::r_s_or_der: break;
    case SignatureEncoding::reversed: return {raw_signature.rbegin(), raw_signature.rend()};
    }
    return to_bytes(raw_signature);
}

} // namespace tamga::signing

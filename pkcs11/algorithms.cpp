#include "pkcs11/algorithms.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11x.h>

#include <array>

namespace tamga::pkcs11 {

namespace {

// SEQUENCE { SEQUENCE { id-sha256, NULL }, OCTET STRING (32) } without the 32 octets.
constexpr unsigned char sha256_digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

Bytes modulus(::X509 const& certificate) {
    ::BIGNUM* number = nullptr;
    if (::EVP_PKEY_get_bn_param(::X509_get0_pubkey(&certificate), OSSL_PKEY_PARAM_RSA_N, &number) != 1) return {};
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(number)));
    ::BN_bn2bin(number, octets.data());
    ::BN_free(number);
    return octets;
}

constexpr std::array as_defined{SignatureOrder::as_it_is};
/// PKCS#11 v2.40 does not say; SoftHSM2 and RFC 4491 have the first, Kazakhstan's own software the second.
constexpr std::array gost_orders{SignatureOrder::as_it_is, SignatureOrder::reversed, SignatureOrder::halves_swapped,
                                 SignatureOrder::halves_reversed};

/// The point as it stands in subjectPublicKey (RFC 5480 section 2.2): CKA_EC_POINT wraps it in an OCTET STRING.
Bytes point(::X509 const& certificate) {
    auto const* bits = ::X509_get0_pubkey_bitstr(&certificate);
    return {bits->data, bits->data + bits->length};
}

/// x || y, each little-endian: subjectPublicKey is an OCTET STRING with it (RFC 4491 section 2.3.2), CKA_VALUE the bare
/// point (PKCS#11 v2.40, 2.25.3), and the head of the string is in front of it where a module wraps it all the same.
Bytes gost_point(::X509 const& certificate) {
    auto const* bits = ::X509_get0_pubkey_bitstr(&certificate);
    auto const size = static_cast<std::size_t>(bits->length);
    auto const coordinates = size >= 128 ? std::size_t{128} : std::size_t{64};
    if (size < coordinates) return {};
    return {bits->data + size - coordinates, bits->data + size};
}

std::string dotted(View der) {
    auto const* at = der.data();
    auto* object = ::d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(der.size()));
    char text[128] = "";
    if (object != nullptr) ::OBJ_obj2txt(text, sizeof text, object, 1);
    ::ASN1_OBJECT_free(object);
    ::ERR_clear_error();
    return text;
}

} // namespace

bool accepts_parameters(signing::KeyAlgorithm key, View parameters) {
    auto const* foreign = signing::algorithm(key).foreign;
    if (foreign == nullptr || parameters.empty()) return true;
    auto const oid = dotted(parameters);
    return oid == foreign->parameters_oid || oid == foreign->russian.parameters;
}

SignatureMechanism signature_mechanism(signing::KeyAlgorithm key) noexcept {
    constexpr auto none = CKA_VENDOR_DEFINED;
    switch (key) {
    case signing::KeyAlgorithm::rsa:
        return {CKM_RSA_PKCS, CKK_RSA, sha256_digest_info, CKA_MODULUS, PublicHalf::in_either_key,
                modulus,      none,    as_defined};
    case signing::KeyAlgorithm::ec_p256:
        return {CKM_ECDSA, CKK_EC, {}, CKA_EC_POINT, PublicHalf::in_either_key, point, none, as_defined};
    case signing::KeyAlgorithm::gost2015_512:
        return {CKM_GOSTR3410_512, CKK_GOSTR3410_512,    {},         CKA_VALUE, PublicHalf::in_public_key,
                gost_point,        CKA_GOSTR3410_PARAMS, gost_orders};
    case signing::KeyAlgorithm::gost2015_256:
    case signing::KeyAlgorithm::gost2004:
        return {CKM_GOSTR3410, CKK_GOSTR3410,        {},         CKA_VALUE, PublicHalf::in_public_key,
                gost_point,    CKA_GOSTR3410_PARAMS, gost_orders};
    }
    return {CKM_VENDOR_DEFINED, CKK_VENDOR_DEFINED, {}, none, PublicHalf::in_public_key, point, none, as_defined};
}

} // namespace tamga::pkcs11

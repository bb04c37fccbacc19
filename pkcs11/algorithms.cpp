#include "pkcs11/algorithms.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

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

/// The point as it stands in subjectPublicKey (RFC 5480 section 2.2): CKA_EC_POINT wraps it in an OCTET STRING.
Bytes point(::X509 const& certificate) {
    auto const* bits = ::X509_get0_pubkey_bitstr(&certificate);
    return {bits->data, bits->data + bits->length};
}

} // namespace

SignatureMechanism signature_mechanism(signing::KeyAlgorithm key) noexcept {
    switch (key) {
    case signing::KeyAlgorithm::rsa: return {CKM_RSA_PKCS, CKK_RSA, sha256_digest_info, CKA_MODULUS, modulus};
    case signing::KeyAlgorithm::ec_p256: return {CKM_ECDSA, CKK_EC, {}, CKA_EC_POINT, point};
    }
    return {CKM_VENDOR_DEFINED, CKK_VENDOR_DEFINED, {}, CKA_VENDOR_DEFINED, point};
}

} // namespace tamga::pkcs11

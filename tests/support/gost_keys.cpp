#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/support/gost_keys.hpp"

#include "signing/der.hpp"
#include "signing/digest.hpp"
#include "signing/gost.hpp"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tamga::test {

namespace {

namespace der = signing::der;

void require(bool done, char const* what) {
    if (done) return;
    std::fprintf(stderr, "GOST keys: %s\n", what);
    ERR_print_errors_fp(stderr);
    std::abort();
}

/// Written down a second time, from the certificates themselves: the registry is what is tested with it.
struct Names {
    KeyKind kind;
    int russian_key;
    char const* russian_parameters;
    char const* key_oid;
    char const* parameters_oid;
    char const* digest_oid;
    char const* signature_oid;
    signing::DigestAlgorithm digest;
};
constexpr Names all_names[] = {
    {KeyKind::gost2015_512, NID_id_GostR3410_2012_512, "A", "1.2.398.3.10.1.1.2.2", "1.2.398.3.10.1.1.2.2.1",
     "1.2.398.3.10.1.3.3", "1.2.398.3.10.1.1.2.3.2", signing::DigestAlgorithm::streebog512},
    {KeyKind::gost2015_256, NID_id_GostR3410_2012_256, "TCA", "1.2.398.3.10.1.1.2.1", "1.2.398.3.10.1.1.2.1.1",
     "1.2.398.3.10.1.3.2", "1.2.398.3.10.1.1.2.3.1", signing::DigestAlgorithm::streebog256},
    {KeyKind::gost2004, NID_id_GostR3410_2001, "A", "1.2.398.3.10.1.1.1.1", "1.2.398.3.10.1.1.1.1.1",
     "1.2.398.3.10.1.3.1.1.0", "1.2.398.3.10.1.1.1.2", signing::DigestAlgorithm::gost34311},
};

Names const& names_of(KeyKind kind) {
    auto const* found = std::ranges::find(all_names, kind, &Names::kind);
    require(found != std::end(all_names), "not a GOST key");
    return *found;
}

ENGINE* engine() {
    require(signing::gost::load().has_value(), "libengine-gost-openssl");
    auto* found = ENGINE_by_id("gost");
    ENGINE_free(found); // the loaded one stays
    return found;
}

using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

/// What stands behind subjectPublicKey's BIT STRING in the encoding of `key`.
Bytes encoded_point(EVP_PKEY const* key) {
    unsigned char* octets = nullptr;
    auto const size = i2d_PUBKEY(key, &octets);
    require(size > 0, "public key");
    View rest{octets, static_cast<std::size_t>(size)};
    rest = der::take(rest, der::sequence)->content;
    der::take(rest, der::sequence);
    auto point = to_bytes(der::take(rest, der::bit_string)->content.subspan(1));
    OPENSSL_free(octets);
    return point;
}

} // namespace

bool is_gost(KeyKind kind) noexcept {
    return kind != KeyKind::rsa_2048 && kind != KeyKind::ec_p256;
}

std::shared_ptr<EVP_PKEY> make_gost_key(KeyKind kind) {
    auto const& names = names_of(kind);
    Context const context{EVP_PKEY_CTX_new_id(names.russian_key, engine()), EVP_PKEY_CTX_free};
    EVP_PKEY* key = nullptr;
    require(context && EVP_PKEY_keygen_init(context.get()) == 1 &&
                EVP_PKEY_CTX_ctrl_str(context.get(), "paramset", names.russian_parameters) == 1 &&
                EVP_PKEY_keygen(context.get(), &key) == 1,
            "key");
    return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> gost_public_key(KeyKind kind, View point) {
    // Any key of the kind has the AlgorithmIdentifier wanted.
    unsigned char* octets = nullptr;
    auto const size = i2d_PUBKEY(make_gost_key(kind).get(), &octets);
    View rest{octets, static_cast<std::size_t>(size)};
    rest = der::take(rest, der::sequence)->content;
    auto const identifier = der::take(rest, der::sequence)->octets;
    static constexpr unsigned char no_unused_bits = 0;
    auto const info = der::element(
        der::sequence,
        {identifier, der::element(der::bit_string, {{&no_unused_bits, 1}, der::element(der::octet_string, {point})})});
    OPENSSL_free(octets);
    auto const* at = info.data();
    std::shared_ptr<EVP_PKEY> key{d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())), EVP_PKEY_free};
    require(key != nullptr, "point");
    return key;
}

Bytes gost_point(EVP_PKEY const* key) {
    auto const encoded = encoded_point(key);
    View rest{encoded};
    return to_bytes(der::take(rest, der::octet_string)->content);
}

Bytes gost_sign_digest(EVP_PKEY* key, View digest) {
    Context const context{EVP_PKEY_CTX_new(key, engine()), EVP_PKEY_CTX_free};
    Bytes signature(2 * digest.size());
    auto size = signature.size();
    require(context && EVP_PKEY_sign_init(context.get()) == 1 &&
                EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1,
            "signature");
    signature.resize(size);
    return signature;
}

Bytes gost_digest(KeyKind kind, View octets) {
    return *signing::digest(names_of(kind).digest, octets);
}

void set_public_key(X509_PUBKEY* into, KeyKind kind, View point) {
    auto const& names = names_of(kind);
    auto const parameters = der::element(der::sequence, {der::oid(names.parameters_oid), der::oid(names.digest_oid)});
    auto* sequence = ASN1_STRING_new();
    ASN1_STRING_set(sequence, parameters.data(), static_cast<int>(parameters.size()));
    auto const octets = der::element(der::octet_string, {point});
    auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(octets.data(), octets.size()));
    require(X509_PUBKEY_set0_param(into, OBJ_txt2obj(names.key_oid, 1), V_ASN1_SEQUENCE, sequence, copy,
                                   static_cast<int>(octets.size())) == 1,
            "public key");
}

Bytes gost_key_identifier(KeyKind kind) {
    auto const& names = names_of(kind);
    return der::element(der::sequence,
                        {der::oid(names.key_oid),
                         der::element(der::sequence, {der::oid(names.parameters_oid), der::oid(names.digest_oid)})});
}

void set_signature_algorithm(X509_ALGOR const* into, KeyKind kind) {
    // OpenSSL has no function to set it other than signing, which it cannot do with these keys.
    require(X509_ALGOR_set0(const_cast<X509_ALGOR*>(into), OBJ_txt2obj(names_of(kind).signature_oid, 1), V_ASN1_NULL,
                            nullptr) == 1,
            "signature algorithm");
}

void set_signature(ASN1_BIT_STRING const* into, View raw_signature) {
    Bytes const value(raw_signature.rbegin(), raw_signature.rend());
    auto* string = const_cast<ASN1_BIT_STRING*>(into);
    require(ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())) == 1, "signature");
    string->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
    string->flags |= ASN1_STRING_FLAG_BITS_LEFT; // and none of them
}

} // namespace tamga::test

#include "tests/support/test_certificates.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>

namespace tamga::test {

namespace {

void require(bool done, char const* what) {
    if (done) return;
    std::fprintf(stderr, "test certificates: %s\n", what);
    std::abort();
}

using Key = std::shared_ptr<EVP_PKEY>;
using X509Pointer = std::shared_ptr<::X509>;

Key make_key(KeyKind kind) {
    if (is_gost(kind)) return make_gost_key(kind);
    Key key{kind == KeyKind::rsa_2048 ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256"), EVP_PKEY_free};
    require(key != nullptr, "key");
    return key;
}

void add_to(X509_NAME* name, int nid, std::string const& value) {
    if (value.empty()) return;
    require(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, as_view(value).data(), static_cast<int>(value.size()),
                                       -1, 0) == 1,
            "name");
}

void add_extension(::X509* certificate, ::X509* issuer, int nid, std::string const& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "extension");
    X509_EXTENSION_free(extension);
}

X509Pointer parsed(View der) {
    auto const* at = der.data();
    X509Pointer certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free};
    require(certificate != nullptr, "certificate");
    return certificate;
}

Bytes der_of(::X509* certificate) {
    unsigned char* der = nullptr;
    auto const size = i2d_X509(certificate, &der);
    require(size > 0, "DER");
    Bytes octets(der, der + size);
    OPENSSL_free(der);
    return octets;
}

/// Version, serial number, validity and key; the rest is up to the caller.
X509Pointer make_blank(KeyKind kind, EVP_PKEY* key, std::int64_t not_before, std::int64_t not_after) {
    X509Pointer certificate{X509_new(), X509_free};
    unsigned char serial[20];
    RAND_bytes(serial, sizeof serial);
    serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 1);
    auto* number = BN_bin2bn(serial, sizeof serial, nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
    BN_free(number);
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), not_before);
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after);
    require(X509_set_pubkey(certificate.get(), key) == 1, "public key");
    if (is_gost(kind)) set_public_key(X509_get_X509_PUBKEY(certificate.get()), kind, gost_point(key));
    return certificate;
}

void sign(::X509* certificate, TestKey const& issuer) {
    if (!is_gost(issuer.kind)) {
        require(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0, "signature of the certificate");
        return;
    }
    ASN1_BIT_STRING const* value = nullptr;
    X509_ALGOR const* algorithm = nullptr;
    X509_get0_signature(&value, &algorithm, certificate);
    set_signature_algorithm(X509_get0_tbs_sigalg(certificate), issuer.kind);
    set_signature_algorithm(algorithm, issuer.kind);
    unsigned char* to_be_signed = nullptr;
    auto const size = i2d_re_X509_tbs(certificate, &to_be_signed);
    require(size > 0, "TBSCertificate");
    set_signature(value, issuer.sign({to_be_signed, static_cast<std::size_t>(size)}));
    OPENSSL_free(to_be_signed);
}

TestKey const& authority() {
    static auto const instance = make_authority(KeyKind::ec_p256, "TAMGA TEST CA");
    return instance;
}

void name_owner(X509_NAME* name, CertificateSpec const& spec) {
    add_to(name, NID_commonName, spec.common_name);
    add_to(name, NID_surname, spec.surname);
    add_to(name, NID_serialNumber, spec.iin.empty() ? "" : "IIN" + spec.iin);
    add_to(name, NID_countryName, "KZ");
    add_to(name, NID_organizationName, spec.organisation);
    add_to(name, NID_organizationalUnitName, spec.bin.empty() ? "" : "BIN" + spec.bin);
    add_to(name, NID_givenName, spec.patronymic);
}

Bytes r_and_s(Bytes const& der) {
    auto const* at = der.data();
    std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> const pair{
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free};
    require(pair != nullptr, "ECDSA value");
    Bytes raw(64);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + 32, 32);
    return raw;
}

template <class Write>
std::string pem_of(Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory{BIO_new(BIO_s_mem()), BIO_free};
    require(write(memory.get()) == 1, "PEM");
    char* text = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

} // namespace

Bytes TestKey::sign(View octets) const {
    if (is_gost(kind)) return gost_sign_digest(key.get(), gost_digest(kind, octets));
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    auto size = signature.size();
    require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                EVP_DigestSign(context.get(), signature.data(), &size, octets.data(), octets.size()) == 1,
            "signature");
    signature.resize(size);
    return EVP_PKEY_is_a(key.get(), "EC") == 1 ? r_and_s(signature) : signature;
}

std::string TestKey::private_key_pem() const {
    return pem_of([this](BIO* memory) {
        return PEM_write_bio_PKCS8PrivateKey(memory, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

TestKey make_certificate(CertificateSpec const& spec, TestKey const* issuer) {
    auto key = make_key(spec.key);
    auto certificate = issue(spec, key.get(), issuer);
    return {spec.key, std::move(key), std::move(certificate)};
}

Bytes issue(CertificateSpec const& spec, EVP_PKEY* key, TestKey const* issuer) {
    auto const& by = issuer != nullptr ? *issuer : authority();
    auto const by_certificate = parsed(by.certificate);
    auto const certificate = make_blank(spec.key, key, spec.not_before, spec.not_after);
    name_owner(X509_get_subject_name(certificate.get()), spec);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(by_certificate.get()));
    std::string usages = spec.only_these_usages ? "critical" : "";
    for (auto const& usage : spec.extended_key_usages)
        usages += (usages.empty() ? "" : ",") + usage;
    add_extension(certificate.get(), by_certificate.get(), NID_key_usage, "critical,digitalSignature,nonRepudiation");
    if (!usages.empty()) add_extension(certificate.get(), by_certificate.get(), NID_ext_key_usage, usages);
    add_extension(certificate.get(), by_certificate.get(), NID_subject_key_identifier, "hash");
    add_extension(certificate.get(), by_certificate.get(), NID_authority_key_identifier, "keyid");
    sign(certificate.get(), by);
    return der_of(certificate.get());
}

TestKey make_authority(KeyKind kind, std::string const& common_name, TestKey const* issuer) {
    TestKey made{kind, make_key(kind), {}};
    auto const by_certificate = issuer != nullptr ? parsed(issuer->certificate) : nullptr;
    auto const certificate = make_blank(kind, made.key.get(), 1'600'000'000, 4'100'000'000);
    auto* name = X509_get_subject_name(certificate.get());
    add_to(name, NID_countryName, "KZ");
    add_to(name, NID_commonName, common_name);
    X509_set_issuer_name(certificate.get(), issuer != nullptr ? X509_get_subject_name(by_certificate.get()) : name);
    add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash");
    if (issuer != nullptr) {
        add_extension(certificate.get(), by_certificate.get(), NID_authority_key_identifier, "keyid");
    }
    sign(certificate.get(), issuer != nullptr ? *issuer : made);
    made.certificate = der_of(certificate.get());
    return made;
}

std::string ca_certificate_pem() {
    return certificate_pem(authority().certificate);
}

std::string certificate_pem(View der) {
    auto const certificate = parsed(der);
    return pem_of([&](BIO* memory) { return PEM_write_bio_X509(memory, certificate.get()); });
}

} // namespace tamga::test

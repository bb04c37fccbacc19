#include "tests/support/key_files.hpp"

#include "signing/der.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace tamga::test {

namespace {

namespace der = signing::der;

constexpr int nca_iterations = 1024;
constexpr std::size_t bouncy_castle_chunk = 1000;

void require(bool done, char const* what) {
    if (done) return;
    std::fprintf(stderr, "key file: %s\n", what);
    ERR_print_errors_fp(stderr);
    std::abort();
}

/// OpenSSL's, unloaded before OpenSSL ends.
struct OldCiphers {
    OSSL_PROVIDER* standard = OSSL_PROVIDER_load(nullptr, "default");
    OSSL_PROVIDER* legacy = OSSL_PROVIDER_load(nullptr, "legacy");
    OldCiphers() { require(standard != nullptr && legacy != nullptr, "OpenSSL's legacy provider"); }
    OldCiphers(OldCiphers const&) = delete;
    OldCiphers& operator=(OldCiphers const&) = delete;
    ~OldCiphers() {
        OSSL_PROVIDER_unload(legacy);
        OSSL_PROVIDER_unload(standard);
    }
};
void load_old_ciphers() {
    static OldCiphers const loaded;
}

/// BER of indefinite length (X.690 section 8.1.3.6).
Bytes indefinite(unsigned char tag, std::initializer_list<View> parts) {
    Bytes out{tag, 0x80};
    for (auto const part : parts)
        der::append(out, part);
    der::append(out, Bytes{0, 0});
    return out;
}

/// An OCTET STRING in pieces, under `tag`.
Bytes in_pieces(unsigned char tag, View octets) {
    Bytes pieces;
    for (std::size_t i = 0; i < octets.size(); i += bouncy_castle_chunk) {
        der::append(pieces, der::element(der::octet_string,
                                         {octets.subspan(i, std::min(bouncy_castle_chunk, octets.size() - i))}));
    }
    return indefinite(tag, {pieces});
}

template <class T>
Bytes der_of(T const* object, int (*write)(T const*, unsigned char**)) {
    unsigned char* octets = nullptr;
    auto const size = write(object, &octets);
    require(size > 0, "encoding");
    Bytes made(octets, octets + size);
    OPENSSL_free(octets);
    return made;
}

Bytes encrypted_key(Bytes const& info, std::string const& password) {
    auto const* at = info.data();
    auto* key = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(info.size()));
    require(key != nullptr, "private key");
    auto* wrapped = PKCS8_encrypt(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, nullptr, password.c_str(),
                                  static_cast<int>(password.size()), nullptr, 8, nca_iterations, key);
    require(wrapped != nullptr, "encryption of the key");
    auto made = der_of<X509_SIG>(wrapped, i2d_X509_SIG);
    X509_SIG_free(wrapped);
    PKCS8_PRIV_KEY_INFO_free(key);
    return made;
}

Bytes bag(std::string_view oid, View value) {
    return der::element(der::sequence, {der::oid(oid), der::element(der::context_0, {value})});
}

Bytes certificate_bag(View certificate) {
    auto const octets = der::element(der::octet_string, {certificate});
    auto const inner =
        der::element(der::sequence, {der::oid("1.2.840.113549.1.9.22.1"), der::element(der::context_0, {octets})});
    return bag("1.2.840.113549.1.12.10.1.3", inner);
}

/// ContentInfo { data, content in pieces }.
Bytes data_info(View content) {
    return indefinite(der::sequence, {der::oid("1.2.840.113549.1.7.1"),
                                      indefinite(der::context_0, {in_pieces(der::constructed_octet_string, content)})});
}

/// ContentInfo { encryptedData } under RC2 with 40 bits.
Bytes encrypted_info(Bytes const& content, std::string const& password) {
    auto* algorithm = PKCS5_pbe_set(NID_pbe_WithSHA1And40BitRC2_CBC, nca_iterations, nullptr, 8);
    unsigned char* out = nullptr;
    int size = 0;
    require(PKCS12_pbe_crypt(algorithm, password.c_str(), static_cast<int>(password.size()), content.data(),
                             static_cast<int>(content.size()), &out, &size, 1) != nullptr,
            "RC2");
    Bytes const encrypted(out, out + size);
    OPENSSL_free(out);
    auto const identifier = der_of<X509_ALGOR>(algorithm, i2d_X509_ALGOR);
    X509_ALGOR_free(algorithm);
    auto const info =
        indefinite(der::sequence, {der::oid("1.2.840.113549.1.7.1"), identifier, in_pieces(der::context_0, encrypted)});
    static constexpr unsigned char version[] = {der::integer, 1, 0};
    return indefinite(der::sequence, {der::oid("1.2.840.113549.1.7.6"),
                                      indefinite(der::context_0, {indefinite(der::sequence, {version, info})})});
}

Bytes integer_of(int number) {
    auto* value = ASN1_INTEGER_new();
    ASN1_INTEGER_set(value, number);
    auto made = der_of<ASN1_INTEGER>(value, i2d_ASN1_INTEGER);
    ASN1_INTEGER_free(value);
    return made;
}

/// MacData over the octets of the safes (RFC 7292 section 4).
Bytes mac_data(Bytes const& safes, std::string const& password, int said) {
    Bytes salt(20);
    RAND_bytes(salt.data(), static_cast<int>(salt.size()));
    Bytes key(20);
    require(PKCS12_key_gen_utf8(password.c_str(), static_cast<int>(password.size()), salt.data(),
                                static_cast<int>(salt.size()), PKCS12_MAC_ID, nca_iterations,
                                static_cast<int>(key.size()), key.data(), EVP_sha1()) == 1,
            "key of the MAC");
    Bytes value(20);
    require(HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), safes.data(), safes.size(), value.data(),
                 nullptr) != nullptr,
            "MAC");
    static constexpr unsigned char null[] = {der::null, 0};
    auto const digest_info =
        der::element(der::sequence, {der::element(der::sequence, {der::oid("1.3.14.3.2.26"), null}),
                                     der::element(der::octet_string, {value})});
    return der::element(der::sequence, {digest_info, der::element(der::octet_string, {salt}), integer_of(said)});
}

} // namespace

Bytes private_key_info(TestKey const& key) {
    auto* info = EVP_PKEY2PKCS8(key.key.get());
    require(info != nullptr, "private key");
    auto const made = der_of<PKCS8_PRIV_KEY_INFO>(info, i2d_PKCS8_PRIV_KEY_INFO);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (!is_gost(key.kind)) return made;

    // gost-engine writes the number, little-endian, last and in an OCTET STRING in an OCTET STRING.
    View rest{made};
    rest = der::take(rest, der::sequence)->content;
    der::take(rest, der::integer);
    der::take(rest, der::sequence);
    auto number = der::take(rest, der::octet_string)->content;
    if (number.size() != 32 && number.size() != 64) number = der::take(number, der::octet_string)->content;
    static constexpr unsigned char version[] = {der::integer, 1, 0};
    return der::element(der::sequence, {version, gost_key_identifier(key.kind),
                                        der::element(der::octet_string, {der::element(der::octet_string, {number})})});
}

Bytes nca_key_file(std::vector<TestKey> const& keys, std::string const& password) {
    load_old_ciphers();
    std::vector<Bytes> encrypted;
    std::vector<Bytes> certificates;
    for (auto const& key : keys) {
        encrypted.push_back(encrypted_key(private_key_info(key), password));
        certificates.push_back(key.certificate);
    }
    return nca_key_file(encrypted, certificates, password);
}

Bytes nca_key_file(std::vector<Bytes> const& encrypted_keys, std::vector<Bytes> const& certificates,
                   std::string const& password, int said) {
    load_old_ciphers();
    Bytes key_bags;
    for (auto const& key : encrypted_keys)
        der::append(key_bags, bag("1.2.840.113549.1.12.10.1.2", key));
    Bytes certificate_bags;
    for (auto const& certificate : certificates)
        der::append(certificate_bags, certificate_bag(certificate));
    auto const safes =
        indefinite(der::sequence, {data_info(indefinite(der::sequence, {key_bags})),
                                   encrypted_info(der::element(der::sequence, {certificate_bags}), password)});
    static constexpr unsigned char version[] = {der::integer, 1, 3};
    return indefinite(der::sequence, {version, data_info(safes), mac_data(safes, password, said)});
}

} // namespace tamga::test

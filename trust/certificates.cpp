#include "trust/certificates.hpp"

#include "base/bytes.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <array>

namespace tamga::trust {

namespace {

Error openssl_error(std::string_view what) {
    std::array<char, 256> reason{};
    ::ERR_error_string_n(::ERR_get_error(), reason.data(), reason.size());
    ::ERR_clear_error();
    return {Errc::internal, std::string{what} + ": " + reason.data()};
}

/// A serial number of 127 random bits: positive, and never the same twice.
bool set_serial(::X509* certificate) {
    std::array<unsigned char, 16> octets{};
    if (::RAND_bytes(octets.data(), octets.size()) != 1) return false;
    octets[0] &= 0x7f;
    std::unique_ptr<::BIGNUM, decltype(&::BN_free)> const number{::BN_bin2bn(octets.data(), octets.size(), nullptr),
                                                                 &::BN_free};
    return number && ::BN_to_ASN1_INTEGER(number.get(), ::X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(::X509* certificate, Validity validity) {
    auto const from = std::chrono::system_clock::to_time_t(validity.from);
    auto const to = std::chrono::system_clock::to_time_t(validity.to);
    return ::ASN1_TIME_adj(::X509_getm_notBefore(certificate), from, 0, 0) != nullptr &&
           ::ASN1_TIME_adj(::X509_getm_notAfter(certificate), to, 0, 0) != nullptr;
}

bool set_common_name(::X509* certificate, std::string const& name) {
    return ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                        reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0) == 1;
}

bool add_extension(::X509* certificate, ::X509* issuer, int nid, std::string const& value) {
    ::X509V3_CTX context{};
    ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    std::unique_ptr<::X509_EXTENSION, decltype(&::X509_EXTENSION_free)> const extension{
        ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), &::X509_EXTENSION_free};
    return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// 8 hexadecimal digits of the SHA-256 of the public key.
std::string id_of(::EVP_PKEY* key) {
    unsigned char* encoded = nullptr;
    auto const size = ::i2d_PUBKEY(key, &encoded);
    if (size <= 0) return {};
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(encoded, static_cast<std::size_t>(size), digest.data());
    ::OPENSSL_free(encoded);
    return to_hex(std::span{digest}.first(4));
}

/// A new key and a certificate for it, all but extensions and signature.
Result<Issued> start(Validity validity) {
    Issued issued{Key{::EVP_EC_gen("P-256")}, Certificate{::X509_new()}};
    auto* const certificate = issued.certificate.get();
    if (!issued.key || certificate == nullptr || ::X509_set_version(certificate, X509_VERSION_3) != 1 ||
        !set_serial(certificate) || !set_validity(certificate, validity) ||
        ::X509_set_pubkey(certificate, issued.key.get()) != 1) {
        return openssl_error("new certificate");
    }
    return issued;
}

} // namespace

Result<Issued> make_authority(Validity validity) {
    auto authority = start(validity);
    if (!authority) return authority;
    auto* const certificate = authority->certificate.get();
    auto const named = set_common_name(certificate, "Tamga local CA " + id_of(authority->key.get())) &&
                       ::X509_set_issuer_name(certificate, ::X509_get_subject_name(certificate)) == 1;
    auto const extended =
        named && add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign") &&
        add_extension(certificate, certificate, NID_subject_key_identifier, "hash") &&
        add_extension(certificate, certificate, NID_name_constraints,
                      "critical,permitted;IP:127.0.0.1/255.255.255.255,"
                      "permitted;IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF,permitted;DNS:localhost");
    if (!extended || ::X509_sign(certificate, authority->key.get(), ::EVP_sha256()) == 0) {
        return openssl_error("authority");
    }
    return authority;
}

Result<Issued> make_server_certificate(Issued const& authority, std::string const& names, Validity validity) {
    auto server = start(validity);
    if (!server) return server;
    auto* const certificate = server->certificate.get();
    auto* const issuer = authority.certificate.get();
    auto const extended = set_common_name(certificate, "Tamga on this computer") &&
                          ::X509_set_issuer_name(certificate, ::X509_get_subject_name(issuer)) == 1 &&
                          add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                          add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
                          add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
                          add_extension(certificate, issuer, NID_subject_alt_name, names) &&
                          add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
                          add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
    if (!extended || ::X509_sign(certificate, authority.key.get(), ::EVP_sha256()) == 0) {
        return openssl_error("server certificate");
    }
    return server;
}

} // namespace tamga::trust

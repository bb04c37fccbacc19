#include "keyfile/signing_key.hpp"

#include "base/secret.hpp"
#include "signing/der.hpp"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>

namespace tamga::keyfile {

namespace {

namespace der = signing::der;

/// The secret of a GOST key where it stands in PrivateKeyInfo: the number bare, in an OCTET STRING, or in an INTEGER
/// (RFC 4491 has none of them, RFC 9548 the second). Not copied.
std::optional<Bytes> secret_number(::PKCS8_PRIV_KEY_INFO const* key, std::size_t octets) {
    unsigned char const* start = nullptr;
    int size = 0;
    if (::PKCS8_pkey_get0(nullptr, &start, &size, nullptr, key) != 1 || size <= 0) return std::nullopt;
    View rest{start, static_cast<std::size_t>(size)};
    if (rest.size() == octets) return to_bytes(rest);
    auto const wrapped = der::take(rest);
    if (!wrapped || !rest.empty()) return std::nullopt;
    auto number = wrapped->content;
    if (wrapped->tag == der::octet_string && number.size() == octets) return to_bytes(number);
    if (wrapped->tag != der::integer) return std::nullopt;
    if (number.size() == octets + 1 && number[0] == 0) number = number.subspan(1);
    if (number.size() > octets) return std::nullopt;
    Bytes whole(octets - number.size()); // DER leaves leading zeros out
    whole.insert(whole.end(), number.begin(), number.end());
    return whole;
}

/// Whether it says of itself to be a key of this kind.
bool is_named(signing::Algorithm const& algorithm, ::PKCS8_PRIV_KEY_INFO const* key) {
    ::ASN1_OBJECT const* named = nullptr;
    if (::PKCS8_pkey_get0(&named, nullptr, nullptr, nullptr, key) != 1) return false;
    char oid[128] = "";
    ::OBJ_obj2txt(oid, sizeof oid, named, 1);
    return std::string_view{oid} == algorithm.key_oid ||
           (algorithm.foreign != nullptr && std::string_view{oid} == algorithm.foreign->russian.key);
}

/// The public half as it stands in the certificate: an OCTET STRING in subjectPublicKey (RFC 4491 section 2.3.2).
Bytes point_of(signing::Certificate const& certificate) {
    auto const* bits = ::X509_get0_pubkey_bitstr(certificate.x509());
    View rest{bits->data, static_cast<std::size_t>(bits->length)};
    auto const point = der::take(rest, der::octet_string);
    return point ? to_bytes(point->content) : Bytes{};
}

Error no_pair() {
    return Error{Errc::key_not_found, "the private key is not that of the certificate"};
}

/// Kazakhstan's software writes the number little-endian; others may not. The order that gives the certificate's
/// public key is the right one.
Result<signing::gost::PrivateKey> gost_key(signing::Certificate const& certificate, ::PKCS8_PRIV_KEY_INFO const* info) {
    auto const& algorithm = certificate.algorithm();
    if (!is_named(algorithm, info)) return no_pair();
    auto number = secret_number(info, algorithm.coordinate_size);
    if (!number) return no_pair();
    auto const wanted = point_of(certificate);
    auto& octets = *number;
    for (int tries = 0; tries < 2; ++tries, std::ranges::reverse(octets)) {
        auto key = signing::gost::PrivateKey::import(algorithm.foreign->russian, octets);
        bool const unavailable = !key && key.error().code == Errc::algorithm_unavailable;
        if (!unavailable && !(key && key->point() == wanted)) continue;
        wipe(octets);
        return key;
    }
    wipe(octets);
    return no_pair();
}

/// DER Ecdsa-Sig-Value to r || s.
Result<Bytes> r_and_s(View value, std::size_t coordinate) {
    auto const* at = value.data();
    std::unique_ptr<::ECDSA_SIG, decltype(&::ECDSA_SIG_free)> const pair{
        ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(value.size())), &::ECDSA_SIG_free};
    Bytes raw(2 * coordinate);
    auto const size = static_cast<int>(coordinate);
    if (!pair || ::BN_bn2binpad(::ECDSA_SIG_get0_r(pair.get()), raw.data(), size) != size ||
        ::BN_bn2binpad(::ECDSA_SIG_get0_s(pair.get()), raw.data() + coordinate, size) != size) {
        return Error{Errc::internal, "ECDSA signature"};
    }
    return raw;
}

} // namespace

void SigningKey::Free::operator()(::EVP_PKEY* key) const noexcept {
    ::EVP_PKEY_free(key);
}

Result<SigningKey> SigningKey::pair(signing::Certificate const& certificate, ::PKCS8_PRIV_KEY_INFO const* info) {
    if (certificate.algorithm().foreign != nullptr) {
        auto key = gost_key(certificate, info);
        if (!key) return key.error();
        return SigningKey{certificate, std::move(*key)};
    }
    // Before it is decoded: OpenSSL would reckon a while on a large key of a kind that cannot be the certificate's.
    if (!is_named(certificate.algorithm(), info)) return no_pair();
    OpensslKey key{::EVP_PKCS82PKEY(info)};
    bool const belongs = key && ::EVP_PKEY_eq(::X509_get0_pubkey(certificate.x509()), key.get()) == 1;
    ::ERR_clear_error();
    if (!belongs) return no_pair();
    return SigningKey{certificate, std::move(key)};
}

Result<Bytes> SigningKey::sign(View digest) const {
    if (digest.size() != m_certificate.algorithm().digest_size) return Errc::digest_length;
    auto made = std::visit([&](auto const& key) { return made_by(key, digest); }, m_key);
    if (!made) return made.error();
    if (auto verified = signing::verify_digest(m_certificate, digest, *made); !verified) return verified.error();
    return made;
}

Result<Bytes> SigningKey::made_by(OpensslKey const& key, View digest) const {
    auto const& algorithm = m_certificate.algorithm();
    auto const* method = ::EVP_get_digestbynid(::OBJ_txt2nid(algorithm.digest_oid));
    std::unique_ptr<::EVP_PKEY_CTX, decltype(&::EVP_PKEY_CTX_free)> const context{
        ::EVP_PKEY_CTX_new(key.get(), nullptr), &::EVP_PKEY_CTX_free};
    Bytes value(static_cast<std::size_t>(std::max(::EVP_PKEY_get_size(key.get()), 0)));
    auto size = value.size();
    // PKCS#1 v1.5 is the padding of an RSA key unless told otherwise.
    bool const made = context && ::EVP_PKEY_sign_init(context.get()) == 1 &&
                      ::EVP_PKEY_CTX_set_signature_md(context.get(), method) == 1 &&
                      ::EVP_PKEY_sign(context.get(), value.data(), &size, digest.data(), digest.size()) == 1;
    ::ERR_clear_error();
    if (!made || size > value.size()) return Error{Errc::internal, "signature with a key of a file"};
    value.resize(size);
    switch (algorithm.encoding) {
    case signing::SignatureEncoding::r_s_or_der: return r_and_s(value, algorithm.coordinate_size);
    case signing::SignatureEncoding::as_is:
    case signing::SignatureEncoding::reversed: break;
    }
    return value;
}

Result<Bytes> SigningKey::made_by(signing::gost::PrivateKey const& key, View digest) {
    return key.sign(digest);
}

} // namespace tamga::keyfile

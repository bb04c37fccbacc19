#include "pkcs11/public_keys.hpp"

#include "base/release.hpp"
#include "signing/der.hpp"
#include "signing/foreign_keys.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

namespace der = signing::der;
using signing::KeyAlgorithm;
using KeyPointer = std::unique_ptr<::X509_PUBKEY, Release<::X509_PUBKEY_free>>;
using ContextPointer = std::unique_ptr<::EVP_PKEY_CTX, Release<::EVP_PKEY_CTX_free>>;

constexpr std::string_view prime256v1 = "1.2.840.10045.3.1.7";
constexpr std::size_t point_size = 65; ///< 04, x, y

View without_leading_zeros(View number) {
    while (number.size() > 1 && number.front() == 0)
        number = number.subspan(1);
    return number;
}

std::size_t gost_point_size(KeyAlgorithm key) {
    return 2 * signing::algorithm(key).coordinate_size;
}

/// The end of `octets`, where a head may stand before it: that of an OCTET STRING.
View last_of(View octets, std::size_t size) {
    return octets.size() < size ? View{} : octets.last(size);
}

Bytes integer(View number) {
    static constexpr unsigned char zero = 0;
    number = without_leading_zeros(number);
    return der::element(der::integer, {{&zero, !number.empty() && number.front() >= 0x80 ? 1U : 0U}, number});
}

Bytes key_info(View identifiers, View key) {
    static constexpr unsigned char no_unused_bits = 0;
    return der::element(der::sequence, {der::element(der::sequence, {identifiers}),
                                        der::element(der::bit_string, {{&no_unused_bits, 1}, key})});
}

Bytes concatenated(std::initializer_list<View> parts) {
    Bytes all;
    for (auto const& part : parts)
        der::append(all, part);
    return all;
}

/// RFC 8017 appendix A.1.1.
Bytes rsa_info(View modulus, View exponent) {
    static constexpr unsigned char null[] = {der::null, 0};
    auto const key = der::element(der::sequence, {integer(modulus), integer(exponent)});
    return key_info(concatenated({der::oid(signing::algorithm(KeyAlgorithm::rsa).key_oid), null}), key);
}

/// RFC 5480 section 2.
Bytes ec_info(View point) {
    auto const& algorithm = signing::algorithm(KeyAlgorithm::ec_p256);
    return key_info(concatenated({der::oid(algorithm.key_oid), der::oid(prime256v1)}), point);
}

/// As RFC 9215 section 4 has it, under the names of Kazakhstan.
Bytes gost_info(KeyAlgorithm key, View point) {
    auto const& algorithm = signing::algorithm(key);
    auto const parameters = der::element(der::sequence, {der::oid(algorithm.foreign->parameters_oid),
                                                         der::oid(algorithm.foreign->digest_parameters_oid)});
    return key_info(concatenated({der::oid(algorithm.key_oid), parameters}), der::element(der::octet_string, {point}));
}

std::optional<PublicKey> rsa_key(Session const& session, ObjectHandle object) {
    auto const [modulus, exponent] = session.attributes(object, CKA_MODULUS, CKA_PUBLIC_EXPONENT);
    if (modulus.empty() || exponent.empty()) return std::nullopt;
    return PublicKey{{KeyAlgorithm::rsa, to_bytes(without_leading_zeros(modulus))}, rsa_info(modulus, exponent)};
}

std::optional<PublicKey> ec_key(Session const& session, ObjectHandle object) {
    auto const [parameters, shown] = session.attributes(object, CKA_EC_PARAMS, CKA_EC_POINT);
    auto const point = last_of(shown, point_size);
    if (der::dotted(parameters) != prime256v1 || point.empty() || point.front() != 4) return std::nullopt;
    return PublicKey{{KeyAlgorithm::ec_p256, to_bytes(point)}, ec_info(point)};
}

std::optional<PublicKey> gost_key(Session const& session, ObjectHandle object, CK_KEY_TYPE type) {
    auto const [parameters, shown] = session.attributes(object, CKA_GOSTR3410_PARAMS, CKA_VALUE);
    if (parameters.empty()) return std::nullopt; // it may be either of two curves
    for (auto const key : {KeyAlgorithm::gost2015_512, KeyAlgorithm::gost2015_256, KeyAlgorithm::gost2004}) {
        if (signature_mechanism(key).key_type != type || !accepts_parameters(key, parameters)) continue;
        auto const point = last_of(shown, gost_point_size(key));
        if (point.empty()) return std::nullopt;
        return PublicKey{{key, to_bytes(point)}, gost_info(key, point)};
    }
    return std::nullopt;
}

/// The bits of a SubjectPublicKeyInfo, by the kind of their key.
Bytes value_of(KeyAlgorithm key, View bits) {
    switch (key) {
    case KeyAlgorithm::rsa: {
        auto const pair = der::take(bits, der::sequence);
        auto rest = pair ? pair->content : View{};
        auto const modulus = der::take(rest, der::integer);
        return modulus ? to_bytes(without_leading_zeros(modulus->content)) : Bytes{};
    }
    case KeyAlgorithm::ec_p256: return to_bytes(bits);
    case KeyAlgorithm::gost2015_512:
    case KeyAlgorithm::gost2015_256:
    case KeyAlgorithm::gost2004: return to_bytes(last_of(bits, gost_point_size(key)));
    }
    return {};
}

KeyPointer parsed(View info) {
    signing::teach_openssl();
    auto const* at = info.data();
    KeyPointer key{::d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(info.size()))};
    ::ERR_clear_error();
    if (at != info.data() + info.size()) return nullptr;
    return key;
}

Result<PublicValue> value_in(::X509_PUBKEY const* key) {
    auto const* const algorithm = ::X509_PUBKEY_get0(key) == nullptr ? nullptr : signing::algorithm_of(key);
    ::ERR_clear_error();
    if (algorithm == nullptr) return Error{Errc::mechanism_unsupported, "kind of a public key"};
    unsigned char const* bits = nullptr;
    int size = 0;
    if (::X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, key) != 1) return Errc::bad_request;
    PublicValue value{algorithm->key, value_of(algorithm->key, {bits, static_cast<std::size_t>(size)})};
    if (value.octets.empty()) return Error{Errc::bad_request, "a public key without a value"};
    return value;
}

} // namespace

Result<PublicValue> public_value(View subject_public_key_info) {
    auto const key = parsed(subject_public_key_info);
    if (!key) return Error{Errc::bad_request, "no public key"};
    return value_in(key.get());
}

PublicValue public_value(signing::Certificate const& certificate) {
    auto value = value_in(::X509_get_X509_PUBKEY(certificate.x509()));
    return value ? std::move(*value) : PublicValue{};
}

std::optional<PublicKey> shown_public_key(Session const& session, ObjectHandle object, CK_OBJECT_CLASS object_class,
                                          CK_KEY_TYPE type) {
    switch (type) {
    case CKK_RSA: return rsa_key(session, object);
    case CKK_EC: return ec_key(session, object);
    default: return object_class == CKO_PUBLIC_KEY ? gost_key(session, object, type) : std::nullopt;
    }
}

Result<void> verify_with(View info, View digest, View signature) {
    auto const key = parsed(info);
    if (!key) return Error{Errc::bad_request, "no public key"};
    auto const value = value_in(key.get());
    if (!value) return value.error();
    auto const& algorithm = signing::algorithm(value->algorithm);
    if (auto usable = signing::available(algorithm); !usable) return usable.error();
    auto const encoded = signing::to_cms_signature(algorithm, signature);
    if (!encoded) return encoded.error();
    // PKCS#1 v1.5 is OpenSSL's padding unless told otherwise.
    ContextPointer const context{::EVP_PKEY_CTX_new(::X509_PUBKEY_get0(key.get()), nullptr)};
    auto const* hash = ::EVP_get_digestbynid(::OBJ_txt2nid(algorithm.digest_oid));
    bool const valid =
        digest.size() == algorithm.digest_size && context && ::EVP_PKEY_verify_init(context.get()) == 1 &&
        ::EVP_PKEY_CTX_set_signature_md(context.get(), hash) == 1 &&
        ::EVP_PKEY_verify(context.get(), encoded->data(), encoded->size(), digest.data(), digest.size()) == 1;
    ::ERR_clear_error();
    return valid ? ok() : Result<void>{Errc::signature_invalid};
}

} // namespace tamga::pkcs11

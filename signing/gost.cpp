// The engine interface is deprecated and there is no other way to gost-engine: docs/adr/0017.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "signing/gost.hpp"

#include "base/secret.hpp"
#include "signing/der.hpp"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <mutex>

namespace tamga::signing::gost {

namespace {

struct Engine {
    ENGINE* handle = nullptr; ///< OpenSSL's own clean-up at the end of the process releases it
    EVP_MD const* streebog256 = nullptr;
    EVP_MD const* streebog512 = nullptr;
};

/// Guards the loading, and the import of keys: gost-engine makes the group of a curve when the first key of it appears,
/// and keeps it without a lock.
std::mutex engine_mutex;

/// The engine ready for use, or one without a handle.
Engine start() {
    OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, nullptr);
    Engine engine;
    auto* found = ENGINE_by_id("gost");
    if (found != nullptr && ENGINE_init(found) == 1) {
        engine.streebog256 = ENGINE_get_digest(found, NID_id_GostR3411_2012_256);
        engine.streebog512 = ENGINE_get_digest(found, NID_id_GostR3411_2012_512);
        bool const has_keys = ENGINE_register_pkey_meths(found) == 1 && ENGINE_register_pkey_asn1_meths(found) == 1;
        if (has_keys && engine.streebog256 != nullptr && engine.streebog512 != nullptr) engine.handle = found;
    }
    ENGINE_free(found);
    ERR_clear_error();
    return engine;
}

Engine const* engine(std::lock_guard<std::mutex> const&) {
    static Engine loaded;
    if (loaded.handle == nullptr) loaded = start();
    return loaded.handle == nullptr ? nullptr : &loaded;
}

Engine const* engine() {
    std::lock_guard const lock{engine_mutex};
    return engine(lock);
}

Error unavailable() {
    return {Errc::algorithm_unavailable, "gost-engine cannot be loaded: is libengine-gost-openssl installed?"};
}

/// AlgorithmIdentifier of a key, public or private.
Bytes key_identifier(Names const& names) {
    auto const digest = names.digest_parameters.empty() ? Bytes{} : der::oid(names.digest_parameters);
    auto const parameters = der::element(der::sequence, {der::oid(names.parameters), digest});
    return der::element(der::sequence, {der::oid(names.key), parameters});
}

/// SubjectPublicKeyInfo (RFC 4491 section 2.3.2; RFC 9215 section 4.2).
Bytes public_key_info(Names const& names, View point) {
    auto const octets = der::element(der::octet_string, {point});
    static constexpr unsigned char no_unused_bits = 0;
    return der::element(der::sequence,
                        {key_identifier(names), der::element(der::bit_string, {{&no_unused_bits, 1}, octets})});
}

/// PrivateKeyInfo (RFC 5208), whose key is an OCTET STRING (RFC 9548). Made in one piece: no reallocation leaves a
/// copy.
Bytes private_key_info(Names const& names, View scalar) {
    static constexpr unsigned char version[] = {der::integer, 1, 0};
    auto const identifier = key_identifier(names);
    auto const inner = der::element_size(scalar.size());
    auto const length = sizeof version + identifier.size() + der::element_size(inner);
    Bytes info;
    info.reserve(der::element_size(length));
    der::append_header(info, der::sequence, length);
    der::append(info, version);
    der::append(info, identifier);
    der::append_header(info, der::octet_string, inner);
    der::append_header(info, der::octet_string, scalar.size());
    der::append(info, scalar);
    return info;
}

} // namespace

Result<void> load() {
    return engine() == nullptr ? Result<void>{unavailable()} : ok();
}

Result<EVP_MD const*> streebog_method(Streebog size) {
    auto const* loaded = engine();
    if (loaded == nullptr) return unavailable();
    return size == Streebog::bits_512 ? loaded->streebog512 : loaded->streebog256;
}

Result<Bytes> streebog(Streebog size, View octets) {
    auto const method = streebog_method(size);
    if (!method) return method.error();
    Bytes value(static_cast<std::size_t>(EVP_MD_get_size(*method)));
    if (EVP_Digest(octets.data(), octets.size(), value.data(), nullptr, *method, nullptr) != 1) {
        return Error{Errc::internal, "gost-engine: digest"};
    }
    return value;
}

void PublicKey::Free::operator()(EVP_PKEY* key) const noexcept {
    EVP_PKEY_free(key);
}

Result<PublicKey> PublicKey::import(Names const& names, View point) {
    auto const info = public_key_info(names, point);
    std::lock_guard const lock{engine_mutex};
    if (engine(lock) == nullptr) return unavailable();
    auto const* at = info.data();
    auto* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size()));
    ERR_clear_error();
    if (key == nullptr) return Error{Errc::bad_request, "GOST public key"};
    return PublicKey{key};
}

bool PublicKey::verify(View digest, View signature) const {
    std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> const context{EVP_PKEY_CTX_new(m_key.get(), nullptr),
                                                                              EVP_PKEY_CTX_free};
    bool const valid =
        context && EVP_PKEY_verify_init(context.get()) == 1 &&
        EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
    ERR_clear_error();
    return valid;
}

void PrivateKey::Free::operator()(EVP_PKEY* key) const noexcept {
    EVP_PKEY_free(key);
}

Result<PrivateKey> PrivateKey::import(Names const& names, View scalar) {
    std::lock_guard const lock{engine_mutex};
    if (engine(lock) == nullptr) return unavailable();
    auto info = private_key_info(names, scalar);
    auto const* at = info.data();
    auto* parsed = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(info.size()));
    auto* key = parsed == nullptr ? nullptr : EVP_PKCS82PKEY(parsed);
    PKCS8_PRIV_KEY_INFO_free(parsed); // wipes its own
    wipe(info);
    ERR_clear_error();
    if (key == nullptr) return Error{Errc::bad_request, "GOST private key"};
    return PrivateKey{key};
}

Bytes PrivateKey::point() const {
    unsigned char* octets = nullptr;
    auto const size = i2d_PUBKEY(m_key.get(), &octets);
    std::unique_ptr<unsigned char, void (*)(unsigned char*)> const owner{octets,
                                                                         [](auto* made) { OPENSSL_free(made); }};
    ERR_clear_error();
    if (size <= 0) return {};
    View rest{octets, static_cast<std::size_t>(size)};
    auto const info = der::take(rest, der::sequence);
    if (!info) return {};
    rest = info->content;
    der::take(rest, der::sequence);
    auto const bits = der::take(rest, der::bit_string);
    if (!bits || bits->content.empty()) return {};
    rest = bits->content.subspan(1);
    auto const point = der::take(rest, der::octet_string);
    return point ? to_bytes(point->content) : Bytes{};
}

Result<Bytes> PrivateKey::sign(View digest) const {
    std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> const context{EVP_PKEY_CTX_new(m_key.get(), nullptr),
                                                                              EVP_PKEY_CTX_free};
    Bytes signature(2 * digest.size());
    auto size = signature.size();
    bool const made = context && EVP_PKEY_sign_init(context.get()) == 1 &&
                      EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1;
    ERR_clear_error();
    if (!made || size != signature.size()) return Error{Errc::internal, "gost-engine: signature"};
    return signature;
}

} // namespace tamga::signing::gost

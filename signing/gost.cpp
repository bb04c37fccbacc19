// The engine interface is deprecated and there is no other way to gost-engine: docs/adr/0017.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "signing/gost.hpp"

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

/// SubjectPublicKeyInfo (RFC 4491 section 2.3.2; RFC 9215 section 4.2).
Bytes public_key_info(Names const& names, View point) {
    auto const digest = names.digest_parameters.empty() ? Bytes{} : der::oid(names.digest_parameters);
    auto const parameters = der::element(der::sequence, {der::oid(names.parameters), digest});
    auto const octets = der::element(der::octet_string, {point});
    static constexpr unsigned char no_unused_bits = 0;
    return der::element(der::sequence, {der::element(der::sequence, {der::oid(names.key), parameters}),
                                        der::element(der::bit_string, {{&no_unused_bits, 1}, octets})});
}

} // namespace

Result<void> load() {
    return engine() == nullptr ? Result<void>{unavailable()} : ok();
}

Result<Bytes> streebog(Streebog size, View octets) {
    auto const* loaded = engine();
    if (loaded == nullptr) return unavailable();
    auto const* method = size == Streebog::bits_512 ? loaded->streebog512 : loaded->streebog256;
    Bytes value(static_cast<std::size_t>(EVP_MD_get_size(method)));
    if (EVP_Digest(octets.data(), octets.size(), value.data(), nullptr, method, loaded->handle) != 1) {
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

} // namespace tamga::signing::gost

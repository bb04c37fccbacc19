// gost-engine (Debian's libengine-gost-openssl), which knows the curves and the digest of Kazakhstan's keys under their
// Russian names. Recommended, not required: without it everything else works. Used by signing/ alone, but for load()
// and, in keyfile/, PrivateKey.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace tamga::signing::gost {

/// Loads the engine, where that was not done before: takes half a millisecond and 0.3 MB. Whatever else needs it calls
/// this by itself, and tries again each time where it failed, so that a package installed meanwhile is found.
/// Thread-safe. Error: algorithm_unavailable.
Result<void> load();

enum class Streebog : std::uint8_t { bits_256, bits_512 };

/// GOST R 34.11-2012. Error: algorithm_unavailable.
Result<Bytes> streebog(Streebog size, View octets);

/// The method of that digest, for whoever feeds it piece by piece; valid for the program's life. Error:
/// algorithm_unavailable.
Result<EVP_MD const*> streebog_method(Streebog size);

/// What gost-engine calls a kind of public key: dotted object identifiers.
struct Names {
    std::string_view key;
    std::string_view parameters;
    std::string_view digest_parameters; ///< empty where the parameters imply them
};

/// A public key on one of the curves. Immutable; using it is thread-safe.
class PublicKey {
public:
    /// `point`: x || y, each little-endian. Errors: algorithm_unavailable; bad_request (no point of the curve).
    static Result<PublicKey> import(Names const& names, View point);

    /// Whether `signature`, s || r and both big-endian (RFC 4491 section 2.2.2), is one over `digest`.
    [[nodiscard]] bool verify(View digest, View signature) const;

private:
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept;
    };
    explicit PublicKey(EVP_PKEY* key) noexcept : m_key{key} {}

    std::unique_ptr<EVP_PKEY, Free> m_key;
};

/// A private key on one of the curves; wiped on destruction. Not thread-safe.
class PrivateKey {
public:
    /// `scalar`: the secret number, little-endian; its copies are wiped. Errors: algorithm_unavailable; bad_request (no
    /// number of the curve).
    static Result<PrivateKey> import(Names const& names, View scalar);

    /// The public half: x || y, each little-endian.
    [[nodiscard]] Bytes point() const;

    /// A signature over `digest`: s || r, both big-endian (RFC 4491 section 2.2.2). Error: internal.
    [[nodiscard]] Result<Bytes> sign(View digest) const;

private:
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept;
    };
    explicit PrivateKey(EVP_PKEY* key) noexcept : m_key{key} {}

    std::unique_ptr<EVP_PKEY, Free> m_key;
};

} // namespace tamga::signing::gost

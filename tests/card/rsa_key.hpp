// An RSA key inside the virtual card: made there or brought in, and used without padding, which is the host's business.
// All numbers are little-endian on this family of cards.
#pragma once

#include "base/bytes.hpp"

#include <openssl/evp.h>

#include <memory>
#include <optional>

namespace tamga::card {

class RsaKey {
public:
    /// A new one of `bits`. Blocking, 0.1 s and more. Nothing where OpenSSL refuses.
    static std::optional<RsaKey> generate(unsigned bits);
    /// From the octets of a key file: p, q, q^-1 mod p, d mod p-1, d mod q-1, of the same length, with four octets more
    /// after each of the first two. The public exponent is 65537.
    static std::optional<RsaKey> from_file(View content);

    [[nodiscard]] Bytes modulus() const;
    /// value^d mod n; nothing where `value` is not smaller than the modulus.
    [[nodiscard]] std::optional<Bytes> raise_to_private(View value) const;

private:
    struct Free {
        void operator()(::EVP_PKEY* key) const noexcept { ::EVP_PKEY_free(key); }
    };
    explicit RsaKey(::EVP_PKEY* key) noexcept : m_key{key} {}

    std::unique_ptr<::EVP_PKEY, Free> m_key;
};

/// How many bits the modulus has whose key file is of this size.
[[nodiscard]] unsigned modulus_bits(std::size_t file_size) noexcept;

} // namespace tamga::card

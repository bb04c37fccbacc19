#include "tests/card/rsa_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace tamga::card {

namespace {

struct Free {
    void operator()(::BIGNUM* number) const noexcept { ::BN_clear_free(number); }
    void operator()(::BN_CTX* context) const noexcept { ::BN_CTX_free(context); }
    void operator()(::OSSL_PARAM_BLD* builder) const noexcept { ::OSSL_PARAM_BLD_free(builder); }
    void operator()(::OSSL_PARAM* parameters) const noexcept { ::OSSL_PARAM_free(parameters); }
    void operator()(::EVP_PKEY_CTX* context) const noexcept { ::EVP_PKEY_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;
using Number = Owned<::BIGNUM>;

constexpr std::size_t gaps = 8; ///< the octets after p and q

Number number_from(View little_endian) {
    return Number{::BN_lebin2bn(little_endian.data(), static_cast<int>(little_endian.size()), nullptr)};
}

/// The modulus and the private exponent, which a key file leaves out.
struct Derived {
    Number modulus{::BN_new()};
    Number public_exponent{::BN_new()};
    Number private_exponent{::BN_new()};

    Derived(::BIGNUM const* p, ::BIGNUM const* q) {
        Owned<::BN_CTX> const context{::BN_CTX_new()};
        Number const p_less{::BN_dup(p)};
        Number const q_less{::BN_dup(q)};
        Number const totient{::BN_new()};
        ::BN_set_word(public_exponent.get(), RSA_F4);
        ::BN_mul(modulus.get(), p, q, context.get());
        ::BN_sub_word(p_less.get(), 1);
        ::BN_sub_word(q_less.get(), 1);
        ::BN_mul(totient.get(), p_less.get(), q_less.get(), context.get());
        ::BN_mod_inverse(private_exponent.get(), public_exponent.get(), totient.get(), context.get());
    }
};

} // namespace

unsigned modulus_bits(std::size_t file_size) noexcept {
    return file_size < gaps ? 0 : static_cast<unsigned>((file_size - gaps) / 5 * 2 * 8);
}

std::optional<RsaKey> RsaKey::generate(unsigned bits) {
    auto* const key = EVP_RSA_gen(bits);
    if (key == nullptr) return std::nullopt;
    return RsaKey{key};
}

std::optional<RsaKey> RsaKey::from_file(View content) {
    std::size_t const length = modulus_bits(content.size()) / 16;
    if (length == 0 || content.size() != 5 * length + gaps) return std::nullopt;
    auto const p = number_from(content.first(length));
    auto const q = number_from(content.subspan(length + 4, length));
    auto const coefficient = number_from(content.subspan(2 * length + gaps, length));
    auto const p_exponent = number_from(content.subspan(3 * length + gaps, length));
    auto const q_exponent = number_from(content.subspan(4 * length + gaps, length));
    Derived const derived{p.get(), q.get()};

    Owned<::OSSL_PARAM_BLD> const builder{::OSSL_PARAM_BLD_new()};
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, derived.modulus.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, derived.public_exponent.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_D, derived.private_exponent.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_FACTOR1, p.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_FACTOR2, q.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_EXPONENT1, p_exponent.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_EXPONENT2, q_exponent.get());
    ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_COEFFICIENT1, coefficient.get());
    Owned<::OSSL_PARAM> const parameters{::OSSL_PARAM_BLD_to_param(builder.get())};
    Owned<::EVP_PKEY_CTX> const context{::EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    ::EVP_PKEY* key = nullptr;
    if (::EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        ::EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) <= 0) {
        return std::nullopt;
    }
    return RsaKey{key};
}

Bytes RsaKey::modulus() const {
    ::BIGNUM* found = nullptr;
    ::EVP_PKEY_get_bn_param(m_key.get(), OSSL_PKEY_PARAM_RSA_N, &found);
    Number const number{found};
    Bytes octets(static_cast<std::size_t>(::EVP_PKEY_get_size(m_key.get())));
    ::BN_bn2lebinpad(number.get(), octets.data(), static_cast<int>(octets.size()));
    return octets;
}

std::optional<Bytes> RsaKey::raise_to_private(View value) const {
    Bytes const big_endian{value.rbegin(), value.rend()};
    Owned<::EVP_PKEY_CTX> const context{::EVP_PKEY_CTX_new(m_key.get(), nullptr)};
    Bytes result(static_cast<std::size_t>(::EVP_PKEY_get_size(m_key.get())));
    auto size = result.size();
    if (::EVP_PKEY_sign_init(context.get()) <= 0 ||
        ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) <= 0 ||
        ::EVP_PKEY_sign(context.get(), result.data(), &size, big_endian.data(), big_endian.size()) <= 0) {
        return std::nullopt;
    }
    std::reverse(result.begin(), result.end());
    return result;
}

} // namespace tamga::card

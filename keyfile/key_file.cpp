#include "keyfile/key_file.hpp"

#include "base/release.hpp"
#include "signing/foreign_keys.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include <chrono>

namespace tamga::keyfile {

namespace {

constexpr std::size_t most_keys = 16;
constexpr std::size_t most_certificates = 64;
constexpr int largest_key = 4096; ///< octets; RSA with 4096 bits has 2350
constexpr std::chrono::seconds pairing_limit{5};
constexpr int deepest_nesting = 4; ///< of bags that hold bags

void release_safes(STACK_OF(PKCS7) * safes) {
    sk_PKCS7_pop_free(safes, ::PKCS7_free);
}
void release_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
    sk_PKCS12_SAFEBAG_pop_free(bags, ::PKCS12_SAFEBAG_free);
}
using Safes = std::unique_ptr<STACK_OF(PKCS7), Release<release_safes>>;
using Bags = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), Release<release_bags>>;
using PrivateKeyInfo = std::unique_ptr<::PKCS8_PRIV_KEY_INFO, Release<::PKCS8_PRIV_KEY_INFO_free>>;
using X509Pointer = std::unique_ptr<::X509, Release<::X509_free>>;

/// OpenSSL's errors say nothing that ours do not.
template <class Pointer>
Pointer taken(typename Pointer::pointer object) {
    ::ERR_clear_error();
    return Pointer{object};
}

Error malformed(char const* what) {
    return Error{Errc::key_file_malformed, what};
}

/// The password as OpenSSL wants it: borrowed.
struct Password {
    char const* text;
    int size;
};

/// Everything in the safes, decrypted.
class Contents {
public:
    /// `has_mac`: the password was found right by it, so that what cannot be decrypted is damaged.
    Contents(Password password, bool has_mac, Cost& cost) : m_password{password}, m_has_mac{has_mac}, m_cost{cost} {}

    Result<void> read(::PKCS7* safe) {
        if (PKCS7_type_is_data(safe)) {
            auto const bags = taken<Bags>(::PKCS12_unpack_p7data(safe));
            m_open = true;
            return bags ? read(bags.get(), deepest_nesting) : malformed("a safe");
        }
        m_open = false;
        if (!PKCS7_type_is_encrypted(safe))
            return Error{Errc::key_file_unsupported, "a safe for a key, not a password"};
        if (safe->d.encrypted == nullptr || safe->d.encrypted->enc_data == nullptr) return malformed("a safe");
        if (auto counted = add_cost_of(safe->d.encrypted->enc_data->algorithm, m_cost); !counted) return counted;
        auto const bags = taken<Bags>(::PKCS12_unpack_p7encdata(safe, m_password.text, m_password.size));
        return bags ? read(bags.get(), deepest_nesting) : undecipherable();
    }

    /// Pairs each certificate with its key.
    Result<std::vector<SigningKey>> pairs() const {
        std::vector<SigningKey> found;
        Result<void> usable = ok();
        auto const deadline = std::chrono::steady_clock::now() + pairing_limit;
        for (auto const& certificate : m_certificates) {
            for (auto const& key : m_keys) {
                if (std::chrono::steady_clock::now() > deadline) {
                    return Error{Errc::key_file_unsupported, "too many keys and certificates"};
                }
                auto pair = SigningKey::pair(certificate, key.get());
                if (pair) {
                    found.push_back(std::move(*pair));
                    break;
                }
                if (pair.error().code == Errc::algorithm_unavailable) usable = pair.error();
            }
        }
        if (found.empty() && !usable) return usable.error();
        return found;
    }

private:
    Result<void> read(STACK_OF(PKCS12_SAFEBAG) const* bags, int depth) {
        for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
            if (auto done = read(sk_PKCS12_SAFEBAG_value(bags, i), depth); !done) return done;
        }
        return ok();
    }

    Result<void> read(::PKCS12_SAFEBAG const* bag, int depth) {
        switch (::PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag: {
            if (m_open && !m_has_mac) return Error{Errc::key_file_unsupported, "no password protects the private key"};
            auto const* key = ::PKCS12_SAFEBAG_get0_p8inf(bag);
            return keep(taken<PrivateKeyInfo>(key == nullptr ? nullptr : copy_of(*key)));
        }
        case NID_pkcs8ShroudedKeyBag: return unwrap(::PKCS12_SAFEBAG_get0_pkcs8(bag));
        case NID_certBag: return keep_certificate(bag);
        case NID_safeContentsBag:
            if (depth == 0) return malformed("bags in bags in bags");
            return read(::PKCS12_SAFEBAG_get0_safes(bag), depth - 1);
        default: return ok(); // lists of revoked certificates, secrets of other kinds
        }
    }

    Result<void> unwrap(::X509_SIG const* wrapped) {
        if (wrapped == nullptr) return malformed("a key");
        ::X509_ALGOR const* algorithm = nullptr;
        ::X509_SIG_get0(wrapped, &algorithm, nullptr);
        if (auto counted = add_cost_of(algorithm, m_cost); !counted) return counted;
        auto key = taken<PrivateKeyInfo>(::PKCS8_decrypt(wrapped, m_password.text, m_password.size));
        return key ? keep(std::move(key)) : undecipherable();
    }

    static ::PKCS8_PRIV_KEY_INFO* copy_of(::PKCS8_PRIV_KEY_INFO const& key) {
        return static_cast<::PKCS8_PRIV_KEY_INFO*>(::ASN1_item_dup(ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO), &key));
    }

    Result<void> keep(PrivateKeyInfo key) {
        if (!key || m_keys.size() == most_keys) return malformed("keys");
        int size = 0;
        if (::PKCS8_pkey_get0(nullptr, nullptr, &size, nullptr, key.get()) != 1 || size > largest_key) return ok();
        m_keys.push_back(std::move(key));
        return ok();
    }

    /// Of a kind that we do not know: of no use, and no fault of the file.
    Result<void> keep_certificate(::PKCS12_SAFEBAG const* bag) {
        if (::PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return ok();
        auto const x509 = taken<X509Pointer>(::PKCS12_SAFEBAG_get1_cert(bag));
        if (!x509 || m_certificates.size() == most_certificates) return malformed("certificates");
        unsigned char* octets = nullptr;
        auto const size = ::i2d_X509(x509.get(), &octets);
        if (size <= 0) return malformed("a certificate");
        auto certificate = signing::Certificate::parse({octets, static_cast<std::size_t>(size)});
        ::OPENSSL_free(octets);
        if (certificate) m_certificates.push_back(std::move(*certificate));
        return ok();
    }

    /// Without a MAC a wrong password shows in nothing else.
    [[nodiscard]] Error undecipherable() const {
        return m_has_mac ? malformed("it cannot be decrypted") : Error{Errc::password_incorrect};
    }

    Password m_password;
    bool m_has_mac;
    bool m_open = false; ///< the safe being read is not encrypted
    Cost& m_cost;
    std::vector<PrivateKeyInfo> m_keys;
    std::vector<signing::Certificate> m_certificates;
};

/// The cost of the MAC, where there is one of a kind that is known.
Result<void> add_cost_of_mac(::PKCS12 const* file, Cost& cost) {
    if (::PKCS12_mac_present(file) != 1) return ok();
    ::ASN1_OCTET_STRING const* value = nullptr;
    ::X509_ALGOR const* algorithm = nullptr;
    ::ASN1_INTEGER const* number = nullptr;
    ::PKCS12_get0_mac(&value, &algorithm, nullptr, &number, file);
    ::ASN1_OBJECT const* named = nullptr;
    if (algorithm == nullptr) return malformed("MAC");
    ::X509_ALGOR_get0(&named, nullptr, nullptr, algorithm);
    if (::EVP_get_digestbyobj(named) == nullptr) return Error{Errc::key_file_unsupported, "digest of the MAC"};
    std::int64_t iterations = 1;
    if (number != nullptr && ::ASN1_INTEGER_get_int64(&iterations, number) != 1) {
        ::ERR_clear_error();
        return Error{Errc::key_file_unsupported, "iterations of the MAC"};
    }
    return cost.add(iterations);
}

} // namespace

// A provider that is loaded by name takes the place of the one that is loaded by itself.
OldCiphers::OldCiphers() noexcept
    : m_default{::OSSL_PROVIDER_load(nullptr, "default")}, m_legacy{::OSSL_PROVIDER_load(nullptr, "legacy")} {
    ::ERR_clear_error();
}

OldCiphers::~OldCiphers() {
    for (auto* provider : {m_legacy, m_default}) {
        if (provider != nullptr) ::OSSL_PROVIDER_unload(provider);
    }
}

void KeyFile::Free::operator()(::PKCS12* file) const noexcept {
    ::PKCS12_free(file);
}

Result<KeyFile> KeyFile::parse(View octets, std::int64_t most_iterations) {
    if (octets.size() > max_file_size) return malformed("too large");
    signing::teach_openssl();
    auto const* at = octets.data();
    auto* const parsed = ::d2i_PKCS12(nullptr, &at, static_cast<long>(octets.size()));
    ::ERR_clear_error();
    KeyFile file{parsed, most_iterations};
    if (parsed == nullptr || at != octets.data() + octets.size()) return malformed("not a PKCS#12 file");
    // OpenSSL says nothing of what holds the safes but by failing to unpack them.
    if (!taken<Safes>(::PKCS12_unpack_authsafes(parsed))) {
        return Error{Errc::key_file_malformed, "no safes that a password protects"};
    }
    Cost cost{most_iterations};
    if (auto counted = add_cost_of_mac(parsed, cost); !counted) return counted.error();
    return file;
}

Result<std::vector<SigningKey>> KeyFile::open(Pin const& password) const {
    auto const octets = password.reveal();
    Password const text{reinterpret_cast<char const*>(octets.data()), static_cast<int>(octets.size())};
    Cost cost{m_most_iterations};
    if (auto counted = add_cost_of_mac(m_file.get(), cost); !counted) return counted.error();
    bool const has_mac = ::PKCS12_mac_present(m_file.get()) == 1;
    if (has_mac && ::PKCS12_verify_mac(m_file.get(), text.text, text.size) != 1) {
        ::ERR_clear_error();
        return Errc::password_incorrect;
    }
    auto const safes = taken<Safes>(::PKCS12_unpack_authsafes(m_file.get()));
    if (!safes) return malformed("safes");
    Contents contents{text, has_mac, cost};
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
        if (auto done = contents.read(sk_PKCS7_value(safes.get(), i)); !done) return done.error();
    }
    return contents.pairs();
}

} // namespace tamga::keyfile

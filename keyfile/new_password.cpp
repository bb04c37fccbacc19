// A key file under another password: every part that the password protects is taken out and put back.
#include "keyfile/key_file.hpp"

#include "base/release.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>

#include <algorithm>

namespace tamga::keyfile {

namespace {

/// Of each part: more than the NCA's software uses (1024), and soon done.
constexpr int iterations = 50'000;

void release_safes(STACK_OF(PKCS7) * safes) {
    sk_PKCS7_pop_free(safes, ::PKCS7_free);
}
void release_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
    sk_PKCS12_SAFEBAG_pop_free(bags, ::PKCS12_SAFEBAG_free);
}
void release_text(char* text) {
    ::OPENSSL_free(text);
}
using Safes = std::unique_ptr<STACK_OF(PKCS7), Release<release_safes>>;
using Bags = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), Release<release_bags>>;
using Bag = std::unique_ptr<::PKCS12_SAFEBAG, Release<::PKCS12_SAFEBAG_free>>;
using Safe = std::unique_ptr<::PKCS7, Release<::PKCS7_free>>;
using File = std::unique_ptr<::PKCS12, Release<::PKCS12_free>>;
using PrivateKeyInfo = std::unique_ptr<::PKCS8_PRIV_KEY_INFO, Release<::PKCS8_PRIV_KEY_INFO_free>>;
using Text = std::unique_ptr<char, Release<release_text>>;

/// Borrowed, as OpenSSL wants it.
struct Password {
    char const* text;
    int size;
};

Error failed(char const* what) {
    ::ERR_clear_error();
    return Error{Errc::key_file_unsupported, what};
}

/// What it was encrypted with, so that programs which open the file today open it tomorrow; AES where that was PBES2.
int same_kind(::X509_ALGOR const* algorithm) {
    ::ASN1_OBJECT const* named = nullptr;
    ::X509_ALGOR_get0(&named, nullptr, nullptr, algorithm);
    auto const kind = ::OBJ_obj2nid(named);
    return kind == NID_pbes2 ? NID_aes_256_cbc : kind;
}

/// The names by which programs put keys and certificates together.
bool copy_names(::PKCS12_SAFEBAG const* from, ::PKCS12_SAFEBAG* to) {
    auto* const mutable_from = const_cast<::PKCS12_SAFEBAG*>(from); // OpenSSL only reads it
    Text const name{::PKCS12_get_friendlyname(mutable_from)};
    if (name && ::PKCS12_add_friendlyname_utf8(to, name.get(), -1) != 1) return false;
    auto const* id = ::PKCS12_SAFEBAG_get0_attr(from, NID_localKeyID);
    if (id == nullptr || id->type != V_ASN1_OCTET_STRING) return true;
    auto const* octets = id->value.octet_string;
    auto* start = const_cast<unsigned char*>(::ASN1_STRING_get0_data(octets));
    return ::PKCS12_add_localkeyid(to, start, ::ASN1_STRING_length(octets)) == 1;
}

/// A private key under the new password; anything else stays as it is.
Result<Bag> renewed(Bag bag, Password before, Password after) {
    if (::PKCS12_SAFEBAG_get_nid(bag.get()) == NID_safeContentsBag) return failed("bags in bags");
    if (::PKCS12_SAFEBAG_get_nid(bag.get()) != NID_pkcs8ShroudedKeyBag) return bag;
    ::X509_ALGOR const* algorithm = nullptr;
    ::X509_SIG_get0(::PKCS12_SAFEBAG_get0_pkcs8(bag.get()), &algorithm, nullptr);
    PrivateKeyInfo const key{::PKCS12_decrypt_skey(bag.get(), before.text, before.size)};
    if (!key) return failed("a key");
    Bag made{::PKCS12_SAFEBAG_create_pkcs8_encrypt(same_kind(algorithm), after.text, after.size, nullptr, 0, iterations,
                                                   key.get())};
    if (!made || !copy_names(bag.get(), made.get())) return failed("encrypting a key");
    return made;
}

Result<Safe> renewed(::PKCS7* safe, Password before, Password after) {
    bool const is_open = PKCS7_type_is_data(safe);
    Bags const bags{is_open ? ::PKCS12_unpack_p7data(safe) : ::PKCS12_unpack_p7encdata(safe, before.text, before.size)};
    Bags made{sk_PKCS12_SAFEBAG_new_null()};
    if (!bags || !made) return failed("a safe");
    while (sk_PKCS12_SAFEBAG_num(bags.get()) != 0) {
        auto bag = renewed(Bag{sk_PKCS12_SAFEBAG_shift(bags.get())}, before, after);
        if (!bag) return bag.error();
        if (sk_PKCS12_SAFEBAG_push(made.get(), bag->get()) == 0) return failed("a bag");
        static_cast<void>(bag->release()); // the list owns it now
    }
    Safe packed{is_open ? ::PKCS12_pack_p7data(made.get())
                        : ::PKCS12_pack_p7encdata(same_kind(safe->d.encrypted->enc_data->algorithm), after.text,
                                                  after.size, nullptr, 0, iterations, made.get())};
    if (!packed) return failed("packing a safe");
    return packed;
}

/// The digest that the file's integrity rests on; SHA-256 where it has none.
::EVP_MD const* digest_of_mac(::PKCS12 const* file) {
    ::X509_ALGOR const* algorithm = nullptr;
    ::ASN1_OBJECT const* named = nullptr;
    ::PKCS12_get0_mac(nullptr, &algorithm, nullptr, nullptr, file);
    if (algorithm != nullptr) ::X509_ALGOR_get0(&named, nullptr, nullptr, algorithm);
    auto const* digest = named == nullptr ? nullptr : ::EVP_get_digestbyobj(named);
    return digest == nullptr ? ::EVP_sha256() : digest;
}

Result<Bytes> written(::PKCS12* file) {
    unsigned char* octets = nullptr;
    auto const size = ::i2d_PKCS12(file, &octets);
    if (size <= 0) return failed("writing the file");
    Bytes copy{octets, octets + size};
    ::OPENSSL_free(octets);
    return copy;
}

} // namespace

Result<Bytes> KeyFile::with_password(Pin const& present, Pin const& next) const {
    auto const keys = open(present); // what it costs is looked at there
    if (!keys) return keys.error();
    auto const old_octets = present.reveal();
    auto const new_octets = next.reveal();
    Password const before{reinterpret_cast<char const*>(old_octets.data()), static_cast<int>(old_octets.size())};
    Password const after{reinterpret_cast<char const*>(new_octets.data()), static_cast<int>(new_octets.size())};
    if (new_octets.size() < shortest_password || new_octets.size() > longest_password) {
        return Error{Errc::pin_length, "of the new password"};
    }

    Safes const safes{::PKCS12_unpack_authsafes(m_file.get())};
    Safes made{sk_PKCS7_new_null()};
    File const file{::PKCS12_init(NID_pkcs7_data)};
    if (!safes || !made || !file) return failed("safes");
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
        auto safe = renewed(sk_PKCS7_value(safes.get(), i), before, after);
        if (!safe) return safe.error();
        if (sk_PKCS7_push(made.get(), safe->get()) == 0) return failed("a safe");
        static_cast<void>(safe->release()); // the list owns it now
    }
    if (::PKCS12_pack_authsafes(file.get(), made.get()) != 1 ||
        ::PKCS12_set_mac(file.get(), after.text, after.size, nullptr, 0, iterations, digest_of_mac(m_file.get())) !=
            1) {
        return failed("packing the file");
    }
    auto octets = written(file.get());
    if (!octets) return octets;

    // Nobody is to be locked out of their keys by what we wrote.
    auto const again = parse(*octets);
    auto const read_back = again ? again->open(next) : again.error();
    auto const same = [](SigningKey const& one, SigningKey const& other) {
        return one.certificate().fingerprint() == other.certificate().fingerprint();
    };
    if (!read_back || !std::ranges::equal(*read_back, *keys, same)) return failed("it reads back as another");
    return octets;
}

} // namespace tamga::keyfile

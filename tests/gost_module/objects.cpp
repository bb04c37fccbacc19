#include "tests/gost_module/objects.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11x.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace tamga::gost_module {

namespace {

using test::KeyKind;
using KeyPointer = std::shared_ptr<EVP_PKEY>;

std::optional<Bytes> from_hex(std::string const& text) {
    Bytes octets;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        octets.push_back(static_cast<unsigned char>(std::stoul(text.substr(i, 2), nullptr, 16)));
    return octets;
}

std::filesystem::path file_of(std::filesystem::path const& folder, std::size_t number) {
    char name[32];
    std::snprintf(name, sizeof name, "%04zu.object", number);
    return folder / name;
}

/// Which curve CKA_GOSTR3410_PARAMS names, in Kazakhstan's or in Russia's words.
std::optional<KeyKind> kind_of(Bytes const& parameters) {
    auto const* at = parameters.data();
    auto* object = d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(parameters.size()));
    char oid[64] = "";
    if (object != nullptr) OBJ_obj2txt(oid, sizeof oid, object, 1);
    ASN1_OBJECT_free(object);
    static constexpr std::pair<char const*, KeyKind> known[] = {
        {"1.2.398.3.10.1.1.2.2.1", KeyKind::gost2015_512}, {"1.2.643.7.1.2.1.2.1", KeyKind::gost2015_512},
        {"1.2.398.3.10.1.1.2.1.1", KeyKind::gost2015_256}, {"1.2.643.7.1.2.1.1.1", KeyKind::gost2015_256},
        {"1.2.398.3.10.1.1.1.1.1", KeyKind::gost2004},     {"1.2.643.2.2.35.1", KeyKind::gost2004},
    };
    for (auto const& [name, kind] : known) {
        if (std::string_view{oid} == name) return kind;
    }
    return std::nullopt;
}

template <class Write>
Bytes encoded(Write write) {
    unsigned char* octets = nullptr;
    auto const size = write(&octets);
    Bytes copy;
    if (size > 0) copy.assign(octets, octets + size);
    OPENSSL_free(octets);
    return copy;
}

Bytes number_parameter(EVP_PKEY* key, char const* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, octets.data());
    BN_free(number);
    return octets;
}

Bytes private_octets(EVP_PKEY* key) {
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)> const info{EVP_PKEY2PKCS8(key),
                                                                                         PKCS8_PRIV_KEY_INFO_free};
    return encoded([&](unsigned char** out) { return i2d_PKCS8_PRIV_KEY_INFO(info.get(), out); });
}

KeyPointer private_key_of(Object const& object) {
    auto const place = object.find(secret);
    if (place == object.end()) return nullptr;
    auto const* at = place->second.data();
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)> const info{
        d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(place->second.size())), PKCS8_PRIV_KEY_INFO_free};
    return {info ? EVP_PKCS82PKEY(info.get()) : nullptr, EVP_PKEY_free};
}

Bytes rsa_signature(EVP_PKEY* key, View input) {
    std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> const context{EVP_PKEY_CTX_new(key, nullptr),
                                                                              EVP_PKEY_CTX_free};
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    auto size = signature.size();
    if (EVP_PKEY_sign_init(context.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(), input.size()) != 1) {
        return {};
    }
    return signature;
}

} // namespace

CK_ULONG number_of(Object const& object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise) {
    auto const place = object.find(type);
    if (place == object.end() || place->second.size() != sizeof otherwise) return otherwise;
    std::memcpy(&otherwise, place->second.data(), sizeof otherwise);
    return otherwise;
}

bool is_private(Object const& object) {
    auto const place = object.find(CKA_PRIVATE);
    return place != object.end() && place->second == Bytes{CK_TRUE};
}

std::vector<Object> read_objects(std::filesystem::path const& folder) {
    std::vector<Object> objects;
    for (std::size_t number = 1; std::filesystem::exists(file_of(folder, number)); ++number) {
        std::ifstream file{file_of(folder, number)};
        Object object;
        CK_ATTRIBUTE_TYPE type = 0;
        for (std::string value; file >> std::hex >> type >> value;) {
            // A point stands in front of the value, so that an empty one is a word too.
            if (auto octets = from_hex(value.substr(1))) object[type] = std::move(*octets);
        }
        objects.push_back(std::move(object));
    }
    return objects;
}

bool write_object(std::filesystem::path const& folder, std::size_t number, Object const& object) {
    std::ofstream file{file_of(folder, number)};
    for (auto const& [type, value] : object)
        file << std::hex << type << " ." << to_hex(value) << '\n';
    return file.good();
}

std::optional<Pair> generate(CK_MECHANISM_TYPE mechanism, Object const& public_template,
                             Object const& private_template) {
    bool const is_rsa = mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN;
    auto const parameters = public_template.find(CKA_GOSTR3410_PARAMS);
    auto const kind = is_rsa                                ? KeyKind::rsa_2048
                      : parameters != public_template.end() ? kind_of(parameters->second)
                                                            : std::optional<KeyKind>{};
    bool const is_512 = mechanism == CKM_GOSTR3410_512_KEY_PAIR_GEN;
    if (!kind || (!is_rsa && is_512 != (*kind == KeyKind::gost2015_512))) return std::nullopt;
    auto const key = is_rsa ? KeyPointer{EVP_RSA_gen(2048U), EVP_PKEY_free} : test::make_gost_key(*kind);
    auto const type = octets_of<CK_KEY_TYPE>(is_rsa ? CKK_RSA : is_512 ? CKK_GOSTR3410_512 : CKK_GOSTR3410);

    Pair pair{public_template, private_template};
    for (auto* half : {&pair.public_key, &pair.private_key}) {
        (*half)[CKA_TOKEN] = Bytes{CK_TRUE};
        (*half)[CKA_KEY_TYPE] = type;
        if (is_rsa) (*half)[CKA_MODULUS] = number_parameter(key.get(), OSSL_PKEY_PARAM_RSA_N);
        if (!is_rsa) (*half)[CKA_GOSTR3410_PARAMS] = parameters->second;
    }
    pair.public_key[CKA_CLASS] = octets_of<CK_OBJECT_CLASS>(CKO_PUBLIC_KEY);
    pair.public_key[CKA_PRIVATE] = Bytes{CK_FALSE};
    pair.public_key[CKA_PUBLIC_KEY_INFO] = encoded([&](unsigned char** out) { return i2d_PUBKEY(key.get(), out); });
    if (!is_rsa) pair.public_key[CKA_VALUE] = test::gost_point(key.get());
    pair.private_key[CKA_CLASS] = octets_of<CK_OBJECT_CLASS>(CKO_PRIVATE_KEY);
    pair.private_key[CKA_PRIVATE] = Bytes{CK_TRUE};
    pair.private_key[CKA_SENSITIVE] = Bytes{CK_TRUE};
    pair.private_key[secret] = private_octets(key.get());
    return pair;
}

Bytes sign(Object const& private_key, View input) {
    auto const key = private_key_of(private_key);
    if (!key) return {};
    if (mechanism_of(private_key) == CKM_RSA_PKCS) return rsa_signature(key.get(), input);
    auto const size = mechanism_of(private_key) == CKM_GOSTR3410_512 ? 64U : 32U;
    return input.size() == size ? test::gost_sign_digest(key.get(), input) : Bytes{};
}

CK_MECHANISM_TYPE mechanism_of(Object const& private_key) {
    switch (number_of(private_key, CKA_KEY_TYPE, CKK_VENDOR_DEFINED)) {
    case CKK_RSA: return CKM_RSA_PKCS;
    case CKK_GOSTR3410: return CKM_GOSTR3410;
    case CKK_GOSTR3410_512: return CKM_GOSTR3410_512;
    default: return CKM_VENDOR_DEFINED;
    }
}

} // namespace tamga::gost_module

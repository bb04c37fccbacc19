#include "pkcs11/pair_making.hpp"

#include "signing/der.hpp"

#include <p11-kit/pkcs11x.h>

namespace tamga::pkcs11 {

namespace {

namespace der = signing::der;

constexpr unsigned char exponent_65537[] = {1, 0, 1};
constexpr CK_ULONG rsa_bits = 2048;
constexpr char const* prime256v1 = "1.2.840.10045.3.1.7";

CK_MECHANISM_TYPE mechanism_of(ipc::PairKind kind) {
    switch (kind) {
    case ipc::PairKind::rsa_2048: return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case ipc::PairKind::ec_p256: return CKM_EC_KEY_PAIR_GEN;
    case ipc::PairKind::gost2015_256: return CKM_GOSTR3410_KEY_PAIR_GEN;
    case ipc::PairKind::gost2015_512: return CKM_GOSTR3410_512_KEY_PAIR_GEN;
    }
    return CKM_VENDOR_DEFINED;
}

Attributes common(ipc::GeneratePair const& wanted, CK_OBJECT_CLASS object_class) {
    Attributes attributes;
    attributes.number(CKA_CLASS, object_class)
        .number(CKA_KEY_TYPE, signature_mechanism(algorithm_of(wanted.kind)).key_type)
        .flag(CKA_TOKEN, true)
        .octets(CKA_ID, wanted.id)
        .octets(CKA_LABEL, as_view(wanted.label));
    return attributes;
}

Attributes private_half(ipc::GeneratePair const& wanted) {
    auto attributes = common(wanted, CKO_PRIVATE_KEY);
    attributes.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false).flag(CKA_SIGN, true);
    for (auto const other_use : {CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE})
        attributes.flag(other_use, false);
    return attributes;
}

/// What a GOST curve and its digest are called.
struct GostNames {
    std::string_view parameters;
    std::string_view digest;
};

Attributes public_half(ipc::GeneratePair const& wanted, GostNames const& names) {
    auto attributes = common(wanted, CKO_PUBLIC_KEY);
    attributes.flag(CKA_PRIVATE, false).flag(CKA_VERIFY, true);
    switch (wanted.kind) {
    case ipc::PairKind::rsa_2048:
        attributes.number(CKA_MODULUS_BITS, rsa_bits).octets(CKA_PUBLIC_EXPONENT, exponent_65537);
        break;
    case ipc::PairKind::ec_p256: attributes.octets(CKA_EC_PARAMS, der::oid(prime256v1)); break;
    case ipc::PairKind::gost2015_256:
    case ipc::PairKind::gost2015_512:
        attributes.octets(CKA_GOSTR3410_PARAMS, der::oid(names.parameters))
            .octets(CKA_GOSTR3411_PARAMS, der::oid(names.digest));
        break;
    }
    return attributes;
}

constexpr std::string_view streebog_256 = "1.2.643.7.1.1.2.2";
constexpr std::string_view streebog_512 = "1.2.643.7.1.1.2.3";

/// In the order in which they are tried; of other keys one, which says nothing.
std::vector<GostNames> names_of(ipc::PairKind kind) {
    auto const& algorithm = signing::algorithm(algorithm_of(kind));
    if (algorithm.foreign == nullptr) return {{}};
    auto const digest = kind == ipc::PairKind::gost2015_512 ? streebog_512 : streebog_256;
    return {{algorithm.foreign->russian.parameters, digest}, {algorithm.foreign->parameters_oid, algorithm.digest_oid}};
}

} // namespace

signing::KeyAlgorithm algorithm_of(ipc::PairKind kind) noexcept {
    switch (kind) {
    case ipc::PairKind::rsa_2048: return signing::KeyAlgorithm::rsa;
    case ipc::PairKind::ec_p256: return signing::KeyAlgorithm::ec_p256;
    case ipc::PairKind::gost2015_256: return signing::KeyAlgorithm::gost2015_256;
    case ipc::PairKind::gost2015_512: return signing::KeyAlgorithm::gost2015_512;
    }
    return {};
}

PairSize size_of(ipc::PairKind kind) noexcept {
    switch (kind) {
    case ipc::PairKind::rsa_2048: return {400, 1300};
    case ipc::PairKind::ec_p256:
    case ipc::PairKind::gost2015_256: return {200, 150};
    case ipc::PairKind::gost2015_512: return {300, 200};
    }
    return {};
}

Result<Session::Login::NewPair> make_pair(Session::Login const& login, ipc::GeneratePair const& wanted) {
    Result<Session::Login::NewPair> made = Errc::generation_unsupported;
    for (auto const& names : names_of(wanted.kind)) {
        auto public_key = public_half(wanted, names);
        auto private_key = private_half(wanted);
        made = login.generate_pair(mechanism_of(wanted.kind), public_key, private_key);
        // A curve by a name that the module does not know: nothing was made.
        if (made || made.error().code != Errc::generation_unsupported) return made;
    }
    return made;
}

} // namespace tamga::pkcs11

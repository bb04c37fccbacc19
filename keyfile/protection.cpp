#include "keyfile/protection.hpp"

#include "base/release.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <memory>

namespace tamga::keyfile {

namespace {

using Pkcs12Parameters = std::unique_ptr<::PBEPARAM, Release<::PBEPARAM_free>>;
using Pbes2Parameters = std::unique_ptr<::PBE2PARAM, Release<::PBE2PARAM_free>>;
using Pbkdf2Parameters = std::unique_ptr<::PBKDF2PARAM, Release<::PBKDF2PARAM_free>>;

struct Identifier {
    int nid = NID_undef;
    ::ASN1_TYPE const* parameters = nullptr; ///< a SEQUENCE
};

Identifier identifier_of(::X509_ALGOR const* algorithm) {
    ::ASN1_OBJECT const* named = nullptr;
    int type = V_ASN1_UNDEF;
    ::X509_ALGOR_get0(&named, &type, nullptr, algorithm);
    return {::OBJ_obj2nid(named), type == V_ASN1_SEQUENCE ? algorithm->parameter : nullptr};
}

template <class Pointer>
Pointer parameters_of(Identifier const& identifier, ::ASN1_ITEM const* item) {
    if (identifier.parameters == nullptr) return nullptr;
    auto* parsed = ::ASN1_TYPE_unpack_sequence(item, identifier.parameters);
    ::ERR_clear_error();
    return Pointer{static_cast<typename Pointer::pointer>(parsed)};
}

Error malformed() {
    return Error{Errc::key_file_malformed, "parameters of an encryption"};
}

/// A number beyond 64 bits counts as none.
Result<void> add_number(::ASN1_INTEGER const* number, Cost& cost) {
    std::int64_t iterations = 0;
    if (number == nullptr || ::ASN1_INTEGER_get_int64(&iterations, number) != 1) {
        ::ERR_clear_error();
        return Error{Errc::key_file_unsupported, "a number of iterations beyond all bounds"};
    }
    return cost.add(iterations);
}

Result<void> add_pbes2(Identifier const& identifier, Cost& cost) {
    auto const parameters = parameters_of<Pbes2Parameters>(identifier, ASN1_ITEM_rptr(PBE2PARAM));
    if (!parameters) return malformed();
    auto const derivation = identifier_of(parameters->keyfunc);
    if (derivation.nid != NID_id_pbkdf2) return Error{Errc::key_file_unsupported, "a key derivation beside PBKDF2"};
    auto const pbkdf2 = parameters_of<Pbkdf2Parameters>(derivation, ASN1_ITEM_rptr(PBKDF2PARAM));
    return pbkdf2 ? add_number(pbkdf2->iter, cost) : malformed();
}

bool is_pkcs12_encryption(int nid) {
    switch (nid) {
    case NID_pbe_WithSHA1And128BitRC4:
    case NID_pbe_WithSHA1And40BitRC4:
    case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
    case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
    case NID_pbe_WithSHA1And128BitRC2_CBC:
    case NID_pbe_WithSHA1And40BitRC2_CBC: return true;
    default: return false;
    }
}

} // namespace

Result<void> Cost::add(std::int64_t iterations) {
    if (iterations <= 0) return Error{Errc::key_file_malformed, "no iterations"};
    if (iterations > m_left) {
        return Error{Errc::key_file_unsupported, std::to_string(iterations) + " iterations are too many"};
    }
    m_left -= iterations;
    return ok();
}

Result<void> add_cost_of(::X509_ALGOR const* algorithm, Cost& cost) {
    if (algorithm == nullptr) return malformed();
    auto const identifier = identifier_of(algorithm);
    if (identifier.nid == NID_pbes2) return add_pbes2(identifier, cost);
    if (!is_pkcs12_encryption(identifier.nid)) {
        char oid[128] = "";
        ::OBJ_obj2txt(oid, sizeof oid, algorithm->algorithm, 1);
        return Error{Errc::key_file_unsupported, std::string{"encryption "} + oid};
    }
    auto const parameters = parameters_of<Pkcs12Parameters>(identifier, ASN1_ITEM_rptr(PBEPARAM));
    if (!parameters) return malformed();
    return add_number(parameters->iter, cost);
}

} // namespace tamga::keyfile

#include "signing/strength.hpp"

#include "signing/algorithm.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>

namespace tamga::signing {

namespace {

std::string dotted(ASN1_OBJECT const* object) {
    char text[128] = "";
    ::OBJ_obj2txt(text, sizeof text, object, 1);
    return text;
}

bool is_accepted_digest(int nid) {
    auto const* object = nid == NID_undef ? nullptr : ::OBJ_nid2obj(nid);
    return object != nullptr && digest_by_oid(dotted(object)).has_value();
}

/// Their digest goes with the key (signing/foreign_keys.cpp).
bool is_of_kazakhstan(ASN1_OBJECT const* signature) {
    return std::ranges::any_of(algorithms(), [name = dotted(signature)](Algorithm const& each) {
        return each.foreign != nullptr && name == each.signature_oid;
    });
}

} // namespace

bool is_strong_key(EVP_PKEY const* key) {
    return ::EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || ::EVP_PKEY_get_bits(key) >= shortest_rsa_bits;
}

bool has_strong_signature(::X509* certificate) {
    int method = NID_undef;
    bool const known = ::X509_get_signature_info(certificate, &method, nullptr, nullptr, nullptr) == 1;
    ::ERR_clear_error();
    if (known) return is_accepted_digest(method);
    return is_of_kazakhstan(::X509_get0_tbs_sigalg(certificate)->algorithm);
}

bool is_strong_signature(X509_ALGOR const* identifier) {
    ASN1_OBJECT const* named = nullptr;
    ::X509_ALGOR_get0(&named, nullptr, nullptr, identifier);
    if (is_of_kazakhstan(named)) return true;
    int method = NID_undef;
    return ::OBJ_find_sigid_algs(::OBJ_obj2nid(named), &method, nullptr) == 1 && is_accepted_digest(method);
}

} // namespace tamga::signing

// The engine interface is deprecated and there is no other way to teach OpenSSL 3.0 a key: docs/adr/0017.
//
// OpenSSL asks methods that came with an engine, and no others, when it decodes a key it has no provider for; and it
// looks for an engine by its EVP_PKEY_METHOD before it looks at its EVP_PKEY_ASN1_METHOD. So both are here, in an
// engine that lives in this process.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "signing/foreign_keys.hpp"

#include "signing/algorithm.hpp"
#include "signing/der.hpp"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace tamga::signing {

namespace {

/// What an EVP_PKEY of ours holds. gost-engine's key is made when it is wanted first.
class Key {
public:
    Key(Algorithm const& algorithm, View point) : m_algorithm{algorithm}, m_point{to_bytes(point)} {}

    [[nodiscard]] Algorithm const& algorithm() const noexcept { return m_algorithm; }
    [[nodiscard]] Bytes const& point() const noexcept { return m_point; }

    /// `signature`: as certificates, CMS and XML have it. gost-engine halves whatever it is given.
    [[nodiscard]] bool verify(View digest, View signature) {
        if (signature.size() != 2 * m_algorithm.coordinate_size) return false;
        std::unique_lock lock{m_mutex};
        if (!m_key) {
            if (auto key = gost::PublicKey::import(m_algorithm.foreign->russian, m_point)) m_key = std::move(*key);
        }
        lock.unlock();
        // Reversed twice is what it was.
        return m_key && m_key->verify(digest, to_bare_signature(m_algorithm, signature));
    }

private:
    Algorithm const& m_algorithm;
    Bytes m_point;
    std::mutex m_mutex; ///< guards the making of m_key, which stays as it is then
    std::optional<gost::PublicKey> m_key;
};

Key& key_of(EVP_PKEY const* key) {
    return *static_cast<Key*>(EVP_PKEY_get0(key));
}

int nid_of(char const* oid, char const* name) {
    int const known = OBJ_txt2nid(oid);
    return known != NID_undef ? known : OBJ_create(oid, name, name);
}

bool is_oid(std::optional<der::Element> const& element, char const* dotted) {
    return element && std::ranges::equal(element->octets, der::oid(dotted));
}

/// Whether the key's parameters are those of the registry: the curve, and the digest's S-box or nothing.
bool has_parameters_of(ForeignKey const& foreign, X509_ALGOR const* identifier) {
    int type = V_ASN1_UNDEF;
    void const* value = nullptr;
    X509_ALGOR_get0(nullptr, &type, &value, identifier);
    if (type != V_ASN1_SEQUENCE) return false;
    auto const* string = static_cast<ASN1_STRING const*>(value);
    View rest{ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
    auto const sequence = der::take(rest, der::sequence);
    if (!sequence) return false;
    rest = sequence->content;
    if (!is_oid(der::take(rest, der::object_identifier), foreign.parameters_oid)) return false;
    return rest.empty() ||
           (is_oid(der::take(rest, der::object_identifier), foreign.digest_parameters_oid) && rest.empty());
}

/// subjectPublicKey is an OCTET STRING with x || y, each little-endian (as RFC 4491 section 2.3.2 has it).
int decode_public(EVP_PKEY* into, X509_PUBKEY const* key) {
    unsigned char const* octets = nullptr;
    int size = 0;
    X509_ALGOR* identifier = nullptr;
    X509_PUBKEY_get0_param(nullptr, &octets, &size, &identifier, key);
    auto const* algorithm = algorithm_of(key);
    if (algorithm == nullptr || algorithm->foreign == nullptr) return 0;
    if (!has_parameters_of(*algorithm->foreign, identifier)) return 0;
    View rest{octets, static_cast<std::size_t>(size)};
    auto const point = der::take(rest, der::octet_string);
    if (!point || !rest.empty() || point->content.size() != 2 * algorithm->coordinate_size) return 0;
    auto made = std::make_unique<Key>(*algorithm, point->content);
    if (EVP_PKEY_assign(into, OBJ_txt2nid(algorithm->key_oid), made.get()) != 1) return 0;
    static_cast<void>(made.release()); // free_key has it
    return 1;
}

void free_key(EVP_PKEY* key) {
    delete static_cast<Key*>(EVP_PKEY_get0(key));
}

/// 1: the same key.
int compare_public(EVP_PKEY const* one, EVP_PKEY const* other) {
    return key_of(one).point() == key_of(other).point() ? 1 : 0;
}

int signature_octets(EVP_PKEY const* key) {
    return static_cast<int>(2 * key_of(key).algorithm().coordinate_size);
}
int bits(EVP_PKEY const* key) {
    return static_cast<int>(8 * key_of(key).algorithm().coordinate_size);
}
int security_bits(EVP_PKEY const* key) {
    return bits(key) / 2;
}

/// Over certificates, CRLs, OCSP answers. 1: valid; 0: not; -1: could not be verified.
int verify_item(EVP_MD_CTX*, ASN1_ITEM const* item, void const* value, X509_ALGOR const* identifier,
                ASN1_BIT_STRING const* signature, EVP_PKEY* key) {
    auto const& algorithm = key_of(key).algorithm();
    ASN1_OBJECT const* named = nullptr;
    X509_ALGOR_get0(&named, nullptr, nullptr, identifier);
    if (OBJ_obj2nid(named) != OBJ_txt2nid(algorithm.signature_oid)) return 0;
    unsigned char* octets = nullptr;
    auto const size = ASN1_item_i2d(static_cast<ASN1_VALUE const*>(value), &octets, item);
    if (size < 0) return -1;
    auto const hashed = digest(algorithm.digest, {octets, static_cast<std::size_t>(size)});
    OPENSSL_free(octets);
    if (!hashed) return -1;
    View const value_signed{ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature))};
    return key_of(key).verify(*hashed, value_signed) ? 1 : 0;
}

int begin_verify(EVP_PKEY_CTX*) {
    return 1;
}
int verify(EVP_PKEY_CTX* context, unsigned char const* signature, std::size_t signature_size,
           unsigned char const* hashed, std::size_t size) {
    auto& key = key_of(EVP_PKEY_CTX_get0_pkey(context));
    if (size != key.algorithm().digest_size) return 0;
    return key.verify({hashed, size}, {signature, signature_size}) ? 1 : 0;
}

/// The key decides which digest it is: there is nothing to choose.
int control(EVP_PKEY_CTX*, int command, int, void*) {
    return command == EVP_PKEY_CTRL_MD ? 1 : -2;
}

/// OpenSSL borrows the methods until the end of the process, and frees them then.
struct Methods {
    std::map<int, EVP_PKEY_ASN1_METHOD*> encodings;
    std::map<int, EVP_PKEY_METHOD*> operations;
    std::vector<int> nids;
};

Methods& methods() {
    // Never destroyed: OpenSSL looks for a method while it cleans up, after static objects are gone.
    static auto& all = *new Methods;
    return all;
}

template <class Method>
int select(std::map<int, Method*> const& all, Method** method, int const** nids, int nid) {
    if (method == nullptr) {
        *nids = methods().nids.data();
        return static_cast<int>(methods().nids.size());
    }
    auto const found = all.find(nid);
    *method = found == all.end() ? nullptr : found->second;
    return *method == nullptr ? 0 : 1;
}
int select_encoding(ENGINE*, EVP_PKEY_ASN1_METHOD** method, int const** nids, int nid) {
    return select(methods().encodings, method, nids, nid);
}
int select_operations(ENGINE*, EVP_PKEY_METHOD** method, int const** nids, int nid) {
    return select(methods().operations, method, nids, nid);
}

void add_methods(Algorithm const& algorithm) {
    auto const* name = algorithm.foreign->name;
    int const key = nid_of(algorithm.key_oid, name);
    auto const signature_name = std::string{name} + "-signature";
    OBJ_add_sigid(nid_of(algorithm.signature_oid, signature_name.c_str()), NID_undef, key);

    auto* encoding = EVP_PKEY_asn1_new(key, 0, name, name);
    EVP_PKEY_asn1_set_public(encoding, decode_public, nullptr, compare_public, nullptr, signature_octets, bits);
    EVP_PKEY_asn1_set_security_bits(encoding, security_bits);
    EVP_PKEY_asn1_set_free(encoding, free_key);
    EVP_PKEY_asn1_set_item(encoding, verify_item, nullptr);
    auto* operations = EVP_PKEY_meth_new(key, 0);
    EVP_PKEY_meth_set_verify(operations, begin_verify, verify);
    EVP_PKEY_meth_set_ctrl(operations, control, nullptr);

    auto& all = methods();
    all.encodings[key] = encoding;
    all.operations[key] = operations;
    all.nids.push_back(key);
}

bool add_engine() {
    for (auto const& algorithm : algorithms()) {
        if (algorithm.foreign != nullptr) add_methods(algorithm);
    }
    auto* engine = ENGINE_new();
    ENGINE_set_id(engine, "tamga");
    ENGINE_set_name(engine, "Keys of Kazakhstan");
    ENGINE_set_pkey_asn1_meths(engine, select_encoding);
    ENGINE_set_pkey_meths(engine, select_operations);
    bool const added = ENGINE_add(engine) == 1 && ENGINE_register_pkey_asn1_meths(engine) == 1 &&
                       ENGINE_register_pkey_meths(engine) == 1;
    ENGINE_free(engine);
    ERR_clear_error();
    return added;
}

} // namespace

void teach_openssl() {
    static bool const taught = add_engine();
    static_cast<void>(taught);
}

} // namespace tamga::signing

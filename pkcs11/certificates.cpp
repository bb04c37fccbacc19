#include "pkcs11/certificates.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <optional>

namespace tamga::pkcs11 {

namespace {

struct Key {
    ObjectHandle handle;
    CK_KEY_TYPE type;
    Bytes id;
};

Result<std::vector<Key>> keys(Session const& session, CK_OBJECT_CLASS object_class) {
    auto const objects = session.find(object_class);
    if (!objects) return objects.error();
    std::vector<Key> keys;
    for (auto const object : *objects) {
        auto const type = session.number<CK_KEY_TYPE>(object, CKA_KEY_TYPE, CKK_VENDOR_DEFINED);
        keys.push_back({object, type, session.attribute(object, CKA_ID)});
    }
    return keys;
}

bool same_id(Bytes const& one, Bytes const& other) {
    return !one.empty() && one == other;
}

/// The public half of a private key: what it shows itself or, as EC keys mostly and GOST keys always have it, a public
/// key object of the same CKA_ID.
Bytes public_half(Session const& session, Key const& key, std::optional<std::vector<Key>>& public_keys,
                  SignatureMechanism const& mechanism) {
    if (mechanism.public_half == PublicHalf::in_either_key) {
        auto own = session.attribute(key.handle, mechanism.public_attribute);
        if (!own.empty()) return own;
    }
    if (!public_keys) {
        auto listed = keys(session, CKO_PUBLIC_KEY);
        public_keys = listed ? std::move(*listed) : std::vector<Key>{};
    }
    for (auto const& other : *public_keys) {
        if (other.type == key.type && same_id(other.id, key.id)) {
            return session.attribute(other.handle, mechanism.public_attribute);
        }
    }
    return {};
}

bool has_parameters_of(Session const& session, Key const& key, signing::KeyAlgorithm algorithm,
                       SignatureMechanism const& mechanism) {
    if (mechanism.parameters == CKA_VENDOR_DEFINED) return true;
    return accepts_parameters(algorithm, session.attribute(key.handle, mechanism.parameters));
}

/// The attribute may have a sign octet or the head of an OCTET STRING before the value.
bool shows(Bytes const& attribute, Bytes const& value) {
    constexpr std::size_t longest_head = 3;
    return !value.empty() && attribute.size() >= value.size() && attribute.size() <= value.size() + longest_head &&
           std::equal(value.rbegin(), value.rend(), attribute.rbegin());
}

} // namespace

Result<std::vector<Bytes>> public_certificates(Session const& session) {
    auto const objects = session.find(CKO_CERTIFICATE);
    if (!objects) return objects.error();
    std::vector<Bytes> certificates;
    for (auto const object : *objects) {
        if (session.number<CK_BBOOL>(object, CKA_PRIVATE, CK_FALSE) != CK_FALSE) continue;
        if (session.number<CK_CERTIFICATE_TYPE>(object, CKA_CERTIFICATE_TYPE, CKC_X_509) != CKC_X_509) continue;
        auto der = session.attribute(object, CKA_VALUE);
        if (!der.empty()) certificates.push_back(std::move(der));
    }
    return certificates;
}

Result<std::vector<SigningKey>> signing_keys(Session const& session) {
    auto const objects = session.find(CKO_CERTIFICATE);
    if (!objects) return objects.error();
    auto const private_keys = keys(session, CKO_PRIVATE_KEY);
    if (!private_keys) return private_keys.error();
    std::optional<std::vector<Key>> public_keys; // read where a private key does not show its public half

    std::vector<SigningKey> found;
    for (auto const object : *objects) {
        auto const certificate = signing::Certificate::parse(session.attribute(object, CKA_VALUE));
        if (!certificate) {
            log::debug("certificate", {{"skipped", certificate.error().detail}});
            continue;
        }
        auto const mechanism = signature_mechanism(certificate->algorithm().key);
        auto const value = mechanism.public_value(*certificate->x509());
        auto const id = session.attribute(object, CKA_ID);
        auto const belongs = [&](Key const& key) {
            if (key.type != mechanism.key_type) return false;
            if (!has_parameters_of(session, key, certificate->algorithm().key, mechanism)) return false;
            auto const half = public_half(session, key, public_keys, mechanism);
            return half.empty() ? same_id(key.id, id) : shows(half, value);
        };
        auto const key = std::find_if(private_keys->begin(), private_keys->end(), belongs);
        if (key == private_keys->end()) continue;
        auto const always = session.number<CK_BBOOL>(key->handle, CKA_ALWAYS_AUTHENTICATE, CK_FALSE) != CK_FALSE;
        found.push_back({*certificate, key->handle, always});
    }
    return found;
}

} // namespace tamga::pkcs11

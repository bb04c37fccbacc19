#include "pkcs11/certificates.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <optional>

namespace tamga::pkcs11 {

namespace {

// Far above what people have; a token with more is one gone wrong, and must not take the others' room.
constexpr std::size_t longest_certificate = 16 * 1024;
constexpr std::size_t most_certificates = 64;

void log_skipped(char const* why, std::size_t number) {
    log::warning("certificates_skipped", {{"why", why}, {"number", static_cast<std::uint64_t>(number)}});
}

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
        auto [type, id] = session.attributes(object, CKA_KEY_TYPE, CKA_ID);
        keys.push_back({object, Session::to_number<CK_KEY_TYPE>(type, CKK_VENDOR_DEFINED), std::move(id)});
    }
    return keys;
}

bool same_id(Bytes const& one, Bytes const& other) {
    return !one.empty() && one == other;
}

/// The attribute may have a sign octet or the head of an OCTET STRING before the value.
bool shows(Bytes const& attribute, Bytes const& value) {
    constexpr std::size_t longest_head = 3;
    return !value.empty() && attribute.size() >= value.size() && attribute.size() <= value.size() + longest_head &&
           std::equal(value.rbegin(), value.rend(), attribute.rbegin());
}

/// The private keys of a token, asked which of them is a certificate's.
class KeyRing {
public:
    KeyRing(Session const& session, std::vector<Key> private_keys)
        : m_session{session}, m_private_keys{std::move(private_keys)} {}

    /// `id`: the CKA_ID of the certificate.
    std::optional<SigningKey> key_of(signing::Certificate const& certificate, Bytes const& id) {
        auto const mechanism = signature_mechanism(certificate.algorithm().key);
        auto const value = mechanism.public_value(*certificate.x509());
        for (auto const& key : m_private_keys) {
            if (key.type != mechanism.key_type) continue;
            if (!has_parameters_of(key, certificate.algorithm().key, mechanism)) continue;
            auto const half = public_half(key, mechanism);
            if (half.empty() ? !same_id(key.id, id) : !shows(half, value)) continue;
            auto const always = m_session.number<CK_BBOOL>(key.handle, CKA_ALWAYS_AUTHENTICATE, CK_FALSE);
            return SigningKey{certificate, key.handle, always != CK_FALSE};
        }
        return std::nullopt;
    }

private:
    bool has_parameters_of(Key const& key, signing::KeyAlgorithm algorithm, SignatureMechanism const& mechanism) const {
        if (mechanism.parameters == CKA_VENDOR_DEFINED) return true;
        return accepts_parameters(algorithm, m_session.attribute(key.handle, mechanism.parameters));
    }

    /// The public half of a private key: what it shows itself or, as EC keys mostly and GOST keys always have it, a
    /// public key object of the same CKA_ID.
    Bytes public_half(Key const& key, SignatureMechanism const& mechanism) {
        if (mechanism.public_half == PublicHalf::in_either_key) {
            auto own = m_session.attribute(key.handle, mechanism.public_attribute);
            if (!own.empty()) return own;
        }
        if (!m_public_keys) {
            auto listed = keys(m_session, CKO_PUBLIC_KEY);
            m_public_keys = listed ? std::move(*listed) : std::vector<Key>{};
        }
        for (auto const& other : *m_public_keys) {
            if (other.type == key.type && same_id(other.id, key.id)) {
                return m_session.attribute(other.handle, mechanism.public_attribute);
            }
        }
        return {};
    }

    Session const& m_session;
    std::vector<Key> m_private_keys;
    std::optional<std::vector<Key>> m_public_keys; ///< read where a private key does not show its public half
};

} // namespace

Result<std::vector<Bytes>> public_certificates(Session const& session) {
    auto const objects = session.find(CKO_CERTIFICATE);
    if (!objects) return objects.error();
    std::vector<Bytes> certificates;
    for (auto const object : *objects) {
        if (certificates.size() == most_certificates) {
            log_skipped("too many", objects->size() - most_certificates);
            break;
        }
        auto const [hidden, kind] = session.attributes(object, CKA_PRIVATE, CKA_CERTIFICATE_TYPE);
        if (Session::to_number<CK_BBOOL>(hidden, CK_FALSE) != CK_FALSE) continue;
        if (Session::to_number<CK_CERTIFICATE_TYPE>(kind, CKC_X_509) != CKC_X_509) continue;
        auto der = session.attribute(object, CKA_VALUE);
        if (der.size() > longest_certificate)
            log_skipped("too long", 1);
        else if (!der.empty())
            certificates.push_back(std::move(der));
    }
    return certificates;
}

Result<std::vector<SigningKey>> signing_keys(Session const& session, View chosen) {
    auto private_keys = keys(session, CKO_PRIVATE_KEY);
    if (!private_keys) return private_keys.error();
    KeyRing ring{session, std::move(*private_keys)};
    if (!chosen.empty()) {
        auto const certificate = signing::Certificate::parse(chosen);
        auto key = certificate ? ring.key_of(*certificate, {}) : std::nullopt;
        if (key) return std::vector{std::move(*key)};
    }

    auto const objects = session.find(CKO_CERTIFICATE);
    if (!objects) return objects.error();
    std::vector<SigningKey> found;
    for (auto const object : *objects) {
        if (found.size() == most_certificates) {
            log_skipped("too many", objects->size() - most_certificates);
            break;
        }
        auto const [der, id] = session.attributes(object, CKA_VALUE, CKA_ID);
        if (der.size() > longest_certificate) {
            log_skipped("too long", 1);
            continue;
        }
        auto const certificate = signing::Certificate::parse(der);
        if (!certificate) {
            log::debug("certificate", {{"skipped", certificate.error().detail}});
            continue;
        }
        if (auto key = ring.key_of(*certificate, id)) found.push_back(std::move(*key));
    }
    return found;
}

} // namespace tamga::pkcs11

#include "pkcs11/pairs.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

constexpr std::size_t longest_label = 256;

std::string label_of(Session const& session, ObjectHandle object) {
    auto octets = session.attribute(object, CKA_LABEL);
    octets.resize(std::min(octets.size(), longest_label));
    return padded_text(octets);
}

/// The one that has the other half, or a new one.
Pair& pair_of(std::vector<Pair>& pairs, CK_KEY_TYPE type, Bytes const& id) {
    auto const lacks_this_half = [&](Pair const& pair) {
        return pair.type == type && pair.id == id && !id.empty() && !pair.public_key;
    };
    auto const place = std::ranges::find_if(pairs, lacks_this_half);
    if (place != pairs.end()) return *place;
    auto& pair = pairs.emplace_back();
    pair.type = type;
    pair.id = id;
    return pair;
}

void add_half(Session const& session, ObjectHandle object, CK_OBJECT_CLASS object_class, Pair& pair) {
    (object_class == CKO_PRIVATE_KEY ? pair.private_key : pair.public_key) = object;
    if (pair.label.empty()) pair.label = label_of(session, object);
    if (!pair.key) pair.key = shown_public_key(session, object, object_class, pair.type);
}

Result<void> read_half(Session const& session, CK_OBJECT_CLASS object_class, std::vector<Pair>& pairs) {
    auto const objects = session.find(object_class);
    if (!objects) return objects.error();
    for (auto const object : *objects) {
        auto const [kind, id] = session.attributes(object, CKA_KEY_TYPE, CKA_ID);
        auto const type = Session::to_number<CK_KEY_TYPE>(kind, CKK_VENDOR_DEFINED);
        auto& pair = object_class == CKO_PRIVATE_KEY ? pairs.emplace_back() : pair_of(pairs, type, id);
        pair.type = type;
        pair.id = id;
        add_half(session, object, object_class, pair);
    }
    return ok();
}

Result<void> add_certificates(Session const& session, std::span<Pair> pairs) {
    auto certificates = read_certificates(session);
    if (!certificates) return certificates.error();
    for (auto& certificate : *certificates) {
        auto const is_of = [&](Pair const& pair) {
            return pair.key && certificate.value && pair.key->value == *certificate.value;
        };
        auto const place = std::ranges::find_if(pairs, is_of);
        if (place != pairs.end()) place->certificates.push_back(std::move(certificate));
    }
    return ok();
}

} // namespace

ipc::PairFound Pair::described() const {
    ipc::PairFound found;
    found.id = id;
    found.label = label;
    if (key) found.public_key = key->info;
    found.has_private_key = private_key.has_value();
    found.has_public_key = public_key.has_value();
    for (auto const& certificate : certificates)
        found.certificates.push_back(certificate.fingerprint);
    return found;
}

Result<std::vector<CertificateObject>> read_certificates(Session const& session) {
    auto const objects = session.find(CKO_CERTIFICATE);
    if (!objects) return objects.error();
    std::vector<CertificateObject> certificates;
    for (auto const object : *objects) {
        auto der = session.attribute(object, CKA_VALUE);
        // One that is overlooked would be stored twice, or stay when its key goes.
        if (der.empty() && session.attribute(object, CKA_URL).empty()) {
            return Error{Errc::token_failure, "a certificate that cannot be read"};
        }
        auto const parsed = signing::Certificate::parse(der);
        CertificateObject read{object, std::move(der), {}, {}};
        if (parsed) {
            read.fingerprint = parsed->fingerprint();
            read.value = public_value(*parsed);
        }
        certificates.push_back(std::move(read));
    }
    return certificates;
}

Result<std::vector<Pair>> read_pairs(Session const& session) {
    std::vector<Pair> pairs;
    for (auto const half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
        if (auto read = read_half(session, half, pairs); !read) return read.error();
    }
    if (auto added = add_certificates(session, pairs); !added) return added.error();
    return pairs;
}

Result<Pair> read_pair(Session const& session, View id) {
    Pair pair;
    pair.id = to_bytes(id);
    for (auto const half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
        auto const objects = session.find(half, id);
        if (!objects) return objects.error();
        if (objects->size() > 1) return Error{Errc::key_exists, "several keys of one identifier"};
        if (objects->empty()) continue;
        pair.type = session.number<CK_KEY_TYPE>(objects->front(), CKA_KEY_TYPE, CKK_VENDOR_DEFINED);
        add_half(session, objects->front(), half, pair);
    }
    if (!pair.private_key && !pair.public_key) return Error{Errc::key_not_found, "no pair of this identifier"};
    if (auto added = add_certificates(session, {&pair, 1}); !added) return added.error();
    return pair;
}

} // namespace tamga::pkcs11

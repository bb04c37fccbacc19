#include "pkcs11/key_work.hpp"

#include "pkcs11/pair_making.hpp"
#include "signing/pkcs10.hpp"

#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

using ipc::KeyStep;
using ipc::Remains;

constexpr std::size_t certificate_overhead =
    300; ///< octets of a certificate object beside its value: names, identifier
constexpr std::string_view trial_text = "Tamga tries whether this key belongs to its certificate: ";

std::vector<ipc::PairFound> described(Pair const& pair) {
    return {pair.described()};
}

/// Of a part of a certificate.
template <class Part>
Bytes encoded(int (*write)(Part const*, unsigned char**), Part const* part) {
    unsigned char* octets = nullptr;
    auto const size = write(part, &octets);
    Bytes copy;
    if (size > 0) copy.assign(octets, octets + size);
    ::OPENSSL_free(octets);
    return copy;
}

/// Next to its key: with the same CKA_ID and label.
Attributes certificate_object(signing::Certificate const& certificate, Bytes const& id, std::string const& label) {
    auto const* const x509 = certificate.x509();
    Attributes attributes;
    attributes.number(CKA_CLASS, CKO_CERTIFICATE)
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .flag(CKA_TOKEN, true)
        .flag(CKA_PRIVATE, false)
        .octets(CKA_ID, id)
        .octets(CKA_LABEL, as_view(label))
        .octets(CKA_SUBJECT, encoded(::i2d_X509_NAME, ::X509_get_subject_name(x509)))
        .octets(CKA_ISSUER, encoded(::i2d_X509_NAME, ::X509_get_issuer_name(x509)))
        .octets(CKA_SERIAL_NUMBER, encoded(::i2d_ASN1_INTEGER, ::X509_get0_serialNumber(x509)))
        .octets(CKA_VALUE, certificate.der());
    return attributes;
}

Attributes label_alone(std::string const& label) {
    Attributes attributes;
    attributes.octets(CKA_LABEL, as_view(label));
    return attributes;
}

} // namespace

void KeyWork::step(KeyStep step, Operation operation) const {
    m_place.watch.begin(operation);
    m_place.tell(step);
}

KeyWorkDone KeyWork::perform(ipc::KeyOperation const& operation, View octets) {
    if (m_place.stop.stop_requested()) return KeyWorkDone::failed(Error{Errc::user_cancelled, "the prompt is gone"});
    step(KeyStep::checking, Operation::write);
    if (auto const* const request = std::get_if<ipc::SignCertificationRequest>(&operation)) {
        return perform(*request, octets);
    }
    return std::visit(
        [this](auto const& wanted) {
            using Wanted = std::decay_t<decltype(wanted)>;
            if constexpr (std::is_same_v<Wanted, ipc::SignCertificationRequest>)
                return KeyWorkDone{};
            else
                return perform(wanted);
        },
        operation);
}

// ---- what all of them need ----

/// Only what the token tells is believed; the rest shows when it is full.
Result<void> KeyWork::has_room(std::size_t for_public, std::size_t for_private) const {
    auto const room = m_place.session.room();
    auto const in_public = room.for_public.value_or(for_public);
    auto const in_private = room.for_private.value_or(for_private);
    if (in_public >= for_public && in_private >= for_private) return ok();
    return Error{Errc::token_full,
                 "octets free: " + std::to_string(in_public) + ", behind the PIN " + std::to_string(in_private)};
}

/// Both halves of a pair that was not finished, by the identifier that nobody else has: whatever else they show may
/// not be there yet. @return how many there were.
Result<unsigned> KeyWork::destroy_halves(Bytes const& id) const {
    unsigned destroyed = 0;
    for (auto const half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
        auto const objects = m_place.session.find(half, id);
        if (!objects) return objects.error();
        for (auto const object : *objects) {
            if (auto done = m_place.login.destroy(object); !done) return done.error();
            ++destroyed;
        }
    }
    return destroyed;
}

/// After a failure: whatever is there of this pair goes.
KeyWorkDone KeyWork::take_back(Bytes const& id, Error why) {
    auto done = KeyWorkDone::failed(std::move(why));
    step(KeyStep::cleaning_up, Operation::write);
    auto const destroyed = destroy_halves(id);
    done.remains = !destroyed ? Remains::may_be_left : *destroyed == 0 ? Remains::nothing : Remains::cleaned_up;
    return done;
}

KeyWorkDone KeyWork::take_back(ObjectHandle object, Error why) {
    auto done = KeyWorkDone::failed(std::move(why));
    step(KeyStep::cleaning_up, Operation::write);
    done.remains = m_place.login.destroy(object) ? Remains::cleaned_up : Remains::may_be_left;
    return done;
}

/// What a failed call has made all the same: no such object was there before.
KeyWorkDone KeyWork::take_back(signing::Certificate const& certificate, Error why) {
    auto const stored = read_certificates(m_place.session);
    if (stored) {
        auto const place = std::ranges::find(*stored, certificate.der(), &CertificateObject::der);
        if (place != stored->end()) return take_back(place->handle, std::move(why));
    }
    auto done = KeyWorkDone::failed(std::move(why));
    if (!stored) done.remains = Remains::may_be_left;
    return done;
}

Result<Bytes> KeyWork::sign(ObjectHandle key, signing::KeyAlgorithm algorithm, View info, View digest) const {
    auto const mechanism = signature_mechanism(algorithm);
    bool const again = m_place.session.number<CK_BBOOL>(key, CKA_ALWAYS_AUTHENTICATE, CK_FALSE) != CK_FALSE;
    if (again && m_place.pin == nullptr) return Error{Errc::token_failure, "the key wants its PIN again"};
    auto const made = m_place.login.sign(key, mechanism, digest, again ? m_place.pin : nullptr);
    if (!made) return made.error();
    LearntOrder order;
    return order.put_right(mechanism.orders, *made, [&](View raw) { return verify_with(info, digest, raw); });
}

// ---- generating ----

KeyWorkDone KeyWork::perform(ipc::GeneratePair const& wanted) {
    auto const before = read_pair(m_place.session, wanted.id);
    if (!before && before.error().code != Errc::key_not_found) return KeyWorkDone::failed(before.error());
    if (!before) return generate(wanted);
    bool const same_kind = before->key && before->key->value.algorithm == algorithm_of(wanted.kind);
    if (!before->certificates.empty() || (before->is_whole() && !same_kind)) {
        return KeyWorkDone::failed(Error{Errc::key_exists, "a pair of this identifier"});
    }
    if (before->is_whole()) { // an earlier attempt made it, and its answer was lost
        KeyWorkDone done;
        done.was_there = true;
        done.pairs = described(*before);
        return done;
    }
    step(KeyStep::cleaning_up, Operation::write);
    auto const destroyed = destroy_halves(wanted.id);
    if (destroyed) return generate(wanted);
    auto failed = KeyWorkDone::failed(destroyed.error());
    failed.remains = Remains::may_be_left;
    return failed;
}

KeyWorkDone KeyWork::generate(ipc::GeneratePair const& wanted) {
    auto const size = size_of(wanted.kind);
    if (auto fits = has_room(size.public_half, size.private_half); !fits) return KeyWorkDone::failed(fits.error());
    step(KeyStep::generating, Operation::generate);
    auto const made = make_pair(m_place.login, wanted);
    if (!made) return take_back(wanted.id, made.error());
    if (m_place.stop.stop_requested()) return take_back(wanted.id, Error{Errc::user_cancelled, "the prompt is gone"});
    step(KeyStep::checking, Operation::write);
    auto const& session = m_place.session;
    if (session.number<CK_BBOOL>(made->private_key, CKA_EXTRACTABLE, CK_FALSE) != CK_FALSE) {
        return take_back(wanted.id, Error{Errc::token_failure, "the new private key could be taken off the token"});
    }
    auto const pair = read_pair(m_place.session, wanted.id);
    if (!pair) return take_back(wanted.id, pair.error());
    if (!pair->is_whole() || !pair->key || pair->key->value.algorithm != algorithm_of(wanted.kind)) {
        return take_back(wanted.id, Error{Errc::token_failure, "the new pair is not what was asked for"});
    }
    KeyWorkDone done;
    done.pairs = described(*pair);
    return done;
}

// ---- requests for certificates ----

KeyWorkDone KeyWork::perform(ipc::SignCertificationRequest const& wanted, View octets) {
    auto const pair = read_pair(m_place.session, wanted.id);
    if (!pair) return KeyWorkDone::failed(pair.error());
    if (!pair->private_key || !pair->key) return KeyWorkDone::failed(Error{Errc::key_not_found, "half a pair"});
    auto const request = signing::parse_request_info(octets);
    if (!request) {
        return KeyWorkDone::failed(
            Error{Errc::mandate_violated, "no request for a certificate: " + request.error().detail});
    }
    if (request->subject != wanted.subject || request->email != wanted.email ||
        request->key_store != wanted.key_store || request->key.der != pair->key->info) {
        return KeyWorkDone::failed(Error{Errc::mandate_violated, "the request asks for something else"});
    }
    auto const digest = signing::digest(request->key.algorithm->digest, octets);
    if (!digest) return KeyWorkDone::failed(digest.error());
    step(KeyStep::signing, Operation::sign);
    auto signature = sign(*pair->private_key, request->key.algorithm->key, pair->key->info, *digest);
    if (!signature) return KeyWorkDone::failed(signature.error());
    KeyWorkDone done;
    done.pairs = described(*pair);
    done.signature = std::move(*signature);
    return done;
}

// ---- certificates ----

KeyWorkDone KeyWork::perform(ipc::StoreCertificate const& wanted) {
    auto const certificate = signing::Certificate::parse(wanted.certificate);
    if (!certificate) return KeyWorkDone::failed(certificate.error());
    auto const keys = signing_keys(m_place.session, wanted.certificate);
    if (!keys) return KeyWorkDone::failed(keys.error());
    auto const is_its = [&](SigningKey const& key) { return key.certificate.der() == certificate->der(); };
    auto const key = std::ranges::find_if(*keys, is_its);
    if (key == keys->end()) return KeyWorkDone::failed(Error{Errc::certificate_mismatch, "no key of this certificate"});
    auto const stored = read_certificates(m_place.session);
    if (!stored) return KeyWorkDone::failed(stored.error());

    KeyWorkDone done;
    done.was_there = std::ranges::count(*stored, wanted.certificate, &CertificateObject::der) != 0;
    std::optional<ObjectHandle> made;
    if (!done.was_there) {
        auto const room = has_room(wanted.certificate.size() + certificate_overhead, 0);
        if (!room) return KeyWorkDone::failed(room.error());
        step(KeyStep::storing, Operation::write);
        auto [id, label] = m_place.session.attributes(key->key, CKA_ID, CKA_LABEL);
        auto object = certificate_object(*certificate, id, padded_text(label));
        auto const created = m_place.login.create(object);
        if (!created) return take_back(*certificate, created.error());
        made = *created;
        if (m_place.session.attribute(*made, CKA_VALUE) != wanted.certificate) {
            return take_back(*made, Error{Errc::token_failure, "the certificate reads back as another"});
        }
    }
    if (wanted.trial) {
        step(KeyStep::trying, Operation::sign);
        if (auto tried = try_key(*key); !tried) {
            return made ? take_back(*made, tried.error()) : KeyWorkDone::failed(tried.error());
        }
    }
    auto const id = m_place.session.attribute(key->key, CKA_ID);
    if (auto const pair = read_pair(m_place.session, id)) done.pairs = described(*pair);
    return done;
}

/// Signs what means nothing, and has the certificate judge it.
Result<void> KeyWork::try_key(SigningKey const& key) const {
    auto text = to_bytes(as_view(trial_text));
    unsigned char random[16];
    if (::RAND_bytes(random, sizeof random) != 1) return Error{Errc::system, "random octets"};
    text.insert(text.end(), std::begin(random), std::end(random));
    auto const& algorithm = key.certificate.algorithm();
    auto const digest = signing::digest(algorithm.digest, text);
    if (!digest) return digest.error();
    auto const* again = key.always_authenticate ? m_place.pin : nullptr;
    if (key.always_authenticate && again == nullptr) return Error{Errc::token_failure, "the key wants its PIN again"};
    auto const mechanism = signature_mechanism(algorithm.key);
    auto const made = m_place.login.sign(key.key, mechanism, *digest, again);
    if (!made) return made.error();
    LearntOrder order;
    auto const raw = order.put_right(key.certificate, mechanism.orders, *digest, *made);
    if (!raw) return raw.error();
    return signing::verify_digest(key.certificate, *digest, *raw);
}

// ---- deleting and labelling ----

KeyWorkDone KeyWork::perform(ipc::DeletePair const& wanted) {
    auto const value = public_value(wanted.public_key);
    if (!value) return KeyWorkDone::failed(value.error());
    auto const pair = read_pair(m_place.session, wanted.id);
    if (!pair && pair.error().code != Errc::key_not_found) return KeyWorkDone::failed(pair.error());
    auto certificates = read_certificates(m_place.session);
    if (!certificates) return KeyWorkDone::failed(certificates.error());
    std::erase_if(*certificates, [&](auto const& certificate) { return certificate.value != *value; });
    // A private key that shows nothing of its public half is known by the certificate of its identifier.
    auto const has_its_id = [&](auto const& certificate) {
        return m_place.session.attribute(certificate.handle, CKA_ID) == wanted.id;
    };
    bool const is_meant =
        pair && (pair->key ? pair->key->value == *value : std::ranges::any_of(*certificates, has_its_id));
    // Of a pair that went before its certificates did, they alone are left: nothing else may have that identifier.
    if (!is_meant && (pair || certificates->empty())) {
        return KeyWorkDone::failed(Error{Errc::key_not_found, "no pair of this identifier and this public key"});
    }

    step(KeyStep::deleting, Operation::write);
    KeyWorkDone done;
    std::vector<ObjectHandle> objects; // the private key first: before that nothing has changed
    if (pair) {
        done.pairs = described(*pair);
        if (pair->private_key) objects.push_back(*pair->private_key);
        if (pair->public_key) objects.push_back(*pair->public_key);
    }
    for (auto const& certificate : *certificates)
        objects.push_back(certificate.handle);
    for (auto const object : objects) {
        done.status = m_place.login.destroy(object);
        if (done.status) continue;
        bool const nothing_yet = object == objects.front() && done.status.error().code != Errc::token_absent;
        done.remains = nothing_yet ? Remains::nothing : Remains::may_be_left;
        break;
    }
    return done;
}

KeyWorkDone KeyWork::perform(ipc::SetLabel const& wanted) {
    auto const pair = read_pair(m_place.session, wanted.id);
    if (!pair) return KeyWorkDone::failed(pair.error());
    std::vector<ObjectHandle> objects;
    for (auto const& half : {pair->private_key, pair->public_key}) {
        if (half) objects.push_back(*half);
    }
    for (auto const& certificate : pair->certificates)
        objects.push_back(certificate.handle);
    step(KeyStep::storing, Operation::write);
    for (auto object = objects.begin(); object != objects.end(); ++object) {
        auto label = label_alone(wanted.label);
        auto const set = m_place.login.set(*object, label);
        if (set) continue;
        auto failed = KeyWorkDone::failed(set.error());
        // Those that have the new one get the old one back.
        for (auto done = objects.begin(); done != object; ++done) {
            auto old = label_alone(pair->label);
            failed.remains = m_place.login.set(*done, old) && failed.remains != Remains::may_be_left
                                 ? Remains::cleaned_up
                                 : Remains::may_be_left;
        }
        return failed;
    }
    KeyWorkDone done;
    done.pairs = described(*pair);
    done.pairs.front().label = wanted.label;
    return done;
}

KeyWorkDone KeyWork::perform(ipc::ListPairs const& /*wanted*/) {
    auto const pairs = read_pairs(m_place.session);
    if (!pairs) return KeyWorkDone::failed(pairs.error());
    auto certificates = read_certificates(m_place.session);
    if (!certificates) return KeyWorkDone::failed(certificates.error());
    KeyWorkDone done;
    for (auto const& pair : *pairs)
        done.pairs.push_back(pair.described());
    for (auto& certificate : *certificates)
        done.certificates.push_back(std::move(certificate.der));
    return done;
}

} // namespace tamga::pkcs11

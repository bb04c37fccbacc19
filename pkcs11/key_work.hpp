// What a mandate for work on keys has done on the token: each operation all or nothing.
#pragma once

#include "pkcs11/certificates.hpp"
#include "pkcs11/pairs.hpp"
#include "pkcs11/signature_order.hpp"
#include "pkcs11/watch.hpp"

#include <functional>
#include <stop_token>

namespace tamga::pkcs11 {

/// What came of one operation.
struct KeyWorkDone {
    Result<void> status = ok();
    ipc::Remains remains = ipc::Remains::nothing;
    bool was_there = false;
    std::vector<ipc::PairFound> pairs;
    std::vector<Bytes> certificates; ///< of ListPairs, DER
    Bytes signature;

    /// A failure before anything was made.
    static KeyWorkDone failed(Error error) {
        KeyWorkDone done;
        done.status = std::move(error);
        return done;
    }
};

/// Borrows everything, for one operation. Every member blocks, on the lane's thread; the session may write.
class KeyWork {
public:
    struct Place {
        Session const& session;
        Session::Login const& login;
        Pin const* pin; ///< for keys that want it for each signature; null where it is not kept
        Watch& watch;
        std::stop_token stop;
        std::function<void(ipc::KeyStep)> tell; ///< how far it is
    };
    explicit KeyWork(Place place) : m_place{std::move(place)} {}

    /// `octets`: of a CertificationRequestInfo, where one is to be signed.
    KeyWorkDone perform(ipc::KeyOperation const& operation, View octets);

private:
    KeyWorkDone perform(ipc::GeneratePair const& wanted);
    KeyWorkDone perform(ipc::SignCertificationRequest const& wanted, View octets);
    KeyWorkDone perform(ipc::StoreCertificate const& wanted);
    KeyWorkDone perform(ipc::DeletePair const& wanted);
    KeyWorkDone perform(ipc::SetLabel const& wanted);
    KeyWorkDone perform(ipc::ListPairs const& wanted);

    KeyWorkDone generate(ipc::GeneratePair const& wanted);
    KeyWorkDone take_back(Bytes const& id, Error why);
    KeyWorkDone take_back(ObjectHandle object, Error why);
    KeyWorkDone take_back(signing::Certificate const& certificate, Error why);
    [[nodiscard]] Result<unsigned> destroy_halves(Bytes const& id) const;
    [[nodiscard]] Result<void> has_room(std::size_t for_public, std::size_t for_private) const;
    [[nodiscard]] Result<Bytes> sign(ObjectHandle key, signing::KeyAlgorithm algorithm, View info, View digest) const;
    [[nodiscard]] Result<void> try_key(SigningKey const& key) const;
    void step(ipc::KeyStep step, Operation operation) const;

    Place m_place;
};

} // namespace tamga::pkcs11

// What a new key pair is made with: mechanism and templates, by the kind that is wanted.
#pragma once

#include "pkcs11/session.hpp"

namespace tamga::pkcs11 {

/// The registry's name of a kind of pair that is made.
[[nodiscard]] signing::KeyAlgorithm algorithm_of(ipc::PairKind kind) noexcept;

/// Octets that a pair of this kind takes up at least, with its attributes: of both halves.
struct PairSize {
    std::size_t public_half;
    std::size_t private_half;
};
[[nodiscard]] PairSize size_of(ipc::PairKind kind) noexcept;

/// Makes the pair that is wanted: both halves with its CKA_ID and label, the private one private, sensitive and never
/// extractable, for signing alone. A GOST curve is asked for by its Russian name, which PKCS#11 knows, and where the
/// module does not take that, by Kazakhstan's. Errors: those of Session::Login::generate_pair.
/// Source: PKCS#11 v2.40 mechanisms, sections 2.1.2, 2.3.3 and 2.25.7; the extensions of TC 26 for 512 bits.
Result<Session::Login::NewPair> make_pair(Session::Login const& login, ipc::GeneratePair const& wanted);

} // namespace tamga::pkcs11

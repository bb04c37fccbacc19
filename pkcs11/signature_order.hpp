// In which order a module writes the two numbers of a signature: found out, not believed.
#pragma once

#include "signing/certificate.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace tamga::pkcs11 {

/// What has to be done to the octets of C_Sign to make a raw signature (ipc::Signatures) of them.
enum class SignatureOrder : std::uint8_t { as_it_is, reversed, halves_swapped, halves_reversed };

/// The order of one key, learnt from its first signature. Not thread-safe.
class LearntOrder {
public:
    /// `made`, what C_Sign gave for `digest`, as a raw signature. The first time each of `orders` is tried against the
    /// certificate's public key (some milliseconds) and the one that verifies is kept; where there is but one, there is
    /// nothing to learn. Errors: signature_invalid (no order fits), algorithm_unavailable.
    Result<Bytes> put_right(signing::Certificate const& certificate, std::span<SignatureOrder const> orders,
                            View digest, View made);
    /// The same with whatever tells whether a raw signature is one; asked for nothing but that. Errors: those of
    /// `verifies`.
    Result<Bytes> put_right(std::span<SignatureOrder const> orders, View made,
                            std::function<Result<void>(View raw)> const& verifies);

private:
    std::optional<SignatureOrder> m_order;
};

} // namespace tamga::pkcs11

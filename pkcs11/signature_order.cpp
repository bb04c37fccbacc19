#include "pkcs11/signature_order.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

Bytes in_order(SignatureOrder order, View made) {
    auto octets = to_bytes(made);
    auto const middle = octets.begin() + static_cast<std::ptrdiff_t>(octets.size() / 2);
    switch (order) {
    case SignatureOrder::as_it_is: break;
    case SignatureOrder::reversed: std::reverse(octets.begin(), octets.end()); break;
    case SignatureOrder::halves_swapped: std::rotate(octets.begin(), middle, octets.end()); break;
    case SignatureOrder::halves_reversed:
        std::reverse(octets.begin(), middle);
        std::reverse(middle, octets.end());
        break;
    }
    return octets;
}

} // namespace

Result<Bytes> LearntOrder::put_right(signing::Certificate const& certificate, std::span<SignatureOrder const> orders,
                                     View digest, View made) {
    auto octets = put_right(orders, made, [&](View raw) { return signing::verify_digest(certificate, digest, raw); });
    if (octets || octets.error().code != Errc::signature_invalid) return octets;
    return Error{Errc::signature_invalid, octets.error().detail + " of the certificate " + certificate.log_name()};
}

Result<Bytes> LearntOrder::put_right(std::span<SignatureOrder const> orders, View made,
                                     std::function<Result<void>(View raw)> const& verifies) {
    if (orders.size() == 1) m_order = orders.front();
    if (m_order) return in_order(*m_order, made);
    for (auto const order : orders) {
        auto octets = in_order(order, made);
        auto const verified = verifies(octets);
        if (verified) {
            m_order = order;
            return octets;
        }
        if (verified.error().code != Errc::signature_invalid) return verified.error();
    }
    return Error{Errc::signature_invalid, "no order of its octets fits the key"};
}

} // namespace tamga::pkcs11

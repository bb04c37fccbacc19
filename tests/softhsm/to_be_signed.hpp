// Octets to be signed, as tamga-web sends them.
#pragma once

#include "signing/certificate.hpp"
#include "signing/to_be_signed.hpp"

#include <chrono>

namespace tamga::test {

inline std::int64_t unix_now() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

inline Bytes sha256(View octets) {
    return signing::sha256(octets);
}

/// Signed attributes that commit to `document`.
inline Bytes cms_item(signing::Certificate const& certificate, std::string_view document,
                      std::int64_t time = unix_now()) {
    return *signing::signed_attributes({sha256(as_view(document)), certificate.fingerprint(), time});
}

/// A SignedInfo over a whole document of which `document` is the canonical form.
inline Bytes xml_item(signing::Certificate const& certificate, std::string_view document) {
    auto const children = signing::signed_info_children("", sha256(as_view(document)), certificate.algorithm());
    return to_bytes(as_view("<ds:SignedInfo xmlns:ds=\"" + std::string{signing::xmldsig_namespace} + "\">" + children));
}

} // namespace tamga::test

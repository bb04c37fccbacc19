// Lists of revoked certificates (RFC 5280, section 5), which the NCA's are 20 MB of: walked once, without the objects
// that OpenSSL would make of each line.
#pragma once

#include "signing/revocation.hpp"

namespace tamga::signing {

/// A list over this is not read.
inline constexpr std::size_t max_crl = 64 * 1024 * 1024;

/// Whether the list says that it is this issuer's; not verified.
[[nodiscard]] bool is_crl_of(View der, Certificate const& issuer);

/// Reads a list that `issuer` signed; complete lists alone, no deltas and none that speak of some certificates only.
/// Blocking: hashes the whole. Errors: message_malformed, signature_invalid, algorithm_unavailable,
/// mechanism_unsupported.
Result<RevocationList> read_crl(View der, Certificate const& issuer);

} // namespace tamga::signing

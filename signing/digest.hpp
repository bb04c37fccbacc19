// The digests of the algorithm registry.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>

namespace tamga::signing {

enum class DigestAlgorithm : std::uint8_t {
    sha256,
    streebog512, ///< GOST 34.11-2015 with 512 bits, octet order of RFC 6986
    streebog256, ///< the same with 256 bits
    gost34311,   ///< GOST 34.311-95 with the test S-box: only in documents signed before 2024
};

/// SHA-256 of `octets`: cannot fail. Blocking: about 1 ms a megabyte.
[[nodiscard]] Bytes sha256(View octets);

/// Digest of `octets`. Blocking: about 1 ms a megabyte for SHA-256, 10 ms for Streebog, 40 ms for GOST 34.311.
/// Error: algorithm_unavailable (Streebog comes from gost-engine, signing/gost.hpp).
Result<Bytes> digest(DigestAlgorithm algorithm, View octets);

} // namespace tamga::signing

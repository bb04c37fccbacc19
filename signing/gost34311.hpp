// GOST 34.311-95, the digest of Kazakhstan's signatures before 2024: GOST R 34.11-94 with the S-boxes of that
// standard's test appendix (RFC 4357 section 11.2, id-GostR3411-94-TestParamSet). gost-engine has it with CryptoPro's
// alone.
#pragma once

#include "base/bytes.hpp"

namespace tamga::signing {

/// 32 octets, in the order they stand in certificates. Blocking: about 40 ms a megabyte.
/// Source: RFC 5831, with the starting value zero.
[[nodiscard]] Bytes gost34311(View octets);

} // namespace tamga::signing

// What a password costs: the iterations that an AlgorithmIdentifier of a PKCS#12 file asks for, known before they are
// made.
#pragma once

#include "base/result.hpp"

#include <openssl/types.h>

#include <cstdint>

namespace tamga::keyfile {

/// Iterations that one file may cost for one password, all of its parts together: some seconds. NCA files want 1024 a
/// part, OpenSSL 2048, Java 10 000, browsers up to 600 000.
inline constexpr std::int64_t max_iterations = 4'000'000;

/// Counts what is about to be spent.
class Cost {
public:
    explicit Cost(std::int64_t most) noexcept : m_left{most} {}

    /// Error: key_file_unsupported (more than are left); key_file_malformed (none at all).
    Result<void> add(std::int64_t iterations);

private:
    std::int64_t m_left;
};

/// Adds what decrypting under `algorithm` costs: one of PKCS#12's own encryptions (RFC 7292 appendix C) or PBES2 with
/// PBKDF2 (RFC 8018). Errors: those of Cost; key_file_unsupported (another kind), key_file_malformed.
Result<void> add_cost_of(::X509_ALGOR const* algorithm, Cost& cost);

} // namespace tamga::keyfile

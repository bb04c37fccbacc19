// What an authority answers when it is asked, in process: time-stamps, OCSP, CRLs, by RSA and by GOST keys, and wrongly
// where a test wants that. Read by OpenSSL's own parsers, written octet by octet; ends the process where that fails.
#pragma once

#include "tests/support/test_certificates.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tamga::test {

/// A root, an issuer below it, and what the issuer runs.
struct Authority {
    TestKey root;
    TestKey issuer;
    TestKey timestamps; ///< its certificate is for time-stamping alone
    TestKey ocsp;       ///< its certificate is for signing OCSP answers

    /// Files that `load` reads: PREFIX-NAME.pem, PREFIX-NAME.key.
    void save(std::string const& folder) const;
    static Authority load(KeyKind kind, std::string const& folder);
};
[[nodiscard]] Authority make_services(KeyKind kind);

enum class StampFault : std::uint8_t {
    none,
    refused,
    other_nonce,
    no_nonce,
    other_imprint,
    other_policy,
    broken_signature,
    wrong_usage, ///< signed by a certificate that is not for time-stamping
    two_signers,
};

/// TimeStampResp to `query`. Under the policy that is asked for, or 1.2.3.4.
[[nodiscard]] Bytes answer_timestamp(Authority const& authority, View query, std::int64_t now,
                                     StampFault fault = StampFault::none);

enum class OcspAnswer : std::uint8_t {
    good,
    revoked, ///< an hour ago
    unknown,
    refused,
    other_nonce,
    other_certificate,
    old, ///< of a month ago
    broken_signature,
    by_stranger, ///< signed by somebody whom the issuer did not certify for OCSP
};

/// OCSPResponse to `query`, about the first certificate it names.
[[nodiscard]] Bytes answer_ocsp(Authority const& authority, View query, std::int64_t now, OcspAnswer answer);

/// The issuer's list: these certificates (DER), revoked an hour ago.
[[nodiscard]] Bytes make_crl(Authority const& authority, std::vector<Bytes> const& revoked, std::int64_t now);

} // namespace tamga::test

// Time-stamps (RFC 3161): the query, and the judge of the answer. No socket: daemon/stamps.hpp carries both.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/certificate.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::signing {

/// An answer over this is none.
inline constexpr std::size_t max_timestamp_reply = 128 * 1024;

struct TimestampQuery {
    Bytes der;     ///< TimeStampReq
    Bytes nonce;   ///< 8 octets, as an INTEGER's content
    Bytes imprint; ///< the digest of what is stamped
    DigestAlgorithm method{};
    std::string policy; ///< dotted; empty: the service chooses
};

/// Asks for a stamp on `octets` (of a signature: SignerInfo.signature as it stands there), with the service's
/// certificate in it. Error: algorithm_unavailable.
Result<TimestampQuery> query_timestamp(DigestAlgorithm method, View octets, std::string_view policy);

/// A time-stamp token that is one over what it should be.
struct Timestamp {
    Bytes token;
    std::int64_t time = 0;                 ///< seconds since 1970
    std::string policy;                    ///< dotted
    Certificate authority;                 ///< who signed it
    std::vector<Certificate> certificates; ///< all that came with it
};

/// Reads TimeStampResp. The token is checked for everything that needs no trusted authority: that it answers this query
/// (imprint, nonce, policy), that its one signer signed it and is named in it, and that the certificate is for
/// time-stamping and was valid then, and that it was made within five minutes of `now` (seconds since 1970).
/// Errors: timestamp_unavailable (the service refused, and says so); timestamp_invalid; algorithm_unavailable.
Result<Timestamp> read_timestamp_reply(TimestampQuery const& query, View reply, std::int64_t now);

/// The same of a token found on a signature, whose octets are `octets`: no nonce, policy or time to compare with.
/// Errors: timestamp_invalid, algorithm_unavailable.
Result<Timestamp> check_timestamp(View token, View octets);

} // namespace tamga::signing

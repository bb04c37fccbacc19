// What a time-stamp service may send: believed only with our nonce and imprint, which no input can know the nonce of.
#include "signing/timestamp.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga;
    using namespace tamga::signing;
    static auto const query = query_timestamp(DigestAlgorithm::sha256, as_view("value"), "");
    View const octets{data, size};
    if (read_timestamp_reply(*query, octets, 1'790'000'000)) std::abort();
    auto const stamp = check_timestamp(octets, as_view("the octets of a signature"));
    if (stamp && (stamp->token.empty() || stamp->policy.empty())) std::abort();
    return 0;
}

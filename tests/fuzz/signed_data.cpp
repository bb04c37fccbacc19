// CMS of anybody: verified, and given a time-stamp. What was rewritten says the same as before.
#include "signing/signed_data.hpp"
#include "signing/cms.hpp"
#include "signing/verify.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga;
    using namespace tamga::signing;
    View const octets{data, size};
    auto const report = verify_document(octets, std::nullopt, {});
    if (report && (report->signers.empty() || report->verdict() == Verdict::good)) std::abort(); // nobody is trusted
    auto const signers = unstamped_signers(octets);
    if (!signers || signers->empty()) return 0;
    auto const token = der::element(der::sequence, {});
    std::vector<StampedValue> stamps;
    for (auto const& signer : *signers)
        stamps.push_back({signer.value, token});
    auto const stamped = attach_timestamps(octets, stamps);
    if (!stamped) return 0;
    auto const before = read_signed_data(octets);
    auto const after = read_signed_data(*stamped);
    if (!after || !std::ranges::equal(before->content_info, after->content_info)) std::abort();
    if (!unstamped_signers(*stamped)->empty()) std::abort();
    return 0;
}

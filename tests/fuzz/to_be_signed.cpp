// What a key may sign: whatever a parser accepts is refused as raw, and is exactly what we would write.
#include "signing/to_be_signed.hpp"
#include "signing/cms.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga;
    using namespace tamga::signing;
    View const octets{data, size};
    bool const is_meaningful = is_meaningful_form(octets);
    for (auto const key : {KeyAlgorithm::rsa, KeyAlgorithm::ec_p256}) {
        auto const attributes = parse_signed_attributes(octets, algorithm(key));
        if (attributes) {
            auto const same = signed_attributes(*attributes);
            if (!is_meaningful || !same || !std::ranges::equal(*same, octets)) std::abort();
        }
        auto const signed_info = parse_signed_info(octets, algorithm(key));
        if (signed_info && (!is_meaningful || signed_info->digest.size() != algorithm(key).digest_size)) std::abort();
    }
    auto const cms = ExistingCms::recognise(octets);
    if (cms && cms->content() && cms->content()->size() > size) std::abort();
    return 0;
}

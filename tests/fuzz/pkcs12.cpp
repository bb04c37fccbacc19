// A key file, opened as the window would have it: whatever key comes out of it signs, and its signature verifies.
#include "keyfile/key_file.hpp"

#include <cstdlib>

namespace {

using namespace tamga;

/// So that an input takes milliseconds, not seconds.
constexpr std::int64_t most_iterations = 5000;

Pin password() {
    unsigned char text[] = {'Q', 'w', 'e', 'r', 't', 'y', '1', '2'};
    auto pin = Pin::take(text);
    if (!pin) std::abort();
    return std::move(*pin);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    static keyfile::OldCiphers const old_ciphers;
    static Pin const typed = password();
    auto const file = keyfile::KeyFile::parse({data, size}, most_iterations);
    if (!file) return 0;
    auto const keys = file->open(typed);
    if (!keys) return 0;
    for (auto const& key : *keys) {
        Bytes const digest(key.certificate().algorithm().digest_size, 7);
        // A key may be too small for a signature, or wrong in itself: then there is none.
        auto const value = key.sign(digest);
        if (value && !signing::verify_digest(key.certificate(), digest, *value)) std::abort();
    }
    return 0;
}

// How fast our digests are: tamga-hashing sha256|streebog512 prints the octets hashed in a second of processor time, 16
// KiB at a time, for a second: as `openssl speed -bytes 16384 -seconds 1` measures.
#include "signing/digest.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

int main(int count, char** arguments) {
    using namespace tamga;
    using Clock = std::chrono::steady_clock;
    std::string_view const name = count == 2 ? arguments[1] : "";
    if (name != "sha256" && name != "streebog512") {
        std::fputs("usage: tamga-hashing sha256|streebog512\n", stderr);
        return EXIT_FAILURE;
    }
    auto const algorithm = name == "sha256" ? signing::DigestAlgorithm::sha256 : signing::DigestAlgorithm::streebog512;
    Bytes const block(16 * 1024, 'x');
    std::size_t hashed = 0;
    if (!signing::digest(algorithm, block)) return EXIT_FAILURE; // loads what there is to load
    auto const end = Clock::now() + std::chrono::seconds{1};
    auto const begin = std::clock();
    for (; Clock::now() < end; hashed += block.size())
        static_cast<void>(signing::digest(algorithm, block));
    auto const seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    std::printf("%.0f\n", static_cast<double>(hashed) / seconds);
    return EXIT_SUCCESS;
}

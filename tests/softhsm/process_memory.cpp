#include "tests/softhsm/process_memory.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tamga::test {

namespace {
/// Larger mappings are AddressSanitizer's own: terabytes of zeros.
constexpr unsigned long sanitizer_shadow = 1UL << 30;
} // namespace

std::size_t occurrences_in_memory(::pid_t pid, std::string_view text) {
    auto const folder = "/proc/" + std::to_string(pid);
    UniqueFd const memory{::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC)};
    std::ifstream maps{folder + "/maps"};
    if (!memory || !maps) throw std::runtime_error{"cannot read " + folder};
    std::size_t count = 0;
    std::vector<char> chunk(1 << 20);
    for (std::string line; std::getline(maps, line);) {
        unsigned long start = 0;
        unsigned long end = 0;
        char readable = '-';
        if (std::sscanf(line.c_str(), "%lx-%lx %c", &start, &end, &readable) != 3 || readable != 'r') continue;
        if (end - start > sanitizer_shadow) continue;
        while (start < end) {
            auto const got = ::pread(memory.get(), chunk.data(), std::min<std::size_t>(chunk.size(), end - start),
                                     static_cast<::off_t>(start));
            if (got <= 0) break; // a hole of AddressSanitizer's shadow, [vvar]
            std::string_view const seen{chunk.data(), static_cast<std::size_t>(got)};
            for (auto at = seen.find(text); at != seen.npos; at = seen.find(text, at + 1))
                ++count;
            if (static_cast<std::size_t>(got) < chunk.size()) break;
            start += chunk.size() - text.size() + 1; // what lies across two chunks
        }
    }
    return count;
}

} // namespace tamga::test

#include "base/secret.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string.h>
#include <utility>

namespace tamga {

namespace {
constexpr std::size_t page_size = 4096;
}

void wipe(std::span<unsigned char> memory) noexcept {
    if (!memory.empty()) ::explicit_bzero(memory.data(), memory.size()); // null is not for explicit_bzero
}

Pin::Pin(Pin&& other) noexcept : m_page{std::exchange(other.m_page, nullptr)}, m_size{std::exchange(other.m_size, 0)} {}

Pin& Pin::operator=(Pin&& other) noexcept {
    std::swap(m_page, other.m_page);
    std::swap(m_size, other.m_size);
    return *this;
}

Pin::~Pin() {
    if (m_page == nullptr) return;
    wipe({m_page, page_size});
    ::munmap(m_page, page_size);
}

Result<Pin> Pin::take(std::span<unsigned char> octets) {
    if (octets.empty() || octets.size() > max_size) {
        wipe(octets);
        return Errc::pin_length;
    }
    void* page = ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        wipe(octets);
        return system_error("mmap for a PIN", errno);
    }
    Pin pin;
    pin.m_page = static_cast<unsigned char*>(page);
    if (::mlock(page, page_size) != 0) {
        // Refused rather than kept where it may be swapped out: RLIMIT_MEMLOCK is 8 MiB on Debian 12, a PIN is one
        // page.
        auto const error = errno;
        wipe(octets);
        return system_error("mlock for a PIN", error);
    }
    ::madvise(page, page_size, MADV_DONTDUMP);
    ::madvise(page, page_size, MADV_WIPEONFORK);
    std::copy(octets.begin(), octets.end(), pin.m_page);
    pin.m_size = octets.size();
    wipe(octets);
    return pin;
}

} // namespace tamga

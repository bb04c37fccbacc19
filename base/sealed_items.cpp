#include "base/sealed_items.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace tamga {

namespace {

constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

Result<void> write_all(int fd, View octets) {
    while (!octets.empty()) {
        auto const written = ::write(fd, octets.data(), octets.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("memfd write", errno);
        octets = octets.subspan(static_cast<std::size_t>(written));
    }
    return ok();
}

View octets_of(std::vector<std::uint64_t> const& numbers) {
    return {reinterpret_cast<unsigned char const*>(numbers.data()), numbers.size() * sizeof(std::uint64_t)};
}

std::uint64_t number_at(unsigned char const* place) {
    std::uint64_t number = 0;
    std::memcpy(&number, place, sizeof number);
    return number;
}

} // namespace

Result<UniqueFd> new_memfd() {
    UniqueFd memfd{::memfd_create("tamga-items", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!memfd) return system_error("memfd_create", errno);
    return memfd;
}

Result<void> seal_items(UniqueFd const& memfd, std::vector<View> const& items) {
    std::vector<std::uint64_t> head{items.size()};
    for (auto const& item : items)
        head.push_back(item.size());
    if (auto written = write_all(memfd.get(), octets_of(head)); !written) return written;
    for (auto const& item : items) {
        if (auto written = write_all(memfd.get(), item); !written) return written;
    }
    if (::fcntl(memfd.get(), F_ADD_SEALS, all_seals) != 0) return system_error("F_ADD_SEALS", errno);
    return ok();
}

Result<UniqueFd> seal_items(std::vector<View> const& items) {
    auto memfd = new_memfd();
    if (!memfd) return memfd.error();
    if (auto sealed = seal_items(*memfd, items); !sealed) return sealed.error();
    return memfd;
}

SealedItems::SealedItems(SealedItems&& other) noexcept
    : m_start{std::exchange(other.m_start, nullptr)},
      m_size{std::exchange(other.m_size, 0)},
      m_items{std::move(other.m_items)} {}

SealedItems& SealedItems::operator=(SealedItems&& other) noexcept {
    std::swap(m_start, other.m_start);
    std::swap(m_size, other.m_size);
    std::swap(m_items, other.m_items);
    return *this;
}

SealedItems::~SealedItems() {
    if (m_start != nullptr) ::munmap(m_start, m_size);
}

Result<SealedItems> SealedItems::open(UniqueFd const& memfd, std::size_t most) {
    if (::fcntl(memfd.get(), F_GET_SEALS) != all_seals) return Error{Errc::message_malformed, "memfd is not sealed"};
    struct stat info {};
    if (::fstat(memfd.get(), &info) != 0) return system_error("fstat", errno);
    SealedItems sealed;
    auto const size = static_cast<std::size_t>(info.st_size);
    if (size < sizeof(std::uint64_t)) return Error{Errc::message_malformed, "memfd too short"};
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, memfd.get(), 0);
    if (mapped == MAP_FAILED) return system_error("mmap", errno);
    sealed.m_start = static_cast<unsigned char*>(mapped);
    sealed.m_size = size;

    auto const count = number_at(sealed.m_start);
    if (count > most || count > size / sizeof(std::uint64_t) - 1) return Error{Errc::message_malformed, "memfd count"};
    auto offset = static_cast<std::size_t>(count + 1) * sizeof(std::uint64_t);
    for (std::size_t i = 0; i < count; ++i) {
        auto const length = number_at(sealed.m_start + (i + 1) * sizeof(std::uint64_t));
        if (length > size - offset) return Error{Errc::message_malformed, "memfd lengths"};
        sealed.m_items.emplace_back(sealed.m_start + offset, static_cast<std::size_t>(length));
        offset += static_cast<std::size_t>(length);
    }
    if (offset != size) return Error{Errc::message_malformed, "memfd tail"};
    return sealed;
}

} // namespace tamga

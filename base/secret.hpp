// Secrets that cannot be copied, printed or left behind.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <span>

namespace tamga {

/// Overwrites memory in a way the compiler may not leave out.
void wipe(std::span<unsigned char> memory) noexcept;

namespace pkcs11 {
class Session;
}
namespace keyfile {
class KeyFile;
}
namespace ipc {
class Writer;
class Reader;
} // namespace ipc

/// A PIN or a password: up to 255 octets of UTF-8 in a locked page of its own (mlock), left out of core dumps and
/// of children (MADV_DONTDUMP, MADV_WIPEONFORK) and wiped on destruction. Moving moves the page: no second copy arises.
///
/// What it does not protect: the copy a screen toolkit or the PKCS#11 module makes for itself. SECURITY.md says so.
class Pin {
public:
    static constexpr std::size_t max_size = 255;

    /// An empty PIN, which stands for "typed on the reader's own keypad".
    Pin() noexcept = default;
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&& other) noexcept;
    Pin(Pin const&) = delete;
    Pin& operator=(Pin const&) = delete;
    ~Pin();

    /// Copies `octets` into locked memory and wipes them where they came from.
    /// Errors: pin_length (empty or over 255 octets), system (the page could not be had).
    static Result<Pin> take(std::span<unsigned char> octets);

    [[nodiscard]] bool empty() const noexcept { return m_size == 0; }

private:
    friend class pkcs11::Session;
    friend class keyfile::KeyFile;
    friend class ipc::Writer;
    friend class ipc::Reader;

    [[nodiscard]] std::span<unsigned char> reveal() const noexcept { return {m_page, m_size}; }

    unsigned char* m_page = nullptr;
    std::size_t m_size = 0;
};

} // namespace tamga

// Octets handed from one process to another in one sealed memfd: nobody can change them any more. What will be signed
// travels so from tamga-web to tamga-prompt, and a picture of it from tamga-preview. Layout: 64-bit count, a 64-bit
// length for each item, then the items without gaps.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <vector>

namespace tamga {

/// A memfd that can be sealed (memfd_create(2)). Error: system.
Result<UniqueFd> new_memfd();

/// Writes `items` into an empty `memfd` and seals it (F_SEAL_SHRINK, GROW, WRITE, SEAL). Blocking. Error: system.
Result<void> seal_items(UniqueFd const& memfd, std::vector<View> const& items);
/// The same with a new one.
Result<UniqueFd> seal_items(std::vector<View> const& items);

/// A read-only mapping of such a memfd, unmapped on destruction. Immovable views into it: `items`.
class SealedItems {
public:
    SealedItems() noexcept = default;
    SealedItems(SealedItems&& other) noexcept;
    SealedItems& operator=(SealedItems&& other) noexcept;
    SealedItems(SealedItems const&) = delete;
    SealedItems& operator=(SealedItems const&) = delete;
    ~SealedItems();

    /// Error: message_malformed (not sealed, more than `most` items, or the lengths do not add up), system.
    static Result<SealedItems> open(UniqueFd const& memfd, std::size_t most);

    [[nodiscard]] std::vector<View> const& items() const noexcept { return m_items; }

private:
    unsigned char* m_start = nullptr;
    std::size_t m_size = 0;
    std::vector<View> m_items;
};

} // namespace tamga

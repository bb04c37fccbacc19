// The octets that will be signed, handed from tamga-web to tamga-prompt in one sealed memfd: nobody can change them
// after they were shown. Layout: 64-bit count, a 64-bit length for each item, then the items without gaps.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <vector>

namespace tamga {

/// Writes `items` into a new memfd and seals it (F_SEAL_SHRINK, GROW, WRITE, SEAL). Blocking. Error: system.
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

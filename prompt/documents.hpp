// What is to be signed, as the person sees it and as the mandate names it: both come from the same sealed octets.
#pragma once

#include "base/sealed_items.hpp"
#include "signing/algorithm.hpp"

#include <optional>
#include <string>

namespace tamga::prompt {

/// Documents of this much together are shown as text; beyond it only by size and digest.
inline constexpr std::size_t max_shown_size = std::size_t{16} << 20;
/// Characters of one document that are put on the screen.
inline constexpr std::size_t max_shown_characters = 100'000;

/// The items of one request. Immutable.
class Documents {
public:
    Documents() = default;
    Documents(SealedItems items, bool digested);

    [[nodiscard]] std::size_t count() const noexcept { return m_items.items().size(); }
    [[nodiscard]] std::size_t size(std::size_t index) const noexcept { return m_items.items()[index].size(); }
    [[nodiscard]] std::size_t total_size() const noexcept { return m_total; }
    /// The site sent digests: what they were made from is not here.
    [[nodiscard]] bool digested() const noexcept { return m_digested; }

    /// The document made safe to look at, at most max_shown_characters; nothing where it is not text (UTF-8 without
    /// NUL).
    [[nodiscard]] std::optional<std::string> text(std::size_t index) const;
    [[nodiscard]] std::optional<std::string> first_line(std::size_t index) const;
    [[nodiscard]] bool is_cut(std::size_t index) const;

    /// What would be signed of one document: its digest, or itself where it is one. Error: algorithm_unavailable.
    [[nodiscard]] Result<Bytes> digest(std::size_t index, signing::DigestAlgorithm algorithm) const;
    /// By what a person may compare it with the document elsewhere: SHA-256 whatever key is chosen, or itself where it
    /// is a digest.
    [[nodiscard]] Bytes shown_digest(std::size_t index) const;

private:
    [[nodiscard]] bool is_text(std::size_t index) const;

    SealedItems m_items;
    bool m_digested = false;
    std::size_t m_total = 0;
};

} // namespace tamga::prompt

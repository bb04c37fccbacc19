// What is to be signed, as the person sees it and as the mandate names it: both come from the same sealed octets.
#pragma once

#include "base/messages.hpp"
#include "base/sealed_items.hpp"
#include "signing/algorithm.hpp"

#include <optional>
#include <string>

namespace tamga::prompt {

/// Documents of this much together are shown as text; beyond it only by size and digest.
inline constexpr std::size_t max_shown_size = std::size_t{16} << 20;
/// Characters of one document that are put on the screen.
inline constexpr std::size_t max_shown_characters = 100'000;

/// How a document is put on the screen.
enum class Shown : std::uint8_t {
    text,
    picture, ///< of its pages, which another process makes (prompt/pictures.hpp)
    unseen,  ///< type, size and digest
};

/// The items of one request. Immutable.
class Documents {
public:
    Documents() = default;
    Documents(SealedItems items, bool digested);
    /// Where the second half of `items` are the DocumentLabels of the first. Error: message_malformed.
    static Result<Documents> labelled(SealedItems items);

    [[nodiscard]] std::size_t count() const noexcept { return m_count; }
    [[nodiscard]] std::size_t size(std::size_t index) const noexcept;
    [[nodiscard]] View octets(std::size_t index) const noexcept { return m_items.items()[index]; }
    [[nodiscard]] std::size_t total_size() const noexcept { return m_total; }
    /// The site sent digests: what they were made from is not here.
    [[nodiscard]] bool digested() const noexcept { return m_digested; }

    /// What the site calls the document, and what kind it says that it is: as it came, mostly empty.
    [[nodiscard]] std::string const& title(std::size_t index) const noexcept { return label(index).title; }
    [[nodiscard]] std::string const& media_type(std::size_t index) const noexcept { return label(index).media_type; }
    /// The document was too large to be kept: what came with it instead. Empty where the document is here.
    [[nodiscard]] std::vector<ipc::NamedDigest> const& digests(std::size_t index) const noexcept {
        return label(index).digests;
    }
    /// Whether a key of this algorithm can sign the document, of which there may be nothing but digests.
    [[nodiscard]] bool suits(std::size_t index, signing::Algorithm const& algorithm) const;

    /// What its first octets are those of, nothing more of it is looked at. A PDF that is also text is a picture,
    /// unless the site calls it a text. Of more than max_shown_size nothing is shown.
    [[nodiscard]] Shown shown(std::size_t index) const;
    /// The document made safe to look at, at most max_shown_characters; nothing where it is not text (UTF-8 without
    /// NUL).
    [[nodiscard]] std::optional<std::string> text(std::size_t index) const;
    [[nodiscard]] std::optional<std::string> first_line(std::size_t index) const;
    [[nodiscard]] bool is_cut(std::size_t index) const;

    /// What would be signed of one document: its digest, or itself where it is one. Errors: algorithm_unavailable;
    /// digest_length, where the document is not here and neither is that digest of it.
    [[nodiscard]] Result<Bytes> digest(std::size_t index, signing::DigestAlgorithm algorithm) const;
    /// By what a person may compare it with the document elsewhere: SHA-256 whatever key is chosen, or itself where it
    /// is a digest.
    [[nodiscard]] Bytes shown_digest(std::size_t index) const;

private:
    [[nodiscard]] bool is_text(std::size_t index) const;
    [[nodiscard]] ipc::DocumentLabel const& label(std::size_t index) const noexcept;

    SealedItems m_items;
    std::vector<ipc::DocumentLabel> m_labels; ///< one for each item, or none
    std::size_t m_count = 0;
    bool m_digested = false;
    std::size_t m_total = 0;
};

} // namespace tamga::prompt

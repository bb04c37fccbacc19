#include "prompt/documents.hpp"

#include "prompt/visible.hpp"

#include <algorithm>

namespace tamga::prompt {

Documents::Documents(SealedItems items, bool digested) : m_items{std::move(items)}, m_digested{digested} {
    for (auto const& item : m_items.items())
        m_total += item.size();
}

bool Documents::is_text(std::size_t index) const {
    auto const text = as_text(m_items.items()[index]);
    return !m_digested && m_total <= max_shown_size && text.find('\0') == std::string_view::npos && is_utf8(text);
}

std::optional<std::string> Documents::text(std::size_t index) const {
    if (!is_text(index)) return std::nullopt;
    return visible_text(as_text(m_items.items()[index]), max_shown_characters);
}

std::optional<std::string> Documents::first_line(std::size_t index) const {
    if (!is_text(index)) return std::nullopt;
    auto const text = as_text(m_items.items()[index]);
    auto const start = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    return visible_line(text.substr(start, text.find_first_of("\r\n", start) - start));
}

bool Documents::is_cut(std::size_t index) const {
    // A character has one to four octets, and continuation octets are those of the form 10xxxxxx.
    auto const item = m_items.items()[index];
    auto const characters = std::count_if(item.begin(), item.end(), [](auto octet) { return (octet & 0xC0) != 0x80; });
    return static_cast<std::size_t>(characters) > max_shown_characters;
}

Result<Bytes> Documents::digest(std::size_t index, signing::DigestAlgorithm algorithm) const {
    auto const item = m_items.items()[index];
    return m_digested ? to_bytes(item) : signing::digest(algorithm, item);
}

Bytes Documents::shown_digest(std::size_t index) const {
    auto const item = m_items.items()[index];
    return m_digested ? to_bytes(item) : signing::sha256(item);
}

} // namespace tamga::prompt

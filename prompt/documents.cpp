#include "prompt/documents.hpp"

#include "prompt/visible.hpp"

#include <algorithm>

namespace tamga::prompt {

namespace {

bool is_image(std::string_view octets) {
    constexpr std::string_view starts[] = {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a", "BM"};
    return std::ranges::any_of(starts, [octets](std::string_view start) { return octets.starts_with(start); });
}

} // namespace

Documents::Documents(SealedItems items, bool digested)
    : m_items{std::move(items)}, m_count{m_items.items().size()}, m_digested{digested} {
    for (auto const& item : m_items.items())
        m_total += item.size();
}

Result<Documents> Documents::labelled(SealedItems items) {
    Error const malformed{Errc::message_malformed, "labels of documents"};
    Documents documents;
    documents.m_items = std::move(items);
    auto const& all = documents.m_items.items();
    if (all.size() % 2 != 0) return malformed;
    documents.m_count = all.size() / 2;
    for (std::size_t i = 0; i < documents.m_count; ++i) {
        auto octets = to_bytes(all[documents.m_count + i]);
        ipc::Reader reader{octets};
        auto& label = documents.m_labels.emplace_back();
        reader(label);
        if (!reader.finished() || (!label.digests.empty() && !all[i].empty())) return malformed;
        documents.m_total += documents.size(i);
    }
    return documents;
}

ipc::DocumentLabel const& Documents::label(std::size_t index) const noexcept {
    static ipc::DocumentLabel const none;
    return m_labels.empty() ? none : m_labels[index];
}

std::size_t Documents::size(std::size_t index) const noexcept {
    auto const& said = label(index);
    return said.digests.empty() ? m_items.items()[index].size() : said.size;
}

bool Documents::suits(std::size_t index, signing::Algorithm const& algorithm) const {
    if (m_digested) return size(index) == algorithm.digest_size;
    auto const& made = digests(index);
    auto const* const wanted = signing::name_of(algorithm.digest).oid;
    return made.empty() || std::ranges::find(made, wanted, &ipc::NamedDigest::algorithm) != made.end();
}

Shown Documents::shown(std::size_t index) const {
    auto const octets = as_text(m_items.items()[index]);
    bool const is_here = !m_digested && digests(index).empty() && octets.size() <= max_shown_size;
    if (is_here && octets.starts_with("%PDF-") && !media_type(index).starts_with("text/")) return Shown::picture;
    if (is_text(index)) return Shown::text;
    return is_here && is_image(octets) ? Shown::picture : Shown::unseen;
}

bool Documents::is_text(std::size_t index) const {
    auto const text = as_text(m_items.items()[index]);
    return !m_digested && digests(index).empty() && m_total <= max_shown_size &&
           text.find('\0') == std::string_view::npos && is_utf8(text);
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
    if (m_digested) return to_bytes(item);
    auto const& made = digests(index);
    if (made.empty()) return signing::digest(algorithm, item);
    auto const found = std::ranges::find(made, signing::name_of(algorithm).oid, &ipc::NamedDigest::algorithm);
    return found == made.end() ? Result<Bytes>{Errc::digest_length} : found->value;
}

Bytes Documents::shown_digest(std::size_t index) const {
    auto const item = m_items.items()[index];
    if (auto const& made = digests(index); !made.empty()) return made.front().value;
    return m_digested ? to_bytes(item) : signing::sha256(item);
}

} // namespace tamga::prompt

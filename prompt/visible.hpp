// Text that others wrote, made safe to look at: what a page, a certificate or a document says must not be able to
// change how the words around it are read. Whatever is not shown as it is becomes a visible escape such as ‹U+202E› or
// ‹FF›.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tamga::prompt {

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// A document: line feeds (also after CR) and tabs stay; controls, bidirectional controls, invisible characters and
/// separators are escaped. Stops after `limit` characters of `text`.
[[nodiscard]] std::string visible_text(std::string_view text, std::size_t limit);

/// One line (a name, a label): line feeds and tabs are escaped too; cut with … after 200 characters.
[[nodiscard]] std::string visible_line(std::string_view text);

/// An origin: everything but printable ASCII is escaped, nothing is cut.
[[nodiscard]] std::string visible_origin(std::string_view origin);

} // namespace tamga::prompt

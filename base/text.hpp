// Words for people, in three languages. The English text is the key; po/kk.po and po/ru.po hold the others.
// A language is a value, not a property of the process: each request brings its own.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace tamga {

enum class Language : std::uint8_t { en, kk, ru };
constexpr std::size_t enumerator_count(Language) noexcept {
    return 3;
}

/// "en", "kk", "ru", also "kz" (which pages use for Kazakh) and longer tags such as "ru_RU.UTF-8".
[[nodiscard]] std::optional<Language> language_from_tag(std::string_view tag) noexcept;

/// The language of this process's environment, in the order of GNU gettext: LANGUAGE (a list, the first of ours in it),
/// LC_ALL, LC_MESSAGES, LANG. Russian where the one that counts names none of ours ("C", "de_DE"), or none is set:
/// every portal has it, and NCALayer starts with it, so that those who had that see no other words.
[[nodiscard]] Language system_language() noexcept;

/// The message in `language`; the English text itself where the catalogue has none (a test keeps that from happening).
/// The view lives as long as the program.
[[nodiscard]] std::string_view text(Language language, char const* message) noexcept;

/// The message with %1, %2 ... replaced by `arguments`, which are taken as they are.
[[nodiscard]] std::string text(Language language, char const* message,
                               std::initializer_list<std::string_view> arguments);

/// Marks a message for xgettext where it is only named, and translated later.
constexpr char const* message_id(char const* message) noexcept {
    return message;
}

} // namespace tamga

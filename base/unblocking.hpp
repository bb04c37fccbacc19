// How a locked PIN is unlocked, which differs from one family of tokens to the next: data/families.toml names the way,
// the words for the person are here.
#pragma once

#include "base/text.hpp"

namespace tamga {

enum class Unblocking : std::uint8_t {
    unknown,                ///< nobody wrote it down
    so_pin,                 ///< the administrator PIN (SO-PIN), typed into the vendor's program
    administrator_password, ///< only where one was set when the token was prepared
    puk,                    ///< a code that came with the token
    issuer,                 ///< only the office that issued the card
};
constexpr std::size_t enumerator_count(Unblocking) noexcept {
    return 5;
}

/// The name in data/families.toml: "so_pin". The view lives as long as the program.
[[nodiscard]] std::string_view name_of(Unblocking way) noexcept;

/// A sentence that tells the person what to do. The view lives as long as the program.
[[nodiscard]] std::string_view unblocking_words(Unblocking way, Language language) noexcept;

} // namespace tamga

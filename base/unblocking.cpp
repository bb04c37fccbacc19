#include "base/unblocking.hpp"

namespace tamga {

std::string_view name_of(Unblocking way) noexcept {
    switch (way) {
    case Unblocking::unknown: return "unknown";
    case Unblocking::so_pin: return "so_pin";
    case Unblocking::administrator_password: return "administrator_password";
    case Unblocking::puk: return "puk";
    case Unblocking::issuer: return "issuer";
    }
    return {};
}

std::string_view unblocking_words(Unblocking way, Language language) noexcept {
    switch (way) {
    case Unblocking::unknown:
        return text(language,
                    "Ask whoever gave you the token whether its PIN can be unlocked. If it cannot, the keys on "
                    "it are lost and new ones are needed.");
    case Unblocking::so_pin:
        return text(language,
                    "The PIN can be unlocked with the administrator PIN: by the command tamga keys unblock, or in "
                    "the program of the token's vendor.");
    case Unblocking::administrator_password:
        return text(language, "The PIN can be unlocked only if an administrator password was set when the token was "
                              "prepared: by the command tamga keys unblock, or in the program of the token's vendor.");
    case Unblocking::puk: return text(language, "The PIN can be unlocked with the PUK code that came with the token.");
    case Unblocking::issuer:
        return text(language,
                    "The PIN can be unlocked only where the card was issued: take it to a public service centre.");
    }
    return {};
}

} // namespace tamga

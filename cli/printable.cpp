#include "cli/printable.hpp"

#include "base/utf8.hpp"

namespace tamga::cli {

std::string printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        auto const character = first_character(text);
        if (character.valid && !is_deceptive(character.code))
            shown += text.substr(0, character.size);
        else
            shown += '?';
        text.remove_prefix(character.size);
    }
    return shown;
}

} // namespace tamga::cli

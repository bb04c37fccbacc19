#include "base/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

extern "C" {
extern unsigned char const tamga_catalogue_kk[];
extern unsigned char const tamga_catalogue_kk_end[];
extern unsigned char const tamga_catalogue_ru[];
extern unsigned char const tamga_catalogue_ru_end[];
}

namespace tamga {

namespace {

/// GNU MO format (gettext manual, "The Format of GNU MO Files"): msgfmt on the same machine made it, so byte order and
/// offsets are trusted.
class Catalogue {
public:
    explicit Catalogue(unsigned char const* start) noexcept : m_start{start} {}

    [[nodiscard]] std::string_view find(std::string_view key) const noexcept {
        std::uint32_t low = 0;
        auto high = word(8);
        while (low < high) {
            auto const middle = (low + high) / 2;
            auto const order = entry(word(12), middle).compare(key);
            if (order == 0) return entry(word(16), middle);
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return {};
    }

private:
    [[nodiscard]] std::uint32_t word(std::size_t offset) const noexcept {
        std::uint32_t value = 0;
        std::memcpy(&value, m_start + offset, sizeof value);
        return value;
    }
    [[nodiscard]] std::string_view entry(std::uint32_t table, std::uint32_t index) const noexcept {
        auto const descriptor = table + std::size_t{index} * 8;
        return {reinterpret_cast<char const*>(m_start) + word(descriptor + 4), word(descriptor)};
    }

    unsigned char const* m_start;
};

std::string_view translated(Language language, std::string_view message) noexcept {
    switch (language) {
    case Language::en: return {};
    case Language::kk: return Catalogue{tamga_catalogue_kk}.find(message);
    case Language::ru: return Catalogue{tamga_catalogue_ru}.find(message);
    }
    return {};
}

std::string_view value_of(char const* variable) noexcept {
    char const* const value = std::getenv(variable);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

} // namespace

std::optional<Language> language_from_tag(std::string_view tag) noexcept {
    auto const primary = tag.substr(0, tag.find_first_of("_-.@"));
    if (primary == "kk" || primary == "kz") return Language::kk;
    if (primary == "ru") return Language::ru;
    if (primary == "en") return Language::en;
    return std::nullopt;
}

Language system_language() noexcept {
    // LANGUAGE is a list, the best first; what it names beside ours says nothing here.
    std::string_view wishes = value_of("LANGUAGE");
    while (!wishes.empty()) {
        auto const colon = std::min(wishes.find(':'), wishes.size());
        if (auto const language = language_from_tag(wishes.substr(0, colon))) return *language;
        wishes.remove_prefix(std::min(colon + 1, wishes.size()));
    }
    for (char const* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        auto const value = value_of(name);
        if (!value.empty()) return language_from_tag(value).value_or(Language::ru);
    }
    return Language::ru;
}

std::string_view text(Language language, char const* message) noexcept {
    auto const found = translated(language, message);
    return found.empty() ? std::string_view{message} : found;
}

std::string text(Language language, char const* message, std::initializer_list<std::string_view> arguments) {
    auto const pattern = text(language, message);
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '%' && i + 1 < pattern.size() && pattern[i + 1] >= '1' && pattern[i + 1] <= '9') {
            auto const index = static_cast<std::size_t>(pattern[i + 1] - '1');
            if (index < arguments.size()) out += *(arguments.begin() + index);
            ++i;
            continue;
        }
        out += pattern[i];
    }
    return out;
}

} // namespace tamga

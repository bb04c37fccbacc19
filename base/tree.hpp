// Named values within each other: what is told to programs, before it is known in which notation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tamga {

struct Tree {
    using List = std::vector<Tree>;
    using Members = std::vector<std::pair<std::string, Tree>>;

    std::variant<Members, List, std::string, std::int64_t, bool> value;

    /// An object without members.
    Tree() = default;
    Tree(List list) : value{std::move(list)} {}
    Tree(std::string text) : value{std::move(text)} {}
    Tree(std::string_view text) : value{std::string{text}} {}
    Tree(char const* text) : value{std::string{text}} {}
    Tree(std::int64_t number) : value{number} {}
    Tree(bool flag) : value{flag} {}

    /// Adds a member behind the others. For objects alone.
    Tree& add(std::string name, Tree member) {
        std::get<Members>(value).emplace_back(std::move(name), std::move(member));
        return *this;
    }
    /// The member of that name; nullptr where there is none, or this is no object.
    [[nodiscard]] Tree const* find(std::string_view name) const noexcept {
        auto const* members = std::get_if<Members>(&value);
        for (std::size_t i = 0; members != nullptr && i < members->size(); ++i) {
            if ((*members)[i].first == name) return &(*members)[i].second;
        }
        return nullptr;
    }
    /// Its text; empty where it is none.
    [[nodiscard]] std::string_view text(std::string_view name) const noexcept {
        auto const* const member = find(name);
        auto const* const words = member == nullptr ? nullptr : std::get_if<std::string>(&member->value);
        return words == nullptr ? std::string_view{} : std::string_view{*words};
    }
    /// Its elements; empty where it is no list.
    [[nodiscard]] List const& list(std::string_view name) const noexcept {
        static List const none;
        auto const* const member = find(name);
        auto const* const elements = member == nullptr ? nullptr : std::get_if<List>(&member->value);
        return elements == nullptr ? none : *elements;
    }
    /// Its number; 0 where it is none.
    [[nodiscard]] std::int64_t number(std::string_view name) const noexcept {
        auto const* const member = find(name);
        auto const* const number = member == nullptr ? nullptr : std::get_if<std::int64_t>(&member->value);
        return number == nullptr ? 0 : *number;
    }
    bool operator==(Tree const&) const = default;

    /// The same where there is something to say.
    Tree& add_unless_empty(std::string name, std::string text) {
        return text.empty() ? *this : add(std::move(name), std::move(text));
    }
};

} // namespace tamga

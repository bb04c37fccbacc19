// The members of one JSON object, each asked for by its name and type. What nobody asked for is an error.
#pragma once

#include "base/base64.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::protocol::v1 {

/// Notes the first thing that is wrong, with the path of the member: whoever reads asks once, at the end. Until then a
/// member that is missing or wrong reads as nothing.
class Members {
public:
    /// `object` outlives this, and is emptied of what is large.
    Members(boost::json::object& object, std::string path) : m_object{object}, m_path{std::move(path)} {}

    /// Error: bad_request, naming the member; bad_base64.
    [[nodiscard]] Result<void> end() {
        for (auto const& member : m_object) {
            std::string_view const name{member.key().data(), member.key().size()};
            if (std::ranges::find(m_asked, name) == m_asked.end()) wrong(name, "is not known here");
        }
        return m_error ? Result<void>{*m_error} : ok();
    }
    void wrong(std::string_view name, std::string_view what, Errc code = Errc::bad_request) {
        if (!m_error) m_error = Error{code, path_of(name) + ' ' + std::string{what}};
    }
    /// Something inside a member was wrong.
    void take(Result<void> const& result) {
        if (!result && !m_error) m_error = result.error();
    }
    [[nodiscard]] std::string path_of(std::string_view name) const {
        // A name that a page made up is quoted as far as it can be a name.
        constexpr std::size_t longest = 64;
        return m_path.empty() ? std::string{name.substr(0, longest)}
                              : m_path + '.' + std::string{name.substr(0, longest)};
    }

    [[nodiscard]] boost::json::value* find(std::string_view name) {
        m_asked.push_back(name);
        return m_object.if_contains(boost::json::string_view{name.data(), name.size()});
    }
    [[nodiscard]] boost::json::value* need(std::string_view name) {
        auto* const member = find(name);
        if (member == nullptr) wrong(name, "is missing");
        return member;
    }

    /// Text of at most `longest` octets; empty where it is absent.
    std::string text(std::string_view name, std::size_t longest) { return text_in(find(name), name, longest); }
    std::string needed_text(std::string_view name, std::size_t longest) {
        auto text = text_in(need(name), name, longest);
        if (text.empty()) wrong(name, "is empty");
        return text;
    }
    bool flag(std::string_view name, bool otherwise) {
        auto const* member = find(name);
        if (member == nullptr) return otherwise;
        if (!member->is_bool()) wrong(name, "is no boolean");
        return member->is_bool() && member->get_bool();
    }
    std::optional<std::int64_t> number(std::string_view name, std::int64_t least) {
        auto const* member = find(name);
        if (member == nullptr) return std::nullopt;
        if (member->is_int64() && member->get_int64() >= least) return member->get_int64();
        wrong(name, "is no whole number that fits");
        return std::nullopt;
    }
    /// Base64 on one line, whose text is freed.
    Bytes octets(std::string_view name, boost::json::value* member) {
        if (member == nullptr) return {};
        if (!member->is_string()) return wrong(name, "is no text"), Bytes{};
        auto octets = from_base64({member->get_string().data(), member->get_string().size()});
        *member = nullptr;
        if (octets) return std::move(*octets);
        wrong(name, "is no base64", Errc::bad_base64);
        return {};
    }
    /// One of `words`; the first where it is absent.
    template <class Value, std::size_t n>
    Value word(std::string_view name, std::array<std::pair<std::string_view, Value>, n> const& words) {
        auto const* member = find(name);
        return member == nullptr ? words.front().second : word_in(*member, name, words);
    }
    template <class Value, std::size_t n>
    Value needed_word(std::string_view name, std::array<std::pair<std::string_view, Value>, n> const& words) {
        auto const* member = need(name);
        return member == nullptr ? words.front().second : word_in(*member, name, words);
    }
    /// Nothing where it is absent.
    boost::json::object* object(std::string_view name) {
        auto* member = find(name);
        if (member == nullptr) return nullptr;
        if (!member->is_object()) wrong(name, "is no object");
        return member->if_object();
    }
    boost::json::array* array(std::string_view name, std::size_t most) { return array_in(find(name), name, most); }
    boost::json::array* needed_array(std::string_view name, std::size_t most) {
        auto* const list = array_in(need(name), name, most);
        if (list != nullptr && list->empty()) wrong(name, "is empty");
        return list;
    }
    /// Texts of at most `longest` octets each.
    std::vector<std::string> texts(std::string_view name, std::size_t most, std::size_t longest) {
        std::vector<std::string> texts;
        auto* const list = array(name, most);
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i)
            texts.push_back(text_in(&(*list)[i], std::string{name} + '[' + std::to_string(i) + ']', longest));
        return texts;
    }

private:
    std::string text_in(boost::json::value const* member, std::string_view name, std::size_t longest) {
        if (member == nullptr) return {};
        if (!member->is_string()) return wrong(name, "is no text"), std::string{};
        auto const& text = member->get_string();
        if (text.size() > longest) wrong(name, "is longer than " + std::to_string(longest) + " octets");
        if (text.size() > longest) return {};
        return {text.data(), text.size()};
    }
    boost::json::array* array_in(boost::json::value* member, std::string_view name, std::size_t most) {
        if (member == nullptr) return nullptr;
        if (!member->is_array()) return wrong(name, "is no array"), nullptr;
        if (member->get_array().size() <= most) return &member->get_array();
        wrong(name, "has more than " + std::to_string(most) + " elements", Errc::too_large);
        return nullptr;
    }
    template <class Value, std::size_t n>
    Value word_in(boost::json::value const& member, std::string_view name,
                  std::array<std::pair<std::string_view, Value>, n> const& words) {
        for (auto const& [word, value] : words) {
            if (member.is_string() && std::string_view{member.get_string().data(), member.get_string().size()} == word)
                return value;
        }
        std::string known;
        for (auto const& each : words)
            known += (known.empty() ? "" : ", ") + std::string{each.first};
        wrong(name, "is none of: " + known);
        return words.front().second;
    }

    boost::json::object& m_object;
    std::string m_path;
    std::vector<std::string_view> m_asked;
    std::optional<Error> m_error;
};

} // namespace tamga::protocol::v1

#include "protocol/json_file.hpp"

#include "protocol/strict_json.hpp"

#include <optional>

namespace tamga::protocol {

namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 64;

std::optional<Tree> tree_of(json::value const& value) {
    if (auto const* flag = value.if_bool()) return Tree{*flag};
    if (auto const* number = value.if_int64()) return Tree{*number};
    if (auto const* text = value.if_string()) return Tree{std::string{text->data(), text->size()}};
    if (auto const* array = value.if_array()) {
        Tree::List list;
        for (auto const& element : *array) {
            if (auto tree = tree_of(element)) list.push_back(std::move(*tree));
        }
        return Tree{std::move(list)};
    }
    auto const* const object = value.if_object();
    if (object == nullptr) return std::nullopt;
    Tree tree;
    for (auto const& member : *object) {
        if (auto read = tree_of(member.value()))
            tree.add(std::string{member.key().data(), member.key().size()}, std::move(*read));
    }
    return tree;
}

} // namespace

Result<Tree> read_json(std::string_view text) {
    auto const value = parse_strict_json(text, max_depth);
    if (!value || !value->is_object()) return Error{Errc::message_malformed, "no JSON object"};
    auto tree = tree_of(*value);
    return tree ? Result<Tree>{std::move(*tree)} : Error{Errc::message_malformed, "no JSON object"};
}

} // namespace tamga::protocol

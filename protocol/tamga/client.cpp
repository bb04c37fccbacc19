#include "protocol/tamga/client.hpp"

#include "protocol/json_text.hpp"
#include "protocol/strict_json.hpp"

namespace tamga::protocol::v1 {

namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 16;

/// Nothing for null, and for what has no place in a Tree.
Result<Tree> tree_of(json::value const& value) {
    if (auto const* flag = value.if_bool()) return Tree{*flag};
    if (auto const* number = value.if_int64()) return Tree{*number};
    if (auto const* text = value.if_string()) return Tree{std::string{text->data(), text->size()}};
    if (auto const* array = value.if_array()) {
        Tree::List list;
        for (auto const& element : *array) {
            auto tree = tree_of(element);
            if (!tree) return tree.error();
            list.push_back(std::move(*tree));
        }
        return Tree{std::move(list)};
    }
    auto const* const object = value.if_object();
    if (object == nullptr) return Error{Errc::message_malformed, "a value of no kind that is spoken"};
    Tree tree;
    for (auto const& member : *object) {
        if (member.value().is_null()) continue; // the id of an answer to what was no request
        auto read = tree_of(member.value());
        if (!read) return read.error();
        tree.add(std::string{member.key().data(), member.key().size()}, std::move(*read));
    }
    return tree;
}

} // namespace

std::string request(std::int64_t id, std::string_view method, Tree const& params) {
    Tree tree;
    tree.add("jsonrpc", "2.0").add("id", id).add("method", method).add("params", params);
    return json_of(tree);
}

Result<Tree> read_message(std::string_view text) {
    auto const value = parse_strict_json(text, max_depth);
    if (!value || !value->is_object()) return Error{Errc::message_malformed, "no JSON object"};
    return tree_of(*value);
}

} // namespace tamga::protocol::v1

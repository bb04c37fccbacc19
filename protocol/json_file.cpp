#include "protocol/json_file.hpp"

#include "protocol/strict_json.hpp"

namespace tamga::protocol {

namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 64;

Result<Tree> tree_of(json::value const& value, Strange strange) {
    if (auto const* flag = value.if_bool()) return Tree{*flag};
    if (auto const* number = value.if_int64()) return Tree{*number};
    if (auto const* text = value.if_string()) return Tree{std::string{text->data(), text->size()}};
    if (auto const* array = value.if_array()) {
        Tree::List list;
        for (auto const& element : *array) {
            auto read = tree_of(element, strange);
            if (read) list.push_back(std::move(*read));
            if (!read && strange == Strange::refused) return read.error();
        }
        return Tree{std::move(list)};
    }
    auto const* const object = value.if_object();
    if (object == nullptr) return Error{Errc::message_malformed, "a value of no kind that is spoken"};
    Tree tree;
    for (auto const& member : *object) {
        if (member.value().is_null()) continue;
        auto read = tree_of(member.value(), strange);
        if (read) tree.add(std::string{member.key().data(), member.key().size()}, std::move(*read));
        if (!read && strange == Strange::refused) return read.error();
    }
    return tree;
}

} // namespace

Result<Tree> read_json(std::string_view text, Strange strange) {
    auto const value = parse_strict_json(text, max_depth);
    if (!value || !value->is_object()) return Error{Errc::message_malformed, "no JSON object"};
    return tree_of(*value, strange);
}

} // namespace tamga::protocol

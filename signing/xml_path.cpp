#include "signing/to_be_signed.hpp"
#include "signing/xml_tree.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <variant>

namespace tamga::signing {

namespace {

struct AttributeIs {
    std::string_view name;
    std::string_view value;
};
using Predicate = std::variant<std::size_t, AttributeIs>; ///< [n] or [@name='value']

struct Step {
    std::string_view name;
    std::vector<Predicate> predicates;
};

struct Path {
    bool anywhere = false; ///< begins with "//"
    std::vector<Step> steps;
};

bool is_qualified_name(std::string_view name) {
    auto const colon = name.find(':');
    if (colon == std::string_view::npos) return is_ncname(name);
    return is_ncname(name.substr(0, colon)) && is_ncname(name.substr(colon + 1));
}

/// Takes a name off the front of `rest`.
std::optional<std::string_view> take_name(std::string_view& rest) {
    auto const name = rest.substr(0, rest.find_first_of("/[]@='\""));
    if (!is_qualified_name(name)) return std::nullopt;
    rest.remove_prefix(name.size());
    return name;
}

bool skip(std::string_view& rest, std::string_view text) {
    if (!rest.starts_with(text)) return false;
    rest.remove_prefix(text.size());
    return true;
}

/// Takes what stands behind "[", through "]".
std::optional<Predicate> take_predicate(std::string_view& rest) {
    if (!skip(rest, "@")) {
        std::size_t position = 0;
        auto const [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), position);
        if (failure != std::errc{} || position == 0) return std::nullopt;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        return skip(rest, "]") ? std::optional<Predicate>{position} : std::nullopt;
    }
    auto const name = take_name(rest);
    if (!name || !skip(rest, "=") || rest.empty() || (rest[0] != '\'' && rest[0] != '"')) return std::nullopt;
    auto const quote = rest[0];
    rest.remove_prefix(1);
    auto const value = rest.substr(0, rest.find(quote));
    rest.remove_prefix(value.size());
    if (rest.empty()) return std::nullopt;
    rest.remove_prefix(1);
    return skip(rest, "]") ? std::optional<Predicate>{AttributeIs{*name, value}} : std::nullopt;
}

std::optional<Path> parse_path(std::string_view text) {
    Path path;
    path.anywhere = text.starts_with("//");
    if (path.anywhere) text.remove_prefix(1);
    while (skip(text, "/")) {
        auto const name = take_name(text);
        if (!name) return std::nullopt;
        Step step{*name, {}};
        while (skip(text, "[")) {
            auto predicate = take_predicate(text);
            if (!predicate) return std::nullopt;
            step.predicates.push_back(*predicate);
        }
        path.steps.push_back(std::move(step));
    }
    if (!text.empty() || path.steps.empty()) return std::nullopt;
    return path;
}

std::string written_name(xmlChar const* name, xmlNs const* space) {
    std::string written;
    if (space != nullptr && space->prefix != nullptr) written = std::string{text_of(space->prefix)} + ':';
    return written += text_of(name);
}

bool has_attribute(xmlNode const& element, AttributeIs const& wanted) {
    for (auto const* attribute = element.properties; attribute != nullptr; attribute = attribute->next) {
        if (written_name(attribute->name, attribute->ns) == wanted.name && value_of(*attribute) == wanted.value) {
            return true;
        }
    }
    return false;
}

/// The children of `parent` that a step leads to; each predicate counts in what the one before has left.
std::vector<xmlNode*> walk(xmlNode const& parent, Step const& step) {
    std::vector<xmlNode*> found;
    for (auto* child = parent.children; child != nullptr; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && written_name(child->name, child->ns) == step.name) {
            found.push_back(child);
        }
    }
    for (auto const& predicate : step.predicates) {
        if (auto const* position = std::get_if<std::size_t>(&predicate)) {
            found = *position <= found.size() ? std::vector{found[*position - 1]} : std::vector<xmlNode*>{};
        } else {
            std::erase_if(found,
                          [&](xmlNode const* node) { return !has_attribute(*node, std::get<AttributeIs>(predicate)); });
        }
    }
    return found;
}

} // namespace

std::vector<xmlNode*> elements_below(xmlNode* top) {
    std::vector<xmlNode*> elements;
    for (auto* node = top; node != nullptr;) {
        bool const is_element = node->type == XML_ELEMENT_NODE;
        if (is_element) elements.push_back(node);
        if (is_element && node->children != nullptr) {
            node = node->children;
            continue;
        }
        while (node != top && node->next == nullptr)
            node = node->parent;
        node = node == top ? nullptr : node->next;
    }
    return elements;
}

Result<xmlNode*> find_element(xmlDoc* document, std::string_view path_text) {
    auto const path = parse_path(path_text);
    if (!path) return Error{Errc::xml_target, "XPath outside of the subset"};
    auto contexts = std::vector{reinterpret_cast<xmlNode*>(document)};
    if (path->anywhere) {
        auto const all = elements_below(xmlDocGetRootElement(document));
        contexts.insert(contexts.end(), all.begin(), all.end());
    }
    for (auto const& step : path->steps) {
        std::vector<xmlNode*> next;
        for (auto const* context : contexts) {
            auto const found = walk(*context, step);
            next.insert(next.end(), found.begin(), found.end());
        }
        contexts = std::move(next);
    }
    if (contexts.size() != 1) {
        return Error{Errc::xml_target, "XPath finds " + std::to_string(contexts.size()) + " elements"};
    }
    return contexts.front();
}

} // namespace tamga::signing

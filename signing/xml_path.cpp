#include "signing/to_be_signed.hpp"
#include "signing/xml_tree.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <variant>

namespace tamga::signing {

namespace {

constexpr std::size_t max_path_size = 1024;
constexpr std::size_t visit_work = 4; ///< of a node or an attribute that is looked at, in units of XmlWork

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
    if (text.size() > max_path_size) return std::nullopt;
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

bool is_written(xmlChar const* name, xmlNs const* space, std::string_view wanted) {
    if (space != nullptr && space->prefix != nullptr) {
        if (!skip(wanted, text_of(space->prefix)) || !skip(wanted, ":")) return false;
    }
    return text_of(name) == wanted;
}

/// Goes along a path and keeps account of what it looks at.
class Walker {
public:
    explicit Walker(XmlWork& work) : m_work{work} {}

    /// Appends to `found` the children of `parent` that a step leads to; each predicate counts in what the one before
    /// has left. False where the work is over its limit: `found` is then of no use.
    bool walk(xmlNode const& parent, Step const& step, std::vector<xmlNode*>& found) {
        auto const before = found.size();
        for (auto* child = parent.children; child != nullptr; child = child->next) {
            if (!look()) return false;
            if (child->type == XML_ELEMENT_NODE && is_written(child->name, child->ns, step.name)) {
                found.push_back(child);
            }
        }
        for (auto const& predicate : step.predicates) {
            auto const first = found.begin() + static_cast<std::ptrdiff_t>(before);
            if (auto const* position = std::get_if<std::size_t>(&predicate)) {
                auto const count = found.size() - before;
                if (!look()) return false;
                if (*position <= count) *first = found[before + *position - 1];
                found.resize(before + (*position <= count ? 1 : 0));
            } else {
                auto const lacks = [&](xmlNode const* node) { return !has(*node, std::get<AttributeIs>(predicate)); };
                found.erase(std::remove_if(first, found.end(), lacks), found.end());
                if (m_work.is_over()) return false;
            }
        }
        return true;
    }

private:
    bool look() noexcept { return m_work.spend(visit_work); }

    bool has(xmlNode const& element, AttributeIs const& wanted) noexcept {
        if (!look()) return false;
        for (auto const* attribute = element.properties; attribute != nullptr; attribute = attribute->next) {
            if (!look()) return false;
            if (is_written(attribute->name, attribute->ns, wanted.name) && value_of(*attribute) == wanted.value) {
                return true;
            }
        }
        return false;
    }

    XmlWork& m_work;
};

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

Result<xmlNode*> find_element(xmlDoc* document, std::string_view path_text, XmlWork& work) {
    auto const path = parse_path(path_text);
    if (!path) return Error{Errc::xml_target, "XPath outside of the subset"};
    auto contexts = std::vector{reinterpret_cast<xmlNode*>(document)};
    if (path->anywhere) {
        auto const all = elements_below(xmlDocGetRootElement(document));
        contexts.insert(contexts.end(), all.begin(), all.end());
    }
    Walker walker{work};
    for (auto const& step : path->steps) {
        std::vector<xmlNode*> next;
        for (auto const* context : contexts) {
            if (!walker.walk(*context, step, next)) return Error{Errc::too_large, "XPath: too much to look through"};
        }
        contexts = std::move(next);
    }
    if (contexts.size() != 1) {
        return Error{Errc::xml_target, "XPath finds " + std::to_string(contexts.size()) + " elements"};
    }
    return contexts.front();
}

} // namespace tamga::signing

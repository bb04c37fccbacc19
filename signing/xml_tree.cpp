#include "signing/xml_tree.hpp"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>

#include <algorithm>
#include <optional>
#include <string>

namespace tamga::signing {

namespace {

/// Upper bound of what canonicalisation compares: at each element, all namespaces in scope with each other.
constexpr std::size_t max_namespace_work = 200'000'000;

constexpr char const* truncated = "XML document structures must start and end within the same entity.";

/// The error as org.xml.sax.SAXParseException prints it, for octet `offset` of `xml`: columns count UTF-16 units
/// from 1.
Error sax_error(std::string_view xml, std::size_t offset, std::string_view text) {
    auto const before = xml.substr(0, offset);
    auto const line = 1 + std::ranges::count(before, '\n');
    std::size_t column = 1;
    for (char const c : before.substr(before.rfind('\n') + 1)) {
        auto const octet = static_cast<unsigned char>(c);
        if ((octet & 0xc0) != 0x80) column += octet >= 0xf0 ? 2 : 1;
    }
    std::string one_line{text.substr(0, text.find_last_not_of(" \r\n") + 1)};
    std::ranges::replace(one_line, '\n', ' ');
    return {Errc::xml_malformed,
            "lineNumber: " + std::to_string(line) + "; columnNumber: " + std::to_string(column) + "; " + one_line};
}

/// What one parser's callbacks know. The parser is stopped at the first error.
struct Reading {
    std::string_view xml;
    std::optional<Error> error;
    std::vector<std::size_t> namespaces_in_scope; ///< at each open element
    std::size_t namespace_work = 0;
};

Reading& reading_of(void* parser) {
    return *static_cast<Reading*>(static_cast<xmlParserCtxt*>(parser)->_private);
}

void stop(void* parser, Error error) {
    auto& reading = reading_of(parser);
    if (!reading.error) reading.error = std::move(error);
    xmlStopParser(static_cast<xmlParserCtxt*>(parser));
}

std::size_t offset_of(void* parser) {
    auto const consumed = xmlByteConsumed(static_cast<xmlParserCtxt*>(parser));
    return consumed < 0 ? 0 : std::min(static_cast<std::size_t>(consumed), reading_of(parser).xml.size());
}

void refuse_doctype(void* parser, xmlChar const*, xmlChar const*, xmlChar const*) {
    static constexpr std::string_view start = "<!DOCTYPE";
    auto const& xml = reading_of(parser).xml;
    stop(parser, sax_error(xml, xml.rfind(start, offset_of(parser)) + start.size(),
                           "DOCTYPE is disallowed when the feature "
                           "\"http://apache.org/xml/features/disallow-doctype-decl\" set to true."));
}

// NOLINTNEXTLINE(readability-function-size): libxml2 says what the parameters are.
void start_element(void* parser, xmlChar const* name, xmlChar const* prefix, xmlChar const* uri, int namespace_count,
                   xmlChar const** namespaces, int attribute_count, int defaulted_count, xmlChar const** attributes) {
    auto& reading = reading_of(parser);
    auto& scopes = reading.namespaces_in_scope;
    auto const in_scope = (scopes.empty() ? 1 : scopes.back()) + static_cast<std::size_t>(namespace_count);
    scopes.push_back(in_scope);
    reading.namespace_work += in_scope * in_scope;
    if (scopes.size() > max_xml_depth) return stop(parser, {Errc::too_large, "XML: elements nest too deep"});
    if (reading.namespace_work > max_namespace_work) return stop(parser, {Errc::too_large, "XML: too many namespaces"});
    xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces, attribute_count, defaulted_count,
                          attributes);
}

void end_element(void* parser, xmlChar const* name, xmlChar const* prefix, xmlChar const* uri) {
    reading_of(parser).namespaces_in_scope.pop_back();
    xmlSAX2EndElementNs(parser, name, prefix, uri);
}

/// Xerces' words for libxml2's errors, where pages are known to meet them; else libxml2's own.
Error worded_as_xerces(std::string_view xml, std::size_t offset, xmlError const& error) {
    auto const name = std::string{text_of(reinterpret_cast<xmlChar const*>(error.str1))};
    if (offset == xml.size() && error.code != XML_ERR_TAG_NAME_MISMATCH) return sax_error(xml, offset, truncated);
    switch (error.code) {
    case XML_ERR_TAG_NAME_MISMATCH:
        return sax_error(xml, xml.rfind("</", offset) + 2,
                         "The element type \"" + name + "\" must be terminated by the matching end-tag \"</" + name +
                             ">\".");
    case XML_ERR_DOCUMENT_END:
        return sax_error(xml, offset,
                         xml[offset] == '<'
                             ? "The markup in the document following the root element must be well-formed."
                             : "Content is not allowed in trailing section.");
    case XML_ERR_UNDECLARED_ENTITY:
        return sax_error(xml, offset, "The entity \"" + name + "\" was referenced, but not declared.");
    default: return sax_error(xml, offset, error.message == nullptr ? "" : error.message);
    }
}

void note_error(void* parser, xmlError* error) {
    // A namespace that is no absolute URI can be parsed, but not canonicalised.
    bool const matters = error->level == XML_ERR_FATAL || error->domain == XML_FROM_NAMESPACE;
    if (!matters || reading_of(parser).error) return;
    stop(parser, worded_as_xerces(reading_of(parser).xml, offset_of(parser), *error));
}

/// Whether a tag has more attributes than allowed. libxml2 compares the attributes of an element pairwise before it
/// calls anybody, so this has to be known earlier; where the text is not well-formed, the answer does not matter.
bool has_crowded_tag(std::string_view xml) {
    auto const skip_behind = [&](std::string_view end) {
        auto const at = xml.find(end);
        xml.remove_prefix(at == std::string_view::npos ? xml.size() : at + end.size());
    };
    while (skip_behind("<"), !xml.empty()) {
        if (xml.starts_with("!--")) {
            xml.remove_prefix(3); // "<!-->" begins a comment and does not end it
            skip_behind("-->");
        } else if (xml.starts_with("![CDATA[")) {
            skip_behind("]]>");
        } else if (xml.starts_with('?')) {
            skip_behind("?>");
        } else {
            std::size_t attributes = 0;
            while (!xml.empty() && xml.front() != '>') {
                xml.remove_prefix(std::min(xml.find_first_of("\"'>"), xml.size()));
                if (xml.empty() || xml.front() == '>') break;
                if (++attributes > max_xml_attributes) return true;
                auto const quote = xml.substr(0, 1);
                xml.remove_prefix(1);
                skip_behind(quote);
            }
        }
    }
    return false;
}

std::optional<Error> refusal_before_parsing(std::string_view xml) {
    auto const start = xml.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return sax_error(xml, xml.size(), "Premature end of file.");
    if (xml[start] != '<') return sax_error(xml, start, "Content is not allowed in prolog.");
    if (auto const nul = xml.find('\0'); nul != std::string_view::npos) {
        return sax_error(xml, nul, "An invalid XML character (Unicode: 0x0) was found in the document.");
    }
    if (has_crowded_tag(xml)) return Error{Errc::too_large, "XML: too many attributes in one element"};
    return std::nullopt;
}

/// Attributes and namespaces (whose nodes are of another type, without a parent) belong to the element beside them.
int is_visible(void* top, xmlNode* node, xmlNode* parent) {
    bool const is_tree_node = node->type != XML_ATTRIBUTE_NODE && node->type != XML_NAMESPACE_DECL;
    return is_in(is_tree_node ? node : parent, static_cast<xmlNode*>(top)) ? 1 : 0;
}

int append_octets(void* out, char const* text, int size) {
    auto& target = *static_cast<Bytes*>(out);
    target.insert(target.end(), text, text + size);
    return size;
}

} // namespace

Result<XmlTree> read_xml(std::string_view xml) {
    static constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (xml.starts_with(byte_order_mark)) xml.remove_prefix(byte_order_mark.size());
    if (auto const refusal = refusal_before_parsing(xml)) return *refusal;

    std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> const parser{xmlNewParserCtxt(), xmlFreeParserCtxt};
    if (!parser) return Error{Errc::internal, "XML parser"};
    Reading reading{.xml = xml, .error = {}, .namespaces_in_scope = {}, .namespace_work = 0};
    parser->_private = &reading;
    parser->sax->serror = note_error;
    parser->sax->internalSubset = refuse_doctype;
    parser->sax->startElementNs = start_element;
    parser->sax->endElementNs = end_element;
    // HUGE lifts libxml2's limits, of which ours take the place: 10 MB of base64 in one element are a usual request.
    // PEDANTIC reports prefixed namespaces that are no absolute URI too.
    XmlTree tree{xmlCtxtReadMemory(parser.get(), xml.data(), static_cast<int>(xml.size()), nullptr, nullptr,
                                   XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_IGNORE_ENC | XML_PARSE_PEDANTIC)};
    if (reading.error) return std::move(*reading.error);
    if (!tree || parser->wellFormed == 0 || parser->nsWellFormed == 0 || xmlDocGetRootElement(tree.get()) == nullptr) {
        return sax_error(xml, xml.size(), truncated);
    }
    // Without this the serialiser writes characters outside ASCII as references.
    if (tree->encoding == nullptr) tree->encoding = xmlStrdup(reinterpret_cast<xmlChar const*>("UTF-8"));
    return tree;
}

std::string_view text_of(xmlChar const* text) noexcept {
    return text == nullptr ? std::string_view{} : reinterpret_cast<char const*>(text);
}

std::string_view value_of(xmlAttr const& attribute) noexcept {
    return attribute.children == nullptr ? std::string_view{} : text_of(attribute.children->content);
}

bool is_in(xmlNode const* node, xmlNode const* top) noexcept {
    while (node != nullptr && node != top)
        node = node->parent;
    return node == top;
}

Result<Bytes> canonicalise(xmlDoc* document, xmlNode* top, xmlC14NMode mode) {
    QuietXml const quiet;
    Bytes octets;
    auto* buffer = xmlOutputBufferCreateIO(append_octets, nullptr, &octets, nullptr);
    auto const written = xmlC14NExecute(document, top == nullptr ? nullptr : is_visible, top, mode, nullptr, 0, buffer);
    auto const closed = xmlOutputBufferClose(buffer);
    if (written < 0 || closed < 0) return Error{Errc::internal, "canonicalisation"};
    return octets;
}

} // namespace tamga::signing

// From text to libxml2's tree, inside limits: and from the tree to canonical octets: used by signing/xml*.cpp alone.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <libxml/c14n.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <memory>
#include <string_view>
#include <vector>

namespace tamga::signing {

struct FreeDocument {
    void operator()(xmlDoc* document) const noexcept { xmlFreeDoc(document); }
};
using XmlTree = std::unique_ptr<xmlDoc, FreeDocument>;

inline constexpr std::size_t max_xml_depth = 256;
inline constexpr std::size_t max_xml_attributes = 256; ///< of one element

/// Reads `xml`, which is UTF-8 whatever it declares. Nothing outside of it is read, and nothing in it is expanded but
/// character references and the five entities of XML itself.
/// Errors: xml_malformed (detail as in signing/xml.hpp), too_large.
Result<XmlTree> read_xml(std::string_view xml);

/// The one element that `path`, of the XPath subset in signing/xml.hpp, leads to. Names are compared as they are
/// written, with their prefixes. Error: xml_target.
Result<xmlNode*> find_element(xmlDoc* document, std::string_view path);

/// The nodes below `top`, and itself, in document order, as far as they are elements.
[[nodiscard]] std::vector<xmlNode*> elements_below(xmlNode* top);

[[nodiscard]] std::string_view text_of(xmlChar const* text) noexcept;

/// The value of an attribute in the tree of read_xml.
[[nodiscard]] std::string_view value_of(xmlAttr const& attribute) noexcept;

/// Keeps libxml2 from writing to stderr on this thread.
class QuietXml {
public:
    QuietXml() noexcept : m_handler{xmlStructuredError}, m_context{xmlStructuredErrorContext} {
        xmlSetStructuredErrorFunc(nullptr, [](void*, xmlError*) {});
    }
    QuietXml(QuietXml const&) = delete;
    QuietXml& operator=(QuietXml const&) = delete;
    ~QuietXml() { xmlSetStructuredErrorFunc(m_context, m_handler); }

private:
    xmlStructuredErrorFunc m_handler;
    void* m_context;
};

/// Canonical XML without comments: of the element `top`, of the whole document where `top` is null. Error: internal.
Result<Bytes> canonicalise(xmlDoc* document, xmlNode* top, xmlC14NMode mode);

/// Whether `node` is `top` or below it.
[[nodiscard]] bool is_in(xmlNode const* node, xmlNode const* top) noexcept;

} // namespace tamga::signing

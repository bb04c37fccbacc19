#include "signing/xml.hpp"

#include "base/base64.hpp"
#include "signing/to_be_signed.hpp"
#include "signing/xml_tree.hpp"

#include <libxml/parser.h>
#include <libxml/xmlsave.h>

#include <algorithm>
#include <array>

namespace tamga::signing {

namespace {

constexpr std::string_view declaration = R"(<?xml version="1.0" encoding="UTF-8" standalone="no"?>)";

/// Appends what libxml2 writes to the std::string at `out`.
int append(void* out, char const* text, int size) {
    static_cast<std::string*>(out)->append(text, static_cast<std::size_t>(size));
    return size;
}

bool is_identifier(xmlAttr const& attribute) {
    auto const name = text_of(attribute.name);
    return name == "Id" || name == "ID" || name == "id";
}

/// The name by which a Reference finds `element`. Another element of the same name would let a verifier look at that
/// one instead (signature wrapping).
Result<std::string> unique_identifier(xmlDoc* document, xmlNode const* element) {
    xmlAttr const* own = element->properties;
    while (own != nullptr && (own->ns != nullptr || !is_identifier(*own)))
        own = own->next;
    if (own == nullptr) return Error{Errc::xml_target, "the element has no Id"};
    auto const id = value_of(*own);
    if (!is_ncname(id)) return Error{Errc::xml_target, "the element's Id is no name"};
    for (auto const* other : elements_below(xmlDocGetRootElement(document))) {
        for (auto const* attribute = other->properties; attribute != nullptr; attribute = attribute->next) {
            if (attribute != own && is_identifier(*attribute) && value_of(*attribute) == id) {
                return Error{Errc::xml_target, "the element's Id occurs twice"};
            }
        }
    }
    return std::string{id};
}

std::string signature_text(std::string_view id, View content_digest, Certificate const& signer) {
    return "<ds:Signature xmlns:ds=\"" + std::string{xmldsig_namespace} + "\"><ds:SignedInfo>" +
           signed_info_children(id, content_digest, signer.algorithm()) +
           "<ds:SignatureValue></ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" +
           to_base64(signer.der()) + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>";
}

} // namespace

struct XmlDocument::State {
    XmlTree tree;
    xmlNode* target = nullptr; ///< null: the whole document
    std::string id;            ///< of the target
    xmlNode* parent = nullptr; ///< gets the signature
    xmlNode* signature_value = nullptr;
    Algorithm const* algorithm = nullptr; ///< of the signer
};

XmlDocument::XmlDocument(std::unique_ptr<State> state) : m_state{std::move(state)} {}
XmlDocument::XmlDocument(XmlDocument&&) noexcept = default;
XmlDocument& XmlDocument::operator=(XmlDocument&&) noexcept = default;
XmlDocument::~XmlDocument() = default;

Result<XmlDocument> XmlDocument::parse(std::string_view xml, XmlTarget const& target) {
    if (xml.size() > max_xml_size) return Error{Errc::too_large, "XML over 16 MiB"};
    QuietXml const quiet;
    auto tree = read_xml(xml);
    if (!tree) return tree.error();
    auto state = std::make_unique<State>();
    state->tree = std::move(*tree);
    auto* document = state->tree.get();

    state->parent = xmlDocGetRootElement(document);
    if (!target.signature_parent_xpath.empty()) {
        auto const parent = find_element(document, target.signature_parent_xpath);
        if (!parent) return parent.error();
        state->parent = *parent;
    }
    if (!target.to_be_signed_xpath.empty()) {
        auto const element = find_element(document, target.to_be_signed_xpath);
        if (!element) return element.error();
        auto id = unique_identifier(document, *element);
        if (!id) return id.error();
        // By Id there is no enveloped-signature transform: a signature inside would have to sign itself.
        if (is_in(state->parent, *element))
            return Error{Errc::xml_target, "the signature would be inside what it signs"};
        state->target = *element;
        state->id = std::move(*id);
    }
    return XmlDocument{std::move(state)};
}

Result<Bytes> XmlDocument::canonical() const {
    // section 4.3.3.3).
    return canonicalise(m_state->tree.get(), m_state->target, XML_C14N_1_0);
}

Result<Bytes> XmlDocument::prepare(Certificate const& signer, View content_digest) {
    if (content_digest.size() != signer.algorithm().digest_size) return Errc::digest_length;
    QuietXml const quiet;
    auto const signature_tree = read_xml(signature_text(m_state->id, content_digest, signer));
    if (!signature_tree) return Error{Errc::internal, "ds:Signature"};
    auto* document = m_state->tree.get();
    auto* signature = xmlDocCopyNode(xmlDocGetRootElement(signature_tree->get()), document, 1);
    if (signature == nullptr || xmlAddChild(m_state->parent, signature) == nullptr) return Errc::internal;

    auto* signed_info = xmlFirstElementChild(signature);
    m_state->signature_value = xmlNextElementSibling(signed_info);
    m_state->algorithm = &signer.algorithm();
    auto octets = canonicalise(document, signed_info, m_state->target ? XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0);
    if (!octets) return octets.error();
    if (!parse_signed_info(*octets, signer.algorithm())) return Error{Errc::internal, "SignedInfo is not of our form"};
    return octets;
}

Result<std::string> XmlDocument::finish(View raw_signature) {
    if (m_state->signature_value == nullptr) return Error{Errc::internal, "not prepared"};
    QuietXml const quiet;
    auto const value = to_base64(to_bare_signature(*m_state->algorithm, raw_signature));
    xmlNodeAddContent(m_state->signature_value, reinterpret_cast<xmlChar const*>(value.c_str()));
    std::string text{declaration};
    auto* writer = xmlSaveToIO(append, nullptr, &text, "UTF-8", XML_SAVE_NO_DECL | XML_SAVE_AS_XML);
    long written = writer == nullptr ? -1 : 0;
    // Comments and instructions around the root element stay: the latter are part of what was signed.
    for (auto* node = m_state->tree->children; node != nullptr && written >= 0; node = node->next) {
        written = xmlSaveTree(writer, node);
    }
    if (writer == nullptr || xmlSaveClose(writer) < 0 || written < 0) return Error{Errc::internal, "writing XML"};
    return text;
}

} // namespace tamga::signing

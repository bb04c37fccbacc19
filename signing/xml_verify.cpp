// XMLDSig as the NCA's software and others write it: enveloped or by Id, canonical forms with and without comments. No
// XPath, no XSLT, no reference to anything outside the document (S22).
#include "base/base64.hpp"
#include "signing/to_be_signed.hpp"
#include "signing/verify.hpp"
#include "signing/xml.hpp"
#include "signing/xml_tree.hpp"

#include <libxml/c14n.h>

#include <algorithm>
#include <array>

namespace tamga::signing {

namespace {

constexpr std::size_t most_signatures = 64;
constexpr std::size_t most_references = 16;
constexpr std::string_view enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

struct CanonicalForm {
    std::string_view uri;
    xmlC14NMode mode;
};
constexpr std::array<CanonicalForm, 6> canonical_forms{
    {{"http://www.w3.org/TR/2001/REC-xml-c14n-20010315", XML_C14N_1_0},
     {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", XML_C14N_1_0},
     {"http://www.w3.org/2006/12/xml-c14n11", XML_C14N_1_1},
     {"http://www.w3.org/2006/12/xml-c14n11#WithComments", XML_C14N_1_1},
     {"http://www.w3.org/2001/10/xml-exc-c14n#", XML_C14N_EXCLUSIVE_1_0},
     {"http://www.w3.org/2001/10/xml-exc-c14n#WithComments", XML_C14N_EXCLUSIVE_1_0}}};

Error invalid(char const* detail) {
    return {Errc::signature_invalid, detail};
}
Error malformed(char const* detail) {
    return {Errc::xml_malformed, detail};
}
Error unsupported(std::string detail) {
    return {Errc::mechanism_unsupported, std::move(detail)};
}

bool is_of_signature(xmlNode const* node, std::string_view name) {
    return text_of(node->name) == name && node->ns != nullptr && text_of(node->ns->href) == xmldsig_namespace;
}

/// The first child of this name in XMLDSig's namespace.
xmlNode* child(xmlNode* parent, std::string_view name) {
    for (auto* node = parent == nullptr ? nullptr : xmlFirstElementChild(parent); node != nullptr;
         node = xmlNextElementSibling(node)) {
        if (is_of_signature(node, name)) return node;
    }
    return nullptr;
}

std::string attribute(xmlNode const* node, std::string_view name) {
    for (auto const* each = node == nullptr ? nullptr : node->properties; each != nullptr; each = each->next) {
        if (each->ns == nullptr && text_of(each->name) == name) return std::string{value_of(*each)};
    }
    return {};
}

Result<Bytes> base64_of(xmlNode* node) {
    if (node == nullptr) return malformed("a value is missing");
    std::unique_ptr<xmlChar, void (*)(xmlChar*)> const text{xmlNodeGetContent(node),
                                                            [](xmlChar* each) { xmlFree(each); }};
    auto octets = from_base64(text_of(text.get()), Base64Whitespace::skipped);
    return octets ? std::move(octets) : Result<Bytes>{malformed("base64")};
}

Result<xmlC14NMode> canonical_mode(xmlNode* method) {
    auto const uri = attribute(method, "Algorithm");
    auto const* known = std::ranges::find(canonical_forms, uri, &CanonicalForm::uri);
    if (known == canonical_forms.end()) return unsupported("canonicalisation or transform");
    if (xmlFirstElementChild(method) != nullptr) return unsupported("parameters of a canonical form");
    return known->mode;
}

/// The one element with this Id; several are an attempt to have another one verified than is read (wrapping).
Result<xmlNode*> element_by_id(xmlDoc* document, std::string_view id) {
    xmlNode* found = nullptr;
    for (auto* node : elements_below(xmlDocGetRootElement(document))) {
        for (auto const* name : {"Id", "ID", "id"}) {
            if (attribute(node, name) != id) continue;
            if (found != nullptr && found != node) return Error{Errc::xml_target, "an Id occurs twice"};
            found = node;
        }
    }
    if (found == nullptr) return Error{Errc::xml_target, "no element has the Id"};
    return found;
}

/// What one Reference says, read while its signature is still in the tree.
struct Reference {
    std::string id; ///< empty: the whole document
    xmlC14NMode mode = XML_C14N_1_0;
    bool is_enveloped = false;
    DigestAlgorithm method{};
    Bytes digest;
};

Result<Reference> read_reference(xmlNode* node, Fault& fault) {
    Reference reference;
    auto const uri = attribute(node, "URI");
    if (!uri.empty()) {
        if (uri[0] != '#' || !is_ncname(std::string_view{uri}.substr(1)))
            return unsupported("a reference to elsewhere");
        reference.id = uri.substr(1);
    }
    auto* const transforms = child(node, "Transforms");
    for (auto* each = transforms == nullptr ? nullptr : xmlFirstElementChild(transforms); each != nullptr;
         each = xmlNextElementSibling(each)) {
        if (attribute(each, "Algorithm") == enveloped) {
            reference.is_enveloped = true;
            continue;
        }
        auto const mode = canonical_mode(each);
        if (!mode) return mode.error();
        reference.mode = *mode;
    }
    auto const digest_uri = attribute(child(node, "DigestMethod"), "Algorithm");
    auto const method = digest_by_xml_uri(digest_uri);
    if (!method) {
        fault = {FaultKind::digest_unsupported, algorithm_label(digest_uri)};
        return unsupported("digest algorithm " + fault.algorithm);
    }
    auto digest = base64_of(child(node, "DigestValue"));
    if (!digest) return digest.error();
    reference.method = *method;
    reference.digest = std::move(*digest);
    return reference;
}

/// One signature, read and verified but for what it refers to.
struct Reading {
    SignerReport report;
    std::vector<Reference> references;
};

/// By which digest RSA and EC sign under this name; a registry entry says it for the rest.
std::optional<DigestAlgorithm> method_of(std::string_view uri, Algorithm const& algorithm) {
    if (uri == algorithm.xml_signature_uri) return algorithm.digest;
    constexpr std::string_view prefix = "http://www.w3.org/2001/04/xmldsig-more#";
    if (!uri.starts_with(prefix)) return std::nullopt;
    uri.remove_prefix(prefix.size());
    bool const rsa = algorithm.key == KeyAlgorithm::rsa;
    bool const ec = algorithm.key == KeyAlgorithm::ec_p256;
    if ((rsa && uri == "rsa-sha384") || (ec && uri == "ecdsa-sha384")) return DigestAlgorithm::sha384;
    if ((rsa && uri == "rsa-sha512") || (ec && uri == "ecdsa-sha512")) return DigestAlgorithm::sha512;
    return std::nullopt;
}

Result<Certificate> certificate_of(xmlNode* signature) {
    auto* const data = child(child(signature, "KeyInfo"), "X509Data");
    auto* const holder = child(data, "X509Certificate");
    if (holder == nullptr) return Error{Errc::key_not_found, "no certificate in the signature"};
    auto const der = base64_of(holder);
    if (!der) return der.error();
    return Certificate::parse(*der);
}

/// SignatureValue as CMS has it: what XML writes differently is ECDSA's r || s.
Result<Bytes> signature_value(xmlNode* signature, Algorithm const& algorithm) {
    auto value = base64_of(child(signature, "SignatureValue"));
    if (!value || algorithm.encoding != SignatureEncoding::r_s_or_der) return value;
    return to_cms_signature(algorithm, *value);
}

Result<void> verify_signed_info(xmlDoc* document, xmlNode* signature, Certificate const& certificate, Fault& fault) {
    auto* const info = child(signature, "SignedInfo");
    auto const mode = canonical_mode(child(info, "CanonicalizationMethod"));
    if (!mode) return mode.error();
    auto const method_uri = attribute(child(info, "SignatureMethod"), "Algorithm");
    auto const method = method_of(method_uri, certificate.algorithm());
    if (!method) {
        fault = {FaultKind::method_unsupported, algorithm_label(method_uri)};
        return unsupported("signature algorithm " + fault.algorithm);
    }
    auto const octets = canonicalise(document, info, *mode);
    if (!octets) return octets.error();
    auto const hashed = digest(*method, *octets);
    if (!hashed) return hashed.error();
    auto const value = signature_value(signature, certificate.algorithm());
    if (!value) return value.error();
    return verify_value(certificate, *method, *hashed, *value);
}

Result<std::vector<Reference>> read_references(xmlNode* info, Fault& fault) {
    std::vector<Reference> references;
    for (auto* node = xmlFirstElementChild(info); node != nullptr; node = xmlNextElementSibling(node)) {
        if (!is_of_signature(node, "Reference")) continue;
        if (references.size() == most_references) return unsupported("references");
        auto reference = read_reference(node, fault);
        if (!reference) return reference.error();
        references.push_back(std::move(*reference));
    }
    if (references.empty()) return malformed("no reference");
    return references;
}

Result<void> read_signature(xmlDoc* document, xmlNode* signature, Reading& into) {
    auto* const info = child(signature, "SignedInfo");
    if (info == nullptr) return malformed("no SignedInfo");
    auto certificate = certificate_of(signature);
    if (!certificate) {
        if (certificate.error().code == Errc::mechanism_unsupported)
            into.report.fault.kind = FaultKind::certificate_unsupported;
        return certificate.error();
    }
    into.report.certificate = *certificate;
    auto references = read_references(info, into.report.fault);
    if (!references) return references.error();
    into.references = std::move(*references);
    into.report.covers = into.references.front().id;
    return verify_signed_info(document, signature, *certificate, into.report.fault);
}

/// Without the signature in the tree. A reference to the whole that is not "enveloped" would have to hold itself.
Result<void> verify_reference(xmlDoc* document, Reference const& reference) {
    if (reference.id.empty() && !reference.is_enveloped) return unsupported("a signature over itself");
    xmlNode* top = nullptr;
    if (!reference.id.empty()) {
        auto const element = element_by_id(document, reference.id);
        if (!element) return element.error();
        top = *element;
    }
    // A reference to "" or "#id" leaves comments out, whatever the transforms say (XMLDSig, section 4.3.3.3).
    auto const octets = canonicalise(document, top, reference.mode);
    if (!octets) return octets.error();
    auto const hashed = digest(reference.method, *octets);
    if (!hashed) return hashed.error();
    return *hashed == reference.digest ? ok() : Result<void>{invalid("what is signed was changed")};
}

} // namespace

Result<std::vector<SignerReport>> check_xml_signatures(View text) {
    if (text.size() > max_xml_size) return Error{Errc::too_large, "XML over 16 MiB"};
    QuietXml const quiet;
    XmlWork work{text.size()};
    auto const tree = read_xml(as_text(text), work);
    if (!tree) return tree.error();
    auto* const document = tree->get();
    std::vector<xmlNode*> signatures;
    for (auto* node : elements_below(xmlDocGetRootElement(document))) {
        if (is_of_signature(node, "Signature")) signatures.push_back(node);
    }
    if (signatures.empty() || signatures.front() == xmlDocGetRootElement(document)) {
        return Error{Errc::xml_target, "no signature in the document"};
    }
    if (signatures.size() > most_signatures) return Error{Errc::too_large, "signatures"};

    // The last first: each covers those before it, and was made when those after it were not there.
    std::vector<SignerReport> reports;
    for (auto at = signatures.rbegin(); at != signatures.rend(); ++at) {
        Reading reading;
        auto verified = read_signature(document, *at, reading);
        xmlUnlinkNode(*at);
        xmlFreeNode(*at);
        for (auto const& reference : reading.references) {
            if (!verified) break;
            verified = verify_reference(document, reference);
            if (!verified && verified.error().code == Errc::signature_invalid)
                reading.report.fault.kind = FaultKind::content_changed;
        }
        if (!verified && reading.report.fault.kind == FaultKind::none)
            reading.report.fault.kind = fault_of(verified.error().code);
        reading.report.signature = verified;
        reports.insert(reports.begin(), std::move(reading.report));
    }
    return reports;
}

} // namespace tamga::signing

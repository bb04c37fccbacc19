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
#include <map>

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

constexpr char const* held_by_a_signature = "what the signature holds itself is not read (XAdES, enveloping)";
constexpr std::string_view xmldsig_11_namespace = "http://www.w3.org/2009/xmldsig11#";

/// Which element may stand in which, in the unsigned part of a signature. SignedInfo is signed and read elsewhere.
struct Place {
    std::string_view parent;
    std::string_view name;
    std::string_view name_space = xmldsig_namespace;
};
constexpr std::array<Place, 16> places{{{"Signature", "SignedInfo"},
                                        {"Signature", "SignatureValue"},
                                        {"Signature", "KeyInfo"},
                                        {"KeyInfo", "X509Data"},
                                        {"X509Data", "X509Certificate"},
                                        {"X509Data", "X509SubjectName"},
                                        {"X509Data", "X509IssuerSerial"},
                                        {"X509IssuerSerial", "X509IssuerName"},
                                        {"X509IssuerSerial", "X509SerialNumber"},
                                        {"KeyInfo", "KeyValue"},
                                        {"KeyValue", "RSAKeyValue"},
                                        {"RSAKeyValue", "Modulus"},
                                        {"RSAKeyValue", "Exponent"},
                                        {"KeyValue", "ECKeyValue", xmldsig_11_namespace},
                                        {"ECKeyValue", "NamedCurve", xmldsig_11_namespace},
                                        {"ECKeyValue", "PublicKey", xmldsig_11_namespace}}};

/// Whether the element `node` may stand where it does; in the Signature itself, but once.
bool has_place(xmlNode* node) {
    auto const parent = text_of(node->parent->name);
    auto const name = text_of(node->name);
    bool const known = std::ranges::any_of(places, [&](Place const& place) {
        return place.parent == parent && place.name == name && node->ns != nullptr &&
               text_of(node->ns->href) == place.name_space;
    });
    return known && (parent != "Signature" || child(node->parent, name) == node);
}

bool has_usual_attributes(xmlNode const* node) {
    for (auto const* each = node->properties; each != nullptr; each = each->next) {
        auto const name = text_of(each->name);
        if (each->ns != nullptr || (name != "Id" && (name != "URI" || text_of(node->name) != "NamedCurve")))
            return false;
    }
    return true;
}

/// Whether an element has no text but white space where it is one that holds others.
bool has_usual_text(xmlNode const* parent, xmlNode const* node) {
    if (node->type != XML_TEXT_NODE && node->type != XML_CDATA_SECTION_NODE) return true;
    return !std::ranges::count(places, text_of(parent->name), &Place::parent) ||
           text_of(node->content).find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Whether a signature holds its value and its key, and nothing else: for nothing of it is signed but SignedInfo, and a
/// program that looks for an element by its name may find one in here.
bool holds_only_its_key(xmlNode* top) {
    if (!has_usual_attributes(top)) return false;
    for (auto* node = top->children; node != nullptr; node = node->next) {
        if (!has_usual_text(top, node)) return false;
        if (node->type != XML_ELEMENT_NODE) continue;
        if (!has_place(node)) return false;
        if (!is_of_signature(node, "SignedInfo") && !holds_only_its_key(node)) return false;
    }
    return true;
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

/// What one Reference says, read while its signature is still in the tree.
struct Reference {
    std::string id; ///< empty: the whole document
    xmlC14NMode mode = XML_C14N_1_0;
    bool is_enveloped = false;
    DigestAlgorithm method{};
    Bytes digest;
    xmlNode* element = nullptr; ///< where it leads; null: the whole document
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

/// Whether an error says that something was not read, and not that something is wrong.
bool is_unread(Error const& error) {
    return error.code == Errc::mechanism_unsupported || error.code == Errc::algorithm_unavailable ||
           error.code == Errc::key_not_found;
}

/// One signature.
struct Reading {
    xmlNode* signature = nullptr;
    SignerReport report{};
    std::vector<Reference> references{};

    /// What speaks against the signature goes before what could not be read of it; else the first counts.
    void note(Error error, Fault fault = {}) {
        if (!report.signature && (!is_unread(report.signature.error()) || is_unread(error))) return;
        if (fault.kind == FaultKind::none) fault.kind = fault_of(error.code);
        report.fault = std::move(fault);
        report.signature = std::move(error);
    }
    /// Of what the signature refers to.
    void note_change(Result<void> const& found) {
        if (found) return;
        bool const changed = found.error().code == Errc::signature_invalid;
        note(found.error(), {changed ? FaultKind::content_changed : FaultKind::none, {}});
    }
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

void read_references(xmlNode* info, Reading& into) {
    std::size_t count = 0;
    for (auto* node = xmlFirstElementChild(info); node != nullptr; node = xmlNextElementSibling(node)) {
        if (!is_of_signature(node, "Reference")) continue;
        if (++count > most_references) return into.note(unsupported("references"));
        Fault fault;
        auto reference = read_reference(node, fault);
        if (reference)
            into.references.push_back(std::move(*reference));
        else
            into.note(reference.error(), std::move(fault));
    }
    if (count == 0) into.note(malformed("no reference"));
}

Reading read_signature(xmlDoc* document, xmlNode* signature) {
    Reading reading{signature};
    reading.report.signature = ok();
    if (!holds_only_its_key(signature)) reading.note(unsupported(held_by_a_signature));
    auto* const info = child(signature, "SignedInfo");
    if (info == nullptr) {
        reading.note(malformed("no SignedInfo"));
        return reading;
    }
    read_references(info, reading);
    auto certificate = certificate_of(signature);
    if (!certificate) {
        bool const unsupported_key = certificate.error().code == Errc::mechanism_unsupported;
        reading.note(certificate.error(), {unsupported_key ? FaultKind::certificate_unsupported : FaultKind::none, {}});
        return reading;
    }
    reading.report.certificate = *certificate;
    Fault fault;
    auto const verified = verify_signed_info(document, signature, *certificate, fault);
    if (!verified) reading.note(verified.error(), std::move(fault));
    return reading;
}

struct Named {
    xmlNode* element = nullptr;
    bool twice = false;
};
using Ids = std::map<std::string, Named, std::less<>>;

/// The elements that the references name. While all signatures are in the tree: what hides in one counts as well.
Ids elements_named_by(std::vector<Reading> const& readings, std::vector<xmlNode*> const& elements) {
    Ids ids;
    for (auto const& reading : readings) {
        for (auto const& reference : reading.references)
            if (!reference.id.empty()) ids[reference.id];
    }
    for (auto* node : ids.empty() ? std::vector<xmlNode*>{} : elements) {
        for (auto const* name : {"Id", "ID", "id"}) {
            auto const found = ids.find(attribute(node, name));
            if (found == ids.end()) continue;
            auto& named = found->second;
            named.twice = named.twice || (named.element != nullptr && named.element != node);
            named.element = node;
        }
    }
    return ids;
}

/// Where a reference leads. An Id that occurs twice is an attempt to have another element verified than is read
/// (wrapping).
Result<xmlNode*> element_of(Reference const& reference, xmlNode const* signature, Ids const& ids) {
    if (is_of_signature(xmlDocGetRootElement(signature->doc), "Signature")) return unsupported(held_by_a_signature);
    auto const itself = unsupported("a signature over itself");
    if (reference.id.empty()) return reference.is_enveloped ? Result<xmlNode*>{nullptr} : itself;
    auto const& named = ids.find(reference.id)->second;
    if (named.element == nullptr) return Error{Errc::xml_target, "no element has the Id"};
    if (named.twice) return Error{Errc::xml_target, "an Id occurs twice"};
    for (auto const* node = named.element; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent) {
        if (is_of_signature(node, "Signature")) return unsupported(held_by_a_signature);
    }
    if (is_in(signature, named.element) && !reference.is_enveloped) return itself;
    return named.element;
}

/// What the references lead to, and how much of the document that is.
void resolve(Reading& reading, Ids const& ids) {
    bool is_whole = reading.references.empty();
    std::vector<Reference> resolved;
    for (auto& reference : reading.references) {
        if (!reference.id.empty()) reading.report.covers.push_back(reference.id);
        auto const element = element_of(reference, reading.signature, ids);
        if (!element) {
            reading.note(element.error());
            continue;
        }
        reference.element = *element;
        is_whole = is_whole || *element == nullptr || *element == xmlDocGetRootElement(reading.signature->doc);
        resolved.push_back(std::move(reference));
    }
    reading.report.coverage = is_whole ? Coverage::whole : Coverage::part;
    reading.references = std::move(resolved);
}

/// Without the signature in the tree.
Result<void> verify_reference(xmlDoc* document, Reference const& reference) {
    // A reference to "" or "#id" leaves comments out, whatever the transforms say (XMLDSig, section 4.3.3.3).
    auto const octets = canonicalise(document, reference.element, reference.mode);
    if (!octets) return octets.error();
    auto const hashed = digest(reference.method, *octets);
    if (!hashed) return hashed.error();
    return *hashed == reference.digest ? ok() : Result<void>{invalid("what is signed was changed")};
}

/// The declaration is not in the canonical form, so anybody can change it: other software would read other characters
/// than were signed.
bool declares_another_encoding(std::string_view xml) {
    constexpr std::string_view keyword = "encoding";
    auto const begin = xml.find("<?xml");
    if (begin == std::string_view::npos || begin != xml.find('<')) return false;
    xml.remove_prefix(begin);
    auto declaration = xml.substr(0, xml.find("?>"));
    auto const at = declaration.find(keyword);
    if (at == std::string_view::npos) return false;
    declaration.remove_prefix(at + keyword.size());
    auto const quote = declaration.find_first_of("\"'");
    if (quote == std::string_view::npos) return true;
    auto const rest = declaration.substr(quote + 1);
    std::string name{rest.substr(0, rest.find(declaration[quote]))};
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name == "us-ascii") return std::ranges::any_of(xml, [](char c) { return (c & 0x80) != 0; });
    return name != "utf-8";
}

} // namespace

Result<std::vector<SignerReport>> check_xml_signatures(View text) {
    if (text.size() > max_xml_size) return Error{Errc::too_large, "XML over 16 MiB"};
    QuietXml const quiet;
    XmlWork work{text.size()};
    auto const tree = read_xml(as_text(text), work);
    if (!tree) return tree.error();
    if (declares_another_encoding(as_text(text))) return Error{Errc::xml_malformed, "an encoding other than UTF-8"};
    auto* const document = tree->get();
    auto const elements = elements_below(xmlDocGetRootElement(document));
    std::vector<Reading> readings;
    for (auto* node : elements) {
        if (!is_of_signature(node, "Signature")) continue;
        if (readings.size() == most_signatures) return Error{Errc::too_large, "signatures"};
        readings.push_back(read_signature(document, node));
    }
    if (readings.empty()) return Error{Errc::xml_target, "no signature in the document"};
    auto const ids = elements_named_by(readings, elements);
    for (auto& reading : readings)
        resolve(reading, ids);

    // The last first: each covers those before it, and was made when those after it were not there.
    std::vector<SignerReport> reports;
    for (auto reading = readings.rbegin(); reading != readings.rend(); ++reading) {
        xmlUnlinkNode(reading->signature);
        xmlFreeNode(reading->signature);
        for (auto const& reference : reading->references)
            reading->note_change(verify_reference(document, reference));
        reports.insert(reports.begin(), std::move(reading->report));
    }
    return reports;
}

} // namespace tamga::signing

#include "base/base64.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace tamga::signing {

namespace {

constexpr std::string_view inclusive_c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
constexpr std::string_view inclusive_c14n_with_comments =
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
constexpr std::string_view exclusive_c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view enveloped_signature = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

Error not_the_form(char const* detail) {
    return {Errc::bad_request, std::string{"SignedInfo: "} + detail};
}

std::string empty_element(std::string_view name, std::string_view algorithm) {
    std::string const tag = "ds:" + std::string{name};
    return "<" + tag + " Algorithm=\"" + std::string{algorithm} + "\"></" + tag + ">";
}

bool is_name_character(char c, bool first) noexcept {
    auto const lower = static_cast<char>(c | 0x20);
    if ((lower >= 'a' && lower <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80) return true;
    return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

/// Takes `text` off the front of `rest`, if it is there.
bool skip(std::string_view& rest, std::string_view text) {
    if (!rest.starts_with(text)) return false;
    rest.remove_prefix(text.size());
    return true;
}

/// Takes everything before `end`, and `end`, off the front of `rest`; what stood before it, or nothing.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view end) {
    auto const at = rest.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    auto const text = rest.substr(0, at);
    rest.remove_prefix(at + end.size());
    return text;
}

/// The order of canonical XML: namespace declarations by prefix, the default one first, then xml: attributes.
std::optional<std::tuple<int, std::string_view>> canonical_place(std::string_view name) {
    if (name == "xmlns") return std::tuple{0, std::string_view{}};
    if (skip(name, "xmlns:") && is_ncname(name)) return std::tuple{0, name};
    if (skip(name, "xml:") && is_ncname(name)) return std::tuple{1, name};
    return std::nullopt;
}

/// Takes the start tag off: namespace declarations and xml: attributes alone, each once, in canonical order, with ds
/// bound to XMLDSig's namespace.
bool skip_start_tag(std::string_view& rest) {
    if (!skip(rest, "<ds:SignedInfo")) return false;
    bool has_namespace = false;
    auto previous = std::tuple{-1, std::string_view{}};
    while (skip(rest, " ")) {
        auto const name = take_until(rest, "=\"");
        auto const value = name ? take_until(rest, "\"") : std::nullopt;
        auto const place = value ? canonical_place(*name) : std::nullopt;
        if (!place || *place <= previous || value->find_first_of("<>\r\n\t") != std::string_view::npos) return false;
        previous = *place;
        if (*name == "xmlns:ds") has_namespace = *value == xmldsig_namespace;
    }
    return has_namespace && skip(rest, ">");
}

} // namespace

bool is_ncname(std::string_view name) noexcept {
    return !name.empty() && is_name_character(name[0], true) &&
           std::ranges::all_of(name, [](char c) { return is_name_character(c, false); });
}

std::string signed_info_children(std::string_view id, View content_digest, Algorithm const& algorithm) {
    bool const whole = id.empty();
    return empty_element("CanonicalizationMethod", whole ? inclusive_c14n : exclusive_c14n) +
           empty_element("SignatureMethod", algorithm.xml_signature_uri) + "<ds:Reference URI=\"" +
           (whole ? "" : "#" + std::string{id}) + "\"><ds:Transforms>" +
           (whole ? empty_element("Transform", enveloped_signature) : "") +
           empty_element("Transform", inclusive_c14n_with_comments) + "</ds:Transforms>" +
           empty_element("DigestMethod", algorithm.xml_digest_uri) + "<ds:DigestValue>" + to_base64(content_digest) +
           "</ds:DigestValue></ds:Reference></ds:SignedInfo>";
}

Result<Commitment> parse_signed_info(View octets, Algorithm const& algorithm) {
    auto children = as_text(octets);
    if (!skip_start_tag(children)) return not_the_form("start tag");
    auto rest = children;
    std::string_view id;
    if (!take_until(rest, "<ds:Reference URI=\"")) return not_the_form("reference");
    if (skip(rest, "#")) id = take_until(rest, "\"").value_or("");
    if (!id.empty() && !is_ncname(id)) return not_the_form("reference to no name");
    if (!take_until(rest, "<ds:DigestValue>")) return not_the_form("digest");
    auto const digest = from_base64(take_until(rest, "</ds:DigestValue>").value_or(""));
    if (!digest || digest->size() != algorithm.digest_size) return not_the_form("digest");
    if (children != signed_info_children(id, *digest, algorithm)) return not_the_form("not exactly ours");
    return Commitment{.digest = *digest, .certificate = {}, .signing_time = 0};
}

} // namespace tamga::signing

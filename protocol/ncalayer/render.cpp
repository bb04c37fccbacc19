#include "base/base64.hpp"
#include "protocol/ncalayer/json_out.hpp"
#include "protocol/ncalayer/modules.hpp"

#include <array>

namespace tamga::protocol::ncalayer {

namespace {

using Shape = Reply::Shape;

bool is_cancel(Errc code) {
    return code == Errc::user_cancelled || code == Errc::site_refused;
}

std::string error_reply(Reply const& reply, Error const& error) {
    if (reply.shape == Shape::basics) {
        return is_cancel(error.code) ? R"({"body":{},"status":true})"
                                     : basics_error("SIGNING_FAILURE", error_text(error));
    }
    return common_error(is_cancel(error.code) ? "action.canceled" : error_text(error), reply.uuid);
}

/// Appends `values` with commas between, each by `append`, and frees each as soon as it is written.
template <class Values, class Append>
void append_list(std::string& out, Values& values, Append append) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i != 0) out += ',';
        append(out, values[i]);
        typename Values::value_type{}.swap(values[i]);
    }
}

void append_text(std::string& out, Bytes const& text) {
    append_string(out, as_text(text));
}

void append_key_info(std::string& out, ChosenCertificate const& key) {
    auto const not_before = std::to_string(key.not_before_ms);
    auto const not_after = std::to_string(key.not_after_ms);
    std::array<std::pair<std::string_view, std::string_view>, 12> const members{{
        {"alias", key.alias},
        {"keyId", key.key_id},
        {"algorithm", key.algorithm},
        {"subjectCn", key.subject_cn},
        {"subjectDn", key.subject_dn},
        {"issuerCn", key.issuer_cn},
        {"issuerDn", key.issuer_dn},
        {"serialNumber", key.serial_number},
        {"certNotBefore", not_before},
        {"certNotAfter", not_after},
        {"authorityKeyIdentifier", key.authority_key_identifier},
        {"pem", key.pem},
    }};
    for (auto const& [name, value] : members) {
        out += out.back() == '{' ? "" : ",";
        append_string(out, name);
        out += ':';
        append_string(out, value);
    }
}

std::string common_reply(std::string_view uuid, std::string object) {
    object += R"(,"code":"200")";
    if (!uuid.empty()) {
        object += R"(,"uuid":)";
        append_string(object, uuid);
    }
    object += '}';
    return object;
}

std::string basics_reply(Reply const& reply, SignedDocuments& documents) {
    std::string out = R"({"body":{"result":)";
    auto const as_object = reply.format == Format::raw && reply.with_certificate;
    out += as_object ? R"({"signatures":[)" : "[";
    switch (reply.format) {
    case Format::cms:
        append_list(out, documents.values,
                    [](std::string& text, Bytes const& cms) { append_pem_string(text, "CMS", cms); });
        break;
    case Format::xml: append_list(out, documents.values, append_text); break;
    case Format::raw:
    case Format::authenticate: append_list(out, documents.values, append_base64_string); break;
    }
    out += ']';
    if (as_object) {
        out += R"(,"certificate":)";
        append_pem_string(out, "CERTIFICATE", documents.certificate);
        out += '}';
    }
    out += R"(},"status":true})";
    return out;
}

std::string signed_reply(Reply const& reply, SignedDocuments& documents) {
    if (reply.shape == Shape::basics) return basics_reply(reply, documents);
    std::string out = R"({"responseObject":)";
    if (reply.shape == Shape::common_xmls) out += '[';
    if (reply.shape == Shape::common_cms)
        append_list(out, documents.values, append_base64_string);
    else
        append_list(out, documents.values, append_text);
    if (reply.shape == Shape::common_xmls) out += ']';
    return common_reply(reply.uuid, std::move(out));
}

/// Whether this outcome can be said in this shape: a bug of the flow where not, and then an error, never half a reply.
bool fits(Shape shape, Outcome const& outcome) {
    switch (shape) {
    case Shape::common_tokens: return std::holds_alternative<Storages>(outcome);
    case Shape::common_file: return std::holds_alternative<ChosenFile>(outcome);
    case Shape::common_key_info: return std::holds_alternative<ChosenCertificate>(outcome);
    case Shape::common_xml:
    case Shape::common_cms: {
        auto const* documents = std::get_if<SignedDocuments>(&outcome);
        return documents != nullptr && documents->values.size() == 1;
    }
    case Shape::common_xmls:
    case Shape::basics: return std::holds_alternative<SignedDocuments>(outcome);
    }
    return false;
}

} // namespace

std::string error_text(Error const& error) {
    switch (error.code) {
    case Errc::storage_unknown: return "storage.unknown";
    case Errc::token_absent: return "storage.empty";
    case Errc::file_not_found: return "file.not_found";
    case Errc::xml_malformed: return "org.xml.sax.SAXParseException; " + error.detail;
    default: return std::string{wire_name(error.code)};
    }
}

std::string render(Reply const& reply, Result<Outcome> outcome) {
    if (!outcome) return error_reply(reply, outcome.error());
    if (!fits(reply.shape, *outcome)) return error_reply(reply, Error{Errc::internal});
    if (auto* documents = std::get_if<SignedDocuments>(&*outcome)) return signed_reply(reply, *documents);
    std::string out = R"({"responseObject":)";
    if (auto const* key = std::get_if<ChosenCertificate>(&*outcome)) {
        out += '{';
        append_key_info(out, *key);
        out += '}';
    }
    if (auto* storages = std::get_if<Storages>(&*outcome)) {
        out += '[';
        append_list(out, storages->names, append_string);
        out += ']';
    }
    if (auto const* file = std::get_if<ChosenFile>(&*outcome)) append_string(out, file->handle);
    return common_reply(reply.uuid, std::move(out));
}

} // namespace tamga::protocol::ncalayer

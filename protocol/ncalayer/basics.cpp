// kz.gov.pki.knca.basics: named arguments, read as org.json reads them, with its texts for what is missing or of
// another type.
#include "base/base64.hpp"
#include "protocol/ncalayer/json_out.hpp"
#include "protocol/ncalayer/modules.hpp"

#include <algorithm>

namespace tamga::protocol::ncalayer {

namespace {

namespace json = boost::json;

constexpr std::size_t max_logo_size = 50'000;

Error not_found(std::string_view key) {
    return {Errc::bad_request, "JSONObject[\"" + std::string{key} + "\"] not found."};
}
Error not_a(std::string_view type, std::string_view key) {
    return {Errc::bad_request, "JSONObject[\"" + std::string{key} + "\"] is not a " + std::string{type} + "."};
}

/// Absent and null are the same to org.json's opt... methods.
json::value* present(json::object& object, std::string_view key) {
    auto* member = object.if_contains(key);
    return member == nullptr || member->is_null() ? nullptr : member;
}

Result<json::object*> required_object(json::object& object, std::string_view key) {
    auto* member = object.if_contains(key);
    if (member == nullptr) return not_found(key);
    if (!member->is_object()) return not_a("JSONObject", key);
    return &member->get_object();
}

Result<std::string> optional_string(json::object& object, std::string_view key) {
    auto* member = present(object, key);
    if (member == nullptr) return std::string{};
    if (!member->is_string()) return not_a("string", key);
    return std::string{member->get_string()};
}

/// Pages send booleans as strings too; an empty one is an unset field of a form.
Result<bool> boolean(json::object& object, std::string_view key, bool otherwise) {
    auto* member = present(object, key);
    if (member == nullptr) return otherwise;
    if (member->is_bool()) return member->get_bool();
    auto const text = string_member(object, key);
    if (text == "true" || text == "false") return text == "true";
    if (member->is_string() && text.empty()) return otherwise;
    return not_a("Boolean", key);
}

Result<std::vector<std::string>> strings(json::value const& array, std::string_view key) {
    if (!array.is_array()) return not_a("JSONArray", key);
    std::vector<std::string> result;
    for (auto const& element : array.get_array()) {
        if (!element.is_string()) {
            return Error{Errc::bad_request, "JSONArray[" + std::to_string(result.size()) + "] is not a string."};
        }
        result.emplace_back(element.get_string());
    }
    return result;
}

/// An array, null, nothing, or names in one string with commas between. Storages nobody has heard of are left out,
/// unless there is no other. Error: storage_unknown.
Result<std::vector<std::string>> storages(json::object& arguments) {
    constexpr std::string_view key = "allowedStorages";
    auto* member = present(arguments, key);
    if (member == nullptr) return std::vector<std::string>{};
    std::vector<std::string> names;
    if (member->is_string()) {
        std::string_view rest = member->get_string();
        while (!rest.empty()) {
            auto const comma = std::min(rest.find(','), rest.size());
            auto name = rest.substr(0, comma);
            name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
            if (!name.empty()) names.emplace_back(name.substr(0, name.find_last_not_of(' ') + 1));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    } else {
        auto array = strings(*member, key);
        if (!array) return array.error();
        names = *std::move(array);
    }
    auto const asked = !names.empty();
    std::erase_if(names, [](std::string const& name) { return !is_storage_name(name); });
    if (asked && names.empty()) return Errc::storage_unknown;
    return names;
}

std::string normal_serial(std::string serial) {
    std::transform(serial.begin(), serial.end(), serial.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    serial.erase(0, std::min(serial.find_first_not_of('0'), serial.size()));
    return serial;
}

/// Absent or null: what this computer trusts. Empty: any issuer. Else PEM or base64 of the authorities, one of which
/// the chain must end in; whether they are certificates is found out where they are used.
Result<void> take_chain(ipc::KeyFilter& filter, json::object& signer) {
    constexpr std::string_view key = "chain";
    constexpr std::size_t most = 16;
    constexpr std::size_t most_octets = 32 * 1024; // what is left of a message to the prompt
    auto* member = present(signer, key);
    if (member == nullptr || (member->is_string() && member->get_string().empty())) return ok();
    auto texts = strings(*member, key);
    if (!texts) return texts.error();
    filter.any_issuer = texts->empty();
    if (texts->size() > most) return Errc::too_large;
    std::size_t octets = 0;
    for (std::string_view text : *texts) {
        if (auto const begin = text.find("-----BEGIN CERTIFICATE-----"); begin != std::string_view::npos) {
            text.remove_prefix(begin + 27);
            text = text.substr(0, text.find("-----END"));
        }
        auto der = from_base64(text, Base64Whitespace::skipped);
        if (!der) return der.error();
        octets += der->size();
        if (octets > most_octets) return Errc::too_large;
        filter.issuers.push_back(*std::move(der));
    }
    return ok();
}

Result<ipc::KeyFilter> key_filter(json::object& signer, json::object& signing) {
    ipc::KeyFilter filter;
    auto* usages = signer.if_contains("extKeyUsageOids");
    if (usages == nullptr) return not_found("extKeyUsageOids");
    auto oids = strings(*usages, "extKeyUsageOids");
    if (!oids) return oids.error();
    filter.extended_key_usages = *std::move(oids);
    for (auto const& [key, target] : {std::pair{"iin", &filter.iin}, std::pair{"bin", &filter.bin},
                                      std::pair{"serialNumber", &filter.serial_number}}) {
        auto text = optional_string(signer, key);
        if (!text) return text.error();
        *target = *std::move(text);
    }
    filter.serial_number = normal_serial(std::move(filter.serial_number));
    auto const expired = boolean(signing, "allowExpired", false);
    if (!expired) return expired.error();
    filter.allow_expired = *expired;
    auto const revoked = boolean(signing, "allowRevoked", false);
    if (!revoked) return revoked.error();
    filter.allow_revoked = *revoked;
    if (auto taken = take_chain(filter, signer); !taken) return taken.error();
    return filter;
}

/// Signing in is what only an authentication certificate can be for.
ipc::Purpose purpose_of(ipc::KeyFilter const& filter) {
    auto const wants = [&](std::string_view oid) {
        auto const& usages = filter.extended_key_usages;
        return std::find(usages.begin(), usages.end(), oid) != usages.end();
    };
    return wants(eku_client_auth) && !wants(eku_email_protection) ? ipc::Purpose::sign_in : ipc::Purpose::sign;
}

Result<Format> format_of(json::object& arguments) {
    auto* member = arguments.if_contains("format");
    if (member == nullptr) return not_found("format");
    if (!member->is_string()) return not_a("string", "format");
    auto const name = string_member(arguments, "format");
    if (name == "cms") return Format::cms;
    if (name == "xml") return Format::xml;
    if (name == "raw") return Format::raw;
    return Errc::unsupported;
}

/// How `data` is to be read.
struct Reading {
    bool decode = false;
    bool digested = false;
    Format format{};
};

/// One document; `text` is emptied. XML is never base64 when it starts like XML, whatever `decode` says.
Result<Bytes> take_document(json::value& text, Reading reading) {
    std::string_view const view = text.get_string();
    auto const is_markup =
        reading.format == Format::xml &&
        view.substr(0, view.find('<')).find_first_not_of(" \t\r\n\xef\xbb\xbf") == std::string_view::npos;
    auto bytes = reading.decode && !is_markup ? from_base64(view) : Result<Bytes>{to_bytes(as_view(view))};
    text = nullptr;
    if (bytes && reading.digested && !is_digest_size(bytes->size())) return Errc::digest_length;
    return bytes;
}

Result<std::vector<Bytes>> take_documents(json::object& arguments, Reading reading) {
    auto* data = arguments.if_contains("data");
    if (data == nullptr) return not_found("data");
    std::vector<Bytes> documents;
    auto const take = [&](json::value& text) -> Result<void> {
        if (!text.is_string()) return not_a("string", "data");
        auto document = take_document(text, reading);
        if (!document) return document.error();
        documents.push_back(*std::move(document));
        return ok();
    };
    if (!data->is_array()) {
        if (auto taken = take(*data); !taken) return taken.error();
        return documents;
    }
    auto& array = data->get_array();
    if (array.empty()) return Error{Errc::unsupported, "no documents"};
    if (array.size() > max_documents) return Errc::too_large;
    for (auto& element : array) {
        if (auto taken = take(element); !taken) return taken.error();
    }
    return documents;
}

/// The members of signingParams that are switches.
struct Switches {
    bool decode = false;
    bool encapsulate = true;
    bool digested = false;
    bool output_certificate = false;
};

Result<Switches> switches(json::object& signing) {
    Switches result;
    for (auto const& [key, target] :
         {std::pair{"decode", &result.decode}, std::pair{"encapsulate", &result.encapsulate},
          std::pair{"digested", &result.digested}, std::pair{"outputCert", &result.output_certificate}}) {
        auto const value = boolean(signing, key, *target);
        if (!value) return value.error();
        *target = *value;
    }
    return result;
}

/// By being there: nothing in it is heeded, least of all the address of a service (S23). An empty string and false are
/// unset fields of a form.
bool wants_timestamp(json::object& signing) {
    auto const* profile = present(signing, "tsaProfile");
    if (profile == nullptr) return false;
    if (profile->is_bool()) return profile->get_bool();
    return !(profile->is_string() && profile->get_string().empty());
}

/// What is refused, although every member has the right type.
Result<void> refusal(json::object& arguments, json::object& signing, Format format, bool digested) {
    if (wants_timestamp(signing) && format != Format::cms) return Error{Errc::unsupported, "a time-stamp on no CMS"};
    if (digested && format == Format::raw) return Errc::raw_refused;
    if (digested && format == Format::xml) return Errc::unsupported;
    if (string_member(arguments, "logo").size() > max_logo_size) return Errc::too_large;
    return ok();
}

Result<Call> sign_call(json::object& arguments) {
    auto const signing = required_object(arguments, "signingParams");
    if (!signing) return signing.error();
    auto const signer = required_object(arguments, "signerParams");
    if (!signer) return signer.error();
    auto const format = format_of(arguments);
    if (!format) return format.error();
    auto const chosen = switches(**signing);
    if (!chosen) return chosen.error();
    auto filter = key_filter(**signer, **signing);
    if (!filter) return filter.error();
    auto names = storages(arguments);
    if (!names) return names.error();
    if (auto allowed = refusal(arguments, **signing, *format, chosen->digested); !allowed) return allowed.error();
    auto documents = take_documents(arguments, {chosen->decode, chosen->digested, *format});
    if (!documents) return documents.error();

    Sign sign;
    sign.storages = *std::move(names);
    sign.purpose = purpose_of(*filter);
    sign.filter = *std::move(filter);
    sign.format = *format;
    sign.documents = *std::move(documents);
    sign.digested = chosen->digested;
    sign.timestamp = wants_timestamp(**signing);
    sign.attached = *format == Format::cms && chosen->encapsulate && !chosen->digested;
    Reply reply{
        .shape = Reply::Shape::basics, .uuid = {}, .format = *format, .with_certificate = chosen->output_certificate};
    return Call{std::move(sign), std::move(reply), language_from_tag(string_member(arguments, "locale"))};
}

/// The text of a request that cannot be carried out.
std::string refused(Error const& error) {
    switch (error.code) {
    case Errc::bad_request: return basics_error("INVOCATION_ERROR", "org.json.JSONException: " + error.detail);
    case Errc::bad_base64:
        return basics_error("SIGNING_FAILURE", "java.lang.IllegalArgumentException: " + base64_message(error));
    case Errc::storage_unknown: return basics_error("SIGNING_FAILURE", error_text(error));
    default: return basics_error("INVALID_SIGNING_PARAMS", error_text(error));
    }
}

bool is_version_2(json::object const& request) {
    auto const* version = request.if_contains("apiVersion");
    if (version == nullptr || version->is_null()) return true;
    return string_member(request, "apiVersion") == "2" || (version->is_int64() && version->get_int64() == 2);
}

} // namespace

Call parse_basics(json::object& request) {
    auto const method = string_member(request, "method");
    if (!is_version_2(request)) return answer(basics_error("GENERAL_ERROR", "apiVersion is not 2"));
    if (method != "sign")
        return answer(
            basics_error("GENERAL_ERROR", std::string{method} + " is not defined in " + std::string{basics_module}));
    auto const arguments = required_object(request, "args");
    if (!arguments) return answer(basics_error("GENERAL_ERROR", "org.json.JSONException: " + arguments.error().detail));
    auto call = sign_call(**arguments);
    if (!call) return answer(refused(call.error()));
    return *std::move(call);
}

} // namespace tamga::protocol::ncalayer

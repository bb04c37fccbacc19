// kz.gov.pki.knca.commonUtils: positional arguments, whose number and types are judged as Java's reflection does.
#include "base/base64.hpp"
#include "protocol/ncalayer/json_out.hpp"
#include "protocol/ncalayer/modules.hpp"

#include <algorithm>

namespace tamga::protocol::ncalayer {

namespace {

namespace json = boost::json;
using Shape = Reply::Shape;

/// A request whose arguments fit its method.
struct Invocation {
    json::array& arguments;
    std::string uuid;

    [[nodiscard]] std::string_view text(std::size_t i) const { return arguments[i].get_string(); }
    [[nodiscard]] Call error(std::string_view message, Errc word = Errc::bad_request) const {
        return answer(common_error(message, uuid), word);
    }
};

/// The octets of a string argument, which is emptied.
Bytes take_text(json::value& argument) {
    auto bytes = to_bytes(as_view(std::string_view{argument.get_string()}));
    argument = nullptr;
    return bytes;
}

/// As Bouncy Castle's decoder, which this module of the original uses: white space is skipped.
Result<Bytes> take_base64(json::value& argument) {
    auto bytes = from_base64(argument.get_string(), Base64Whitespace::skipped);
    argument = nullptr;
    return bytes;
}

/// A key for a storage and a key type, arguments 0 and 1; SIGNATURE and AUTHENTICATION filter, all other words do not.
Sign sign_request(Invocation const& call) {
    Sign sign;
    sign.storages = {std::string{call.text(0)}};
    if (call.text(1) == "SIGNATURE") sign.filter.extended_key_usages = {std::string{eku_email_protection}};
    if (call.text(1) == "AUTHENTICATION") {
        sign.filter.extended_key_usages = {std::string{eku_client_auth}};
        sign.purpose = ipc::Purpose::sign_in;
    }
    return sign;
}

/// NCALayer's word for a storage it cannot mean; empty where it can.
std::string_view storage_error(std::string_view storage) {
    if (storage.empty()) return "storageName.param.empty";
    return is_storage_name(storage) ? "" : "storage.unknown";
}

Call get_active_tokens(Invocation& call) {
    return {ListStorages{}, {.shape = Shape::common_tokens, .uuid = call.uuid}, {}};
}

Call get_key_info(Invocation& call) {
    DescribeKey describe;
    describe.storages = {std::string{call.text(0)}};
    return {std::move(describe), {.shape = Shape::common_key_info, .uuid = call.uuid}, {}};
}

void take_xpaths(Sign& sign, Invocation const& call) {
    sign.format = Format::xml;
    sign.to_be_signed_xpath = call.text(3);
    sign.signature_parent_xpath = call.text(4);
}

Call sign_xml(Invocation& call) {
    auto sign = sign_request(call);
    take_xpaths(sign, call);
    sign.documents.push_back(take_text(call.arguments[2]));
    return {std::move(sign), {.shape = Shape::common_xml, .uuid = call.uuid}, {}};
}

Call sign_xmls(Invocation& call) {
    auto sign = sign_request(call);
    take_xpaths(sign, call);
    auto& documents = call.arguments[2].get_array();
    if (documents.empty()) return call.error(error_text(Error{Errc::bad_request}));
    if (documents.size() > max_documents) return call.error(error_text(Error{Errc::too_large}), Errc::too_large);
    for (auto& document : documents)
        sign.documents.push_back(take_text(document));
    return {std::move(sign), {.shape = Shape::common_xmls, .uuid = call.uuid}, {}};
}

Call create_cades(Invocation& call) {
    auto sign = sign_request(call);
    sign.attached = call.arguments[3].get_bool();
    sign.cosign = true;
    auto document = take_base64(call.arguments[2]);
    if (!document) return call.error(base64_message(document.error()), Errc::bad_base64);
    sign.documents.push_back(*std::move(document));
    return {std::move(sign), {.shape = Shape::common_cms, .uuid = call.uuid}, {}};
}

Call create_cades_from_hash(Invocation& call) {
    auto sign = sign_request(call);
    sign.digested = true;
    auto digest = take_base64(call.arguments[2]);
    if (!digest) return call.error(base64_message(digest.error()), Errc::bad_base64);
    if (digest->empty()) return call.error({}, Errc::digest_length); // the original's exception has no text
    if (!is_digest_size(digest->size())) return call.error(error_text(Error{Errc::digest_length}), Errc::digest_length);
    sign.documents.push_back(*std::move(digest));
    return {std::move(sign), {.shape = Shape::common_cms, .uuid = call.uuid}, {}};
}

/// What the chooser gave is taken for a file, and nothing else is (S13).
Call create_cades_from_file(Invocation& call) {
    auto sign = sign_request(call);
    sign.attached = call.arguments[3].get_bool();
    sign.cosign = true;
    sign.file = call.text(2);
    if (sign.file.empty()) return call.error(error_text(Error{Errc::file_not_found}));
    return {std::move(sign), {.shape = Shape::common_cms, .uuid = call.uuid}, {}};
}

/// The folder a page proposes is not heeded. Folders and key stores are not what a page gets: the original's own
/// methods have no use for them.
Call show_file_chooser(Invocation& call) {
    auto const kind = call.text(0);
    auto const all = {"ALL", "CER", "CRL"};
    if (std::ranges::find(all, kind) == all.end()) return call.error(error_text(Error{Errc::unsupported}));
    return {ChooseFile{}, {.shape = Shape::common_file, .uuid = call.uuid}, {}};
}

Call change_locale(Invocation& call) {
    auto result = answer(R"({"code":"200"})");
    result.language = language_from_tag(call.text(0));
    return result;
}

/// The same as `create_...`, and a time-stamp on it.
template <Call (*create)(Invocation&)>
Call with_timestamp(Invocation& call) {
    auto made = create(call);
    if (auto* sign = std::get_if<Sign>(&made.action)) sign->timestamp = true;
    return made;
}

Call apply_timestamps(Invocation& call) {
    auto cms = take_base64(call.arguments[2]);
    if (!cms) return call.error(base64_message(cms.error()), Errc::bad_base64);
    return {ApplyTimestamps{*std::move(cms)}, {.shape = Shape::common_cms, .uuid = call.uuid}, {}};
}

/// A method and the types of its arguments, a letter each: s a string, b a boolean, a an array of strings, and S a
/// string that names a storage.
struct Method {
    std::string_view name;
    std::string_view types;
    Call (*invoke)(Invocation&);
};

constexpr Method methods[] = {
    {"getActiveTokens", "", get_active_tokens},
    {"getKeyInfo", "S", get_key_info},
    {"signXml", "Sssss", sign_xml},
    {"signXmls", "Ssass", sign_xmls},
    {"createCAdESFromBase64", "Sssb", create_cades},
    {"createCAdESFromBase64Hash", "Sss", create_cades_from_hash},
    {"createCAdESFromFile", "Sssb", create_cades_from_file},
    {"createCMSSignatureFromBase64", "Sssb", with_timestamp<create_cades>},
    {"createCMSSignatureFromFile", "Sssb", with_timestamp<create_cades_from_file>},
    {"applyCAdEST", "Sss", apply_timestamps},
    {"showFileChooser", "ss", show_file_chooser},
    {"changeLocale", "s", change_locale},
};

bool fits(char type, json::value const& argument) {
    if (type == 'b') return argument.is_bool();
    if (type != 'a') return argument.is_string();
    return argument.is_array() && std::all_of(argument.get_array().begin(), argument.get_array().end(),
                                              [](json::value const& element) { return element.is_string(); });
}

} // namespace

Call parse_common_utils(json::object& request) {
    auto& arguments = request["args"]; // inserted where absent, which moves the other members: so first
    auto const name = string_member(request, "method");
    if (arguments.is_null()) arguments.emplace_array();
    auto const* method = std::find_if(std::begin(methods), std::end(methods), [&](Method const& m) {
        return m.name == name && arguments.is_array() && m.types.size() == arguments.get_array().size();
    });
    if (method == std::end(methods)) {
        return answer(common_error("NoSuchMethodException " + std::string{name}), Errc::unsupported);
    }
    Invocation call{arguments.get_array(), std::string{string_member(request, "uuid")}};
    for (std::size_t i = 0; i < method->types.size(); ++i) {
        if (fits(method->types[i], call.arguments[i])) continue;
        return answer(
            common_error("java.lang.IllegalArgumentException: argument type mismatch. Method: " + std::string{name}),
            Errc::bad_request);
    }
    if (method->types.starts_with('S')) {
        if (auto const error = storage_error(call.text(0)); !error.empty())
            return call.error(error, Errc::storage_unknown);
    }
    return method->invoke(call);
}

} // namespace tamga::protocol::ncalayer

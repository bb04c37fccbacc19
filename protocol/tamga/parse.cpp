#include "protocol/strict_json.hpp"
#include "protocol/tamga/members.hpp"
#include "protocol/tamga/words.hpp"

#include <charconv>
#include <functional>

namespace tamga::protocol::v1 {

namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 16;

// Of JSON-RPC 2.0, section 5.1.
constexpr int parse_error = -32700;
constexpr int invalid_request = -32600;
constexpr int method_not_found = -32601;

constexpr std::string_view eku_client_auth = "1.3.6.1.5.5.7.3.2";
constexpr std::string_view eku_email_protection = "1.3.6.1.5.5.7.3.4";

constexpr std::array<std::pair<std::string_view, Language>, 3> languages{
    {{"kk", Language::kk}, {"ru", Language::ru}, {"en", Language::en}}};

/// To sign in there is `authenticate`, and nothing else.
constexpr std::array<std::pair<std::string_view, Use>, 3> purposes{
    {{"document", Use::document}, {"service_request", Use::service_request}, {"key_account", Use::key_account}}};

/// What the NCA writes into extendedKeyUsage of people who may act for an organisation, and of the others.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> roles{
    {{"any", ""},
     {"individual", "1.2.398.3.3.4.1.1"},
     {"organisation", "1.2.398.3.3.4.1.2"},
     {"head", "1.2.398.3.3.4.1.2.1"},
     {"signatory", "1.2.398.3.3.4.1.2.2"},
     {"financial_signatory", "1.2.398.3.3.4.1.2.3"},
     {"personnel_officer", "1.2.398.3.3.4.1.2.4"},
     {"employee", "1.2.398.3.3.4.1.2.5"}}};

bool is_id_number(std::string_view text) {
    return text.empty() ||
           (text.size() == 12 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }));
}
bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string id_number(Members& members, std::string_view name) {
    auto number = members.text(name, longest_identifier);
    if (!is_id_number(number)) members.wrong(name, "is not 12 digits");
    return number;
}
std::string identifier(Members& members, std::string_view name) {
    auto text = members.text(name, longest_identifier);
    if (!is_printable(text)) members.wrong(name, "is more than printable ASCII");
    return text;
}
std::string needed_identifier(Members& members, std::string_view name) {
    auto text = members.needed_text(name, longest_identifier);
    if (!is_printable(text)) members.wrong(name, "is more than printable ASCII");
    return text;
}

// ---- what several methods have ----

struct Signer {
    ipc::KeyFilter filter;
    std::vector<std::string> storages;
};

/// `usage`: what every key must be for.
Signer signer_of(Members& params, std::string_view usage) {
    Signer signer;
    if (!usage.empty()) signer.filter.extended_key_usages.emplace_back(usage);
    auto* const object = params.object("signer");
    if (object == nullptr) return signer;
    Members members{*object, params.path_of("signer")};
    signer.filter.iin = id_number(members, "iin");
    signer.filter.bin = id_number(members, "bin");
    signer.filter.serial_number = identifier(members, "serial_number");
    if (auto const role = members.word("role", roles); !role.empty())
        signer.filter.extended_key_usages.emplace_back(role);
    for (auto& oid : members.texts("usages", 16, longest_identifier))
        signer.filter.extended_key_usages.push_back(std::move(oid));
    signer.storages = members.texts("storages", 16, longest_identifier);
    params.take(members.end());
    return signer;
}

ipc::DocumentLabel label_of(Members& members) {
    ipc::DocumentLabel label;
    label.title = members.text("title", longest_title);
    label.media_type = identifier(members, "media_type");
    return label;
}

/// Base64, text or the name of an upload: exactly one of them.
Source source_of(Members& members) {
    Source source;
    auto* const content = members.find("content");
    auto* const text = members.find("text");
    auto* const upload = members.find("upload");
    if (int{content != nullptr} + int{text != nullptr} + int{upload != nullptr} != 1) {
        members.wrong("content", "is missing, or is not alone: one of content, text and upload is needed");
        return source;
    }
    if (content != nullptr) source.octets = members.octets("content", content);
    if (text != nullptr && text->is_string()) {
        auto const& words = text->get_string();
        source.octets = to_bytes(as_view({words.data(), words.size()}));
        *text = nullptr;
    } else if (text != nullptr) {
        members.wrong("text", "is no text");
    }
    if (upload != nullptr) source.upload = needed_identifier(members, "upload");
    return source;
}

Source source_in(Members& params, std::string_view name) {
    auto* const object = params.object(name);
    if (object == nullptr) return {};
    Members members{*object, params.path_of(name)};
    auto source = source_of(members);
    params.take(members.end());
    return source;
}

// ---- the methods ----

Method hello(Members& params) {
    Hello hello;
    if (params.find("language") != nullptr) hello.language = params.word("language", languages);
    if (auto* const object = params.object("terminal")) {
        Members members{*object, params.path_of("terminal")};
        hello.terminal.path = needed_identifier(members, "path");
        hello.terminal.type = needed_identifier(members, "type");
        params.take(members.end());
    }
    return hello;
}

Method list_tokens(Members&) {
    return ListTokens{};
}
Method subscribe(Members&) {
    return SubscribeToTokens{};
}
Method unsubscribe(Members&) {
    return UnsubscribeFromTokens{};
}

Method list_certificates(Members& params) {
    auto signer = signer_of(params, {});
    return ListCertificates{{std::move(signer.storages), std::move(signer.filter)}};
}

Claim claim_of(Members& params) {
    Claim claim;
    claim.use = params.needed_word("purpose", purposes);
    claim.service = identifier(params, "service");
    bool const is_request = claim.use == Use::service_request;
    if (is_request && claim.service.empty()) params.wrong("service", "is missing: a service_request names its service");
    if (!is_request && !claim.service.empty()) params.wrong("service", "goes with the purpose service_request alone");
    auto* const object = params.object("on_behalf_of");
    if (object == nullptr) return claim;
    Members members{*object, params.path_of("on_behalf_of")};
    claim.on_behalf_of.name = members.needed_text("name", longest_name);
    claim.on_behalf_of.id_number = id_number(members, "id_number");
    claim.on_behalf_of.authority = members.text("authority", longest_name);
    params.take(members.end());
    return claim;
}

void take_documents(Members& params, SignDocuments& method) {
    auto* const list = params.needed_array("documents", max_documents);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        auto const name = "documents[" + std::to_string(i) + ']';
        auto* const object = (*list)[i].if_object();
        if (object == nullptr) return params.wrong(name, "is no object");
        Members members{*object, params.path_of(name)};
        auto source = source_of(members);
        method.sign.labels.push_back(label_of(members));
        method.sign.documents.push_back(std::move(source.octets));
        method.uploads.push_back(std::move(source.upload));
        auto const read = members.end();
        params.take(read);
        if (!read) return;
    }
}

/// What goes with one format alone.
void take_options(Members& params, Sign& sign) {
    sign.attached = params.flag("attached", false);
    sign.timestamp = params.flag("timestamp", false);
    sign.to_be_signed_xpath = params.text("element", longest_title);
    sign.signature_parent_xpath = params.text("signature_parent", longest_title);
    if (sign.attached && sign.format != Format::cms) params.wrong("attached", "goes with the format cms alone");
    if (sign.timestamp && sign.format != Format::cms) params.wrong("timestamp", "goes with the format cms alone");
    bool const has_place = !sign.to_be_signed_xpath.empty() || !sign.signature_parent_xpath.empty();
    if (has_place && sign.format != Format::xml) params.wrong("element", "goes with the format xml alone");
}

Method sign(Members& params) {
    SignDocuments method;
    method.sign.claim = claim_of(params);
    method.sign.format = params.needed_word("format", formats);
    take_options(params, method.sign);
    auto signer = signer_of(params, eku_email_protection);
    method.sign.filter = std::move(signer.filter);
    method.sign.storages = std::move(signer.storages);
    take_documents(params, method);
    return method;
}

Method authenticate(Members& params) {
    Authenticate method;
    method.challenge = params.octets("challenge", params.need("challenge"));
    auto signer = signer_of(params, eku_client_auth);
    method.filter = std::move(signer.filter);
    method.storages = std::move(signer.storages);
    return method;
}

Method begin_upload(Members& params) {
    BeginUpload method;
    if (params.find("size") == nullptr) params.wrong("size", "is missing");
    method.size = static_cast<std::uint64_t>(params.number("size", 0).value_or(0));
    method.label = label_of(params);
    for (auto const& word : params.texts("digests", digest_words.size(), longest_identifier)) {
        auto const found = std::ranges::find(digest_words, word, &DigestWord::word);
        if (found == digest_words.end()) params.wrong("digests", "has a digest that is not known here");
        if (found != digest_words.end()) method.digests.emplace_back(found->oid);
    }
    return method;
}

Method end_upload(Members& params) {
    return EndUpload{needed_identifier(params, "upload")};
}
Method drop_upload(Members& params) {
    return DropUpload{needed_identifier(params, "upload")};
}

Method verify(Members& params) {
    Verify method;
    if (params.find("document") == nullptr) params.wrong("document", "is missing");
    method.signed_document = source_in(params, "document");
    if (params.find("content") != nullptr) method.content = source_in(params, "content");
    method.at = params.number("at", 0);
    return method;
}

Method cancel(Members& params) {
    auto const* member = params.need("id");
    auto const id = member == nullptr ? std::nullopt : id_of(*member);
    if (member != nullptr && !id) params.wrong("id", "is no id of a request");
    return Cancel{id.value_or(Id{})};
}

// ---- work on keys ----

constexpr std::size_t most_pairs = 4; ///< of one application
constexpr std::size_t most_files = 16;
constexpr std::size_t longest_label = 64;
constexpr std::size_t longest_serial = 64;

constexpr std::array<std::pair<std::string_view, ipc::PairKind>, 4> pair_kinds{
    {{"rsa-2048", ipc::PairKind::rsa_2048},
     {"ec-p256", ipc::PairKind::ec_p256},
     {"gost2015-256", ipc::PairKind::gost2015_256},
     {"gost2015-512", ipc::PairKind::gost2015_512}}};

TokenWanted token_of(Members& params) {
    TokenWanted token;
    auto* const object = params.object("token");
    if (object == nullptr) return token;
    Members members{*object, params.path_of("token")};
    token.storage = identifier(members, "storage");
    token.serial = members.text("serial", longest_serial);
    params.take(members.end());
    return token;
}

/// Lower-case hexadecimal, two digits an octet.
Bytes identifier_of_pair(Members& params) {
    auto const text = params.needed_text("id", longest_identifier);
    Bytes id;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        unsigned octet = 0;
        std::from_chars(text.data() + i, text.data() + i + 2, octet, 16);
        id.push_back(static_cast<unsigned char>(octet));
    }
    if (to_hex(id) != text) params.wrong("id", "is no lower-case hexadecimal of whole octets");
    return id;
}

Method list_keys(Members& params) {
    return ListKeys{token_of(params)};
}

Method renew_keys(Members& params) {
    RenewKeys method;
    method.application = identifier(params, "application");
    method.token = token_of(params);
    method.email = params.text("email", longest_name);
    auto* const list = params.array("keys", most_pairs);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        auto const name = "keys[" + std::to_string(i) + ']';
        auto* const object = (*list)[i].if_object();
        if (object == nullptr) return params.wrong(name, "is no object"), method;
        Members members{*object, params.path_of(name)};
        PairWanted wanted;
        wanted.certificate = members.octets("certificate", members.need("certificate"));
        if (members.find("kind") != nullptr) wanted.kind = members.word("kind", pair_kinds);
        params.take(members.end());
        method.keys.push_back(std::move(wanted));
    }
    bool const is_new = method.application.empty();
    if (is_new && method.keys.empty()) params.wrong("keys", "is missing: which certificates are to be renewed");
    if (!is_new && !(method.keys.empty() && method.email.empty()))
        params.wrong("application", "is gone on with as it is: it takes no keys and no email");
    return method;
}

Method install_certificates(Members& params) {
    InstallCertificates method;
    method.application = identifier(params, "application");
    method.token = token_of(params);
    auto* const list = params.needed_array("files", most_files);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i)
        method.files.push_back(params.octets("files[" + std::to_string(i) + ']', &(*list)[i]));
    return method;
}

Method delete_key(Members& params) {
    DeleteKey method;
    method.token = token_of(params);
    method.id = identifier_of_pair(params);
    method.public_key = params.octets("public_key", params.need("public_key"));
    return method;
}

Method label_key(Members& params) {
    LabelKey method;
    method.token = token_of(params);
    method.id = identifier_of_pair(params);
    method.label = params.needed_text("label", longest_label);
    return method;
}

Method change_pin(Members& params) {
    return ChangePin{token_of(params)};
}
Method unblock_pin(Members& params) {
    return UnblockPin{token_of(params)};
}
Method list_applications(Members&) {
    return ListApplications{};
}
Method show_application(Members& params) {
    return ShowApplication{needed_identifier(params, "application")};
}
Method note_submission(Members& params) {
    NoteSubmission method;
    method.application = needed_identifier(params, "application");
    method.portal_number = params.text("portal_number", longest_identifier);
    return method;
}

Method status_link(Members&) {
    return LinkToStatus{};
}

struct Known {
    std::string_view name;
    Method (*read)(Members&);
    Reserved reserved = Reserved::no;
};
constexpr Known known[] = {
    {"hello", hello},
    {"tokens.list", list_tokens},
    {"tokens.subscribe", subscribe},
    {"tokens.unsubscribe", unsubscribe},
    {"certificates.list", list_certificates},
    {"sign", sign},
    {"authenticate", authenticate},
    {"upload.begin", begin_upload},
    {"upload.end", end_upload},
    {"upload.drop", drop_upload},
    {"verify", verify},
    {"cancel", cancel},
    {"keys.list", list_keys, Reserved::granted},
    {"keys.renew", renew_keys, Reserved::granted},
    {"keys.install", install_certificates, Reserved::granted},
    {"keys.delete", delete_key, Reserved::commands},
    {"keys.label", label_key, Reserved::commands},
    {"pin.change", change_pin, Reserved::granted},
    {"pin.unblock", unblock_pin, Reserved::commands},
    {"applications.list", list_applications, Reserved::granted},
    {"applications.show", show_application, Reserved::granted},
    {"applications.submitted", note_submission, Reserved::granted},
    {"status.link", status_link},
};
static_assert(std::size(known) == std::variant_size_v<Method>, "in the order of Method");

Refusal refuse(std::optional<Id> id, int code, std::string detail, Errc word = Errc::bad_request) {
    return {std::move(id), {code, word, std::move(detail)}};
}

/// What JSON-RPC itself wants, before the method is looked at. Nothing where it is there.
std::optional<Refusal> envelope_fault(json::object const& object, std::optional<Id> const& id) {
    for (auto const& member : object) {
        std::string_view const name{member.key().data(), member.key().size()};
        auto const members = {"jsonrpc", "id", "method", "params"};
        if (std::ranges::find(members, name) == members.end())
            return refuse(id, invalid_request, "only jsonrpc, id, method and params belong into a request");
    }
    auto const* const marker = object.if_contains("jsonrpc");
    if (marker == nullptr || *marker != "2.0") return refuse(id, invalid_request, "jsonrpc is not \"2.0\"");
    if (!id) return refuse(id, invalid_request, "id is neither a whole number nor a text of 1 to 128 octets");
    auto const* const method = object.if_contains("method");
    if (method == nullptr || !method->is_string()) return refuse(id, invalid_request, "method is no text");
    return std::nullopt;
}

std::variant<Request, Refusal> parse_request(json::object& object) {
    auto const* const name = object.if_contains("id");
    auto const id = name == nullptr ? std::nullopt : id_of(*name);
    if (auto fault = envelope_fault(object, id)) return std::move(*fault);
    auto const& method = object.at("method").get_string();
    auto const* const found = std::ranges::find(known, std::string_view{method.data(), method.size()}, &Known::name);
    if (found == std::end(known)) return refuse(id, method_not_found, "no such method", Errc::unsupported);

    json::object none;
    auto* params = &none;
    if (auto* const given = object.if_contains("params"); given != nullptr) {
        if (!given->is_object()) return refuse(id, invalid_params, "params is no object");
        params = &given->get_object();
    }
    Members members{*params, "params"};
    auto read = found->read(members);
    if (auto const whole = members.end(); !whole) {
        auto const code = whole.error().code == Errc::bad_request ? invalid_params : code_of(whole.error().code);
        return refuse(id, code, whole.error().detail, whole.error().code);
    }
    return Request{*id, std::move(read)};
}

} // namespace

std::string_view name_of(Method const& method) noexcept {
    return known[method.index()].name;
}

Reserved reserved(Method const& method) noexcept {
    return known[method.index()].reserved;
}

std::optional<Id> id_of(json::value const& value) {
    if (value.is_int64()) return Id{value.get_int64()};
    if (!value.is_string()) return std::nullopt;
    auto const& text = value.get_string();
    if (text.empty() || text.size() > longest_identifier) return std::nullopt;
    return Id{std::string{text.data(), text.size()}};
}

std::variant<Request, Refusal> parse(std::string text) {
    auto value = parse_strict_json(text, max_depth);
    std::string{}.swap(text);
    if (!value) return refuse({}, parse_error, value.error().detail);
    if (value->is_array()) return refuse({}, invalid_request, "batches are not taken: send one request a message");
    if (!value->is_object()) return refuse({}, invalid_request, "a request is an object");
    return parse_request(value->get_object());
}

} // namespace tamga::protocol::v1

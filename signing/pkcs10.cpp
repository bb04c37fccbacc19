#include "signing/pkcs10.hpp"

#include "base/base64.hpp"
#include "base/release.hpp"
#include "signing/der.hpp"
#include "signing/foreign_keys.hpp"
#include "signing/strength.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

namespace tamga::signing {

namespace {

constexpr std::string_view oid_extension_request = "1.2.840.113549.1.9.14";
constexpr std::string_view oid_subject_alternative_name = "2.5.29.17";
constexpr std::string_view oid_key_store = "1.2.398.3.3.5";
constexpr unsigned char rfc822_name = 0x81; ///< of GeneralName (RFC 5280, section 4.2.1.6)
constexpr std::size_t longest_email = 254;
constexpr std::size_t longest_identifier = 100;

using KeyPointer = std::unique_ptr<X509_PUBKEY, Release<X509_PUBKEY_free>>;
using RequestPointer = std::unique_ptr<X509_REQ, Release<X509_REQ_free>>;

Error malformed(char const* what) {
    return {Errc::bad_request, what};
}

void free_octets(void* octets) {
    OPENSSL_free(octets);
}
/// What OpenSSL wrote, as octets of ours.
template <class Write>
Bytes written_by(Write write) {
    unsigned char* octets = nullptr;
    auto const size = write(&octets);
    std::unique_ptr<unsigned char, Release<free_octets>> const owner{octets};
    return size < 0 ? Bytes{} : Bytes(octets, octets + size);
}

bool is_email(std::string_view text) {
    auto const at = text.find('@');
    auto const fits = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != ',' && c != '<' && c != '>'; };
    return text.size() <= longest_email && at != text.npos && at > 0 && at + 1 < text.size() &&
           text.find('@', at + 1) == text.npos && std::ranges::all_of(text, fits);
}

bool is_identifier(std::string const& text) {
    if (text.empty() || text.size() > longest_identifier) return false;
    auto const is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
    if (!std::ranges::all_of(text, is_part)) return false;
    std::unique_ptr<ASN1_OBJECT, Release<ASN1_OBJECT_free>> const object{OBJ_txt2obj(text.c_str(), 1)};
    ERR_clear_error();
    // Written again it is the same: no leading zeros, nothing left off.
    return object && der::dotted(der::oid(text)) == text;
}

Bytes extension(std::string_view identifier, View value) {
    return der::element(der::sequence, {der::oid(identifier), der::element(der::octet_string, {value})});
}

/// Attributes of the request: none, or the one that asks for extensions (RFC 2985, section 5.4.2).
Bytes attributes_of(RequestContent const& content) {
    Bytes extensions;
    if (!content.email.empty()) {
        auto const name = der::element(rfc822_name, {as_view(content.email)});
        der::append(extensions, extension(oid_subject_alternative_name, der::element(der::sequence, {name})));
    }
    if (!content.key_store.empty())
        der::append(extensions, extension(oid_key_store, der::element(der::sequence, {der::oid(content.key_store)})));
    if (extensions.empty()) return der::element(der::context_0, {});
    auto const list = der::element(der::sequence, {extensions});
    auto const attribute =
        der::element(der::sequence, {der::oid(oid_extension_request), der::element(der::set, {list})});
    return der::element(der::context_0, {attribute});
}

/// What is inside the extension `identifier` of the attributes; empty where it is not there.
View extension_in(View attributes, std::string_view identifier) {
    auto const attribute = der::take(attributes, der::sequence);
    auto rest = attribute ? attribute->content : View{};
    der::take(rest, der::object_identifier);
    auto const values = der::take(rest, der::set);
    rest = values ? values->content : View{};
    auto const list = der::take(rest, der::sequence);
    rest = list ? list->content : View{};
    auto const wanted = der::oid(identifier);
    while (auto const each = der::take(rest, der::sequence)) {
        auto parts = each->content;
        auto const name = der::take(parts, der::object_identifier);
        auto const value = der::take(parts, der::octet_string);
        if (!name || !value || !std::ranges::equal(name->octets, wanted)) continue;
        auto inner = value->content;
        auto const sequence = der::take(inner, der::sequence);
        return sequence ? sequence->content : View{};
    }
    return {};
}

RequestPointer parsed(View der) {
    teach_openssl();
    auto const* at = der.data();
    RequestPointer request{d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    return request;
}

} // namespace

Result<PublicKey> read_public_key(View der) {
    teach_openssl();
    auto const* at = der.data();
    KeyPointer const key{d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    if (!key) return malformed("no public key");
    auto const written = written_by([&](unsigned char** out) { return i2d_X509_PUBKEY(key.get(), out); });
    if (!std::ranges::equal(written, der)) return malformed("not one DER public key");
    auto const* decoded = X509_PUBKEY_get0(key.get());
    auto const* algorithm = decoded == nullptr ? nullptr : algorithm_of(key.get());
    ERR_clear_error();
    if (algorithm == nullptr) return Error{Errc::mechanism_unsupported, "kind of the public key"};
    if (!is_strong_key(decoded)) return Error{Errc::mechanism_unsupported, "an RSA key under 2048 bits"};
    return PublicKey{written, algorithm};
}

PublicKey public_key_of(Certificate const& certificate) {
    auto* const key = X509_get_X509_PUBKEY(certificate.x509());
    return {written_by([&](unsigned char** out) { return i2d_X509_PUBKEY(key, out); }), &certificate.algorithm()};
}

RequestContent renewal_of(Certificate const& present, PublicKey key) {
    // OpenSSL keeps a name's octets as they came.
    auto* const subject = X509_get_subject_name(present.x509());
    auto octets = written_by([&](unsigned char** out) { return i2d_X509_NAME(subject, out); });
    return {std::move(octets), std::move(key), {}, {}};
}

Result<Bytes> prepare_request(RequestContent const& content) {
    if (!name_in_words(content.subject)) return malformed("subject of the request");
    if (content.key.algorithm == nullptr || content.key.der.empty()) return malformed("key of the request");
    if (!content.email.empty() && !is_email(content.email)) return malformed("e-mail address");
    if (!content.key_store.empty() && !is_identifier(content.key_store))
        return malformed("identifier of the key store");
    static constexpr unsigned char version = 0;
    return der::element(der::sequence, {der::element(der::integer, {{&version, 1}}), content.subject, content.key.der,
                                        attributes_of(content)});
}

Result<RequestContent> parse_request_info(View octets) {
    auto rest = octets;
    auto const info = der::take(rest, der::sequence);
    rest = info ? info->content : View{};
    der::take(rest, der::integer);
    auto const subject = der::take(rest, der::sequence);
    auto const key = der::take(rest, der::sequence);
    auto const attributes = der::take(rest, der::context_0);
    if (!subject || !key || !attributes) return malformed("no CertificationRequestInfo");
    auto public_key = read_public_key(key->octets);
    if (!public_key) return public_key.error();

    RequestContent content{to_bytes(subject->octets), std::move(*public_key), {}, {}};
    auto names = extension_in(attributes->content, oid_subject_alternative_name);
    if (auto const name = der::take(names, rfc822_name)) content.email = std::string{as_text(name->content)};
    auto stores = extension_in(attributes->content, oid_key_store);
    if (auto const store = der::take(stores, der::object_identifier)) content.key_store = der::dotted(store->octets);

    auto const same = prepare_request(content);
    if (!same || !std::ranges::equal(*same, octets)) return malformed("CertificationRequestInfo: not exactly ours");
    return content;
}

Result<Bytes> finish_request(View to_be_signed, View raw_signature) {
    auto const content = parse_request_info(to_be_signed);
    if (!content) return content.error();
    auto const& algorithm = *content->key.algorithm;
    auto const value = to_cms_signature(algorithm, raw_signature);
    if (!value) return value.error();
    static constexpr unsigned char no_unused_bits = 0;
    auto request = der::element(
        der::sequence,
        {to_be_signed, der::algorithm_identifier(algorithm.signature_oid, algorithm.signature_parameters_null),
         der::element(der::bit_string, {{&no_unused_bits, 1}, *value})});
    if (auto const read = read_request(request); !read) return read.error();
    return request;
}

Result<RequestContent> read_request(View der) {
    auto const request = parsed(der);
    auto rest = der;
    auto const whole = der::take(rest, der::sequence);
    auto parts = whole ? whole->content : View{};
    auto const info = der::take(parts, der::sequence);
    if (!request || !info || !rest.empty()) return malformed("not one PKCS#10 request");
    auto content = parse_request_info(info->octets);
    if (!content) return content.error();
    if (auto usable = available(*content->key.algorithm); !usable) return usable.error();
    bool const valid = X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) == 1;
    ERR_clear_error();
    if (!valid) return Error{Errc::signature_invalid, "not by the key in the request"};
    return content;
}

std::string request_pem(View der) {
    return "-----BEGIN CERTIFICATE REQUEST-----\n" + to_base64_lines(der, 64) + "-----END CERTIFICATE REQUEST-----\n";
}

} // namespace tamga::signing

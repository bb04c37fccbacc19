#include "signing/signed_data.hpp"

#include "base/base64.hpp"
#include "signing/to_be_signed.hpp"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace tamga::signing {

namespace {

constexpr unsigned max_segment_depth = 8;

/// Appends the octets of an OCTET STRING, which BER may have cut into segments.
bool append_octet_string(Bytes& out, der::Element const& string, unsigned depth) {
    if (string.tag == der::octet_string) {
        der::append(out, string.content);
        return true;
    }
    if (string.tag != der::constructed_octet_string || depth == 0) return false;
    auto rest = string.content;
    while (auto const segment = der::take(rest)) {
        if (!append_octet_string(out, *segment, depth - 1)) return false;
    }
    return rest.empty();
}

/// The dotted identifier of an AlgorithmIdentifier.
std::string algorithm_name(View identifier) {
    auto const sequence = der::take(identifier, der::sequence);
    auto rest = sequence ? sequence->content : View{};
    auto const oid = der::take(rest, der::object_identifier);
    return oid ? der::dotted(oid->octets) : std::string{};
}

bool is_named(Certificate const& certificate, View identifier) {
    if (std::ranges::equal(certificate.issuer_and_serial_number(), identifier)) return true;
    auto rest = identifier;
    auto const key = der::take(rest, der::primitive_0);
    auto const* own = ::X509_get0_subject_key_id(certificate.x509());
    return key && own != nullptr &&
           std::ranges::equal(key->content,
                              View{::ASN1_STRING_get0_data(own), static_cast<std::size_t>(::ASN1_STRING_length(own))});
}

/// Names that a signature by a key of this kind goes by: with its digest, or (as OpenSSL, and the NCA's software before
/// 2015, write it) as the key alone.
bool fits(Algorithm const& algorithm, DigestAlgorithm method, std::string_view name) {
    if (name == algorithm.key_oid) return true;
    if (algorithm.foreign != nullptr) return name == algorithm.signature_oid;
    bool const rsa = algorithm.key == KeyAlgorithm::rsa;
    switch (method) {
    case DigestAlgorithm::sha256: return name == (rsa ? "1.2.840.113549.1.1.11" : "1.2.840.10045.4.3.2");
    case DigestAlgorithm::sha384: return name == (rsa ? "1.2.840.113549.1.1.12" : "1.2.840.10045.4.3.3");
    case DigestAlgorithm::sha512: return name == (rsa ? "1.2.840.113549.1.1.13" : "1.2.840.10045.4.3.4");
    case DigestAlgorithm::streebog512:
    case DigestAlgorithm::streebog256:
    case DigestAlgorithm::gost34311: break;
    }
    return false;
}

/// The digest in the first ESSCertID or ESSCertIDv2 of a SigningCertificate attribute, with what it is a digest by.
bool is_certificate_id(View value, Certificate const& certificate, bool version_2) {
    auto const attribute = der::take(value, der::sequence);
    auto rest = attribute ? attribute->content : View{};
    auto const identifiers = der::take(rest, der::sequence);
    rest = identifiers ? identifiers->content : View{};
    auto const first = der::take(rest, der::sequence);
    rest = first ? first->content : View{};
    auto method = DigestAlgorithm::sha256; // the default of version 2
    if (version_2 && !rest.empty() && rest[0] == der::sequence) {
        auto const algorithm = der::take(rest, der::sequence);
        auto const named = algorithm ? digest_by_oid(algorithm_name(algorithm->octets)) : std::nullopt;
        if (!named) return false;
        method = *named;
    }
    auto const hash = der::take(rest, der::octet_string);
    if (!hash) return false;
    if (version_2) {
        auto const own = digest(method, certificate.der());
        return own && std::ranges::equal(hash->content, *own);
    }
    // SHA-1 by definition (RFC 2634, section 5.4): it tells certificates apart, it signs nothing.
    std::array<unsigned char, 20> own{};
    ::EVP_Digest(certificate.der().data(), certificate.der().size(), own.data(), nullptr, ::EVP_sha1(), nullptr);
    return std::ranges::equal(hash->content, own);
}

/// Whether the attribute is there; and if so, whether it names this certificate.
std::optional<bool> named_in_attributes(View attributes, Certificate const& certificate) {
    auto const version_2 = attribute_values(attributes, oid_signing_certificate_v2);
    if (!version_2.empty()) return is_certificate_id(version_2.front(), certificate, true);
    auto const version_1 = attribute_values(attributes, oid_signing_certificate);
    if (!version_1.empty()) return is_certificate_id(version_1.front(), certificate, false);
    return std::nullopt;
}

Error malformed(char const* detail) {
    return {Errc::cms_malformed, detail};
}

bool is_digest(View value, EVP_MD const* method, View content) {
    if (value.size() != static_cast<std::size_t>(::EVP_MD_get_size(method))) return false;
    Bytes own(value.size());
    return ::EVP_Digest(content.data(), content.size(), own.data(), nullptr, method, nullptr) == 1 &&
           std::ranges::equal(value, own);
}

/// Whether `value` is a digest of the content by anything that is known here, accepted or not. The name of the digest
/// is not signed: who changes the content must not get by with a name that nobody knows.
bool is_any_digest(View value, View content) {
    for (auto const& known : digest_names) {
        if (value.size() != known.octets) continue;
        auto const own = digest(known.algorithm, content);
        if (own && std::ranges::equal(value, *own)) return true;
    }
    auto const refused = {::EVP_md5(),      ::EVP_sha1(),     ::EVP_sha224(),
                          ::EVP_sha3_256(), ::EVP_sha3_384(), ::EVP_sha3_512()};
    return std::ranges::any_of(refused, [&](EVP_MD const* method) { return is_digest(value, method, content); });
}

/// Whether the content is what the attributes speak of. Without a method, which nobody knows, it may be by any.
Result<void> check_content(View message_digest, std::optional<DigestAlgorithm> method, View content) {
    bool same = false;
    if (method) {
        auto const own = digest(*method, content);
        if (!own) return own.error();
        same = std::ranges::equal(*own, message_digest);
    } else {
        same = is_any_digest(message_digest, content);
    }
    return same ? ok() : Result<void>{Error{Errc::signature_invalid, "the content is not what was signed"}};
}

/// The attributes that every signer must have, against the content where that is here.
Result<void> check_attributes(SignedData const& data, View attributes, std::optional<DigestAlgorithm> method,
                              std::optional<View> content) {
    auto const types = attribute_values(attributes, oid_content_type);
    auto const digests = attribute_values(attributes, oid_message_digest);
    if (types.size() != 1 || !std::ranges::equal(types.front(), data.content_type)) return malformed("contentType");
    if (digests.size() != 1) return malformed("messageDigest");
    auto value = digests.front();
    auto const message_digest = der::take(value, der::octet_string);
    if (!message_digest) return malformed("messageDigest");
    return content ? check_content(message_digest->content, method, *content) : ok();
}

/// The digest that is signed: of the attributes, or of the content itself.
Result<Bytes> signed_digest(SignedData const& data, SignerInfo const& signer, DigestAlgorithm method,
                            std::optional<View> content) {
    if (!signer.signed_attributes) {
        if (!std::ranges::equal(data.content_type, der::oid(oid_data))) return malformed("no signed attributes");
        if (!content) return malformed("no signed attributes, and the content is not here");
        // Signed attributes are signed as just these octets: another document's, put in place of the content.
        if (is_set_of_attributes(*content)) return malformed("the content is the attributes of another signature");
        return digest(method, *content);
    }
    // Signed as SET OF, DER (section 5.4).
    auto const all = der::members(signer.signed_attributes->content);
    if (!all) return malformed("signed attributes");
    std::vector<Bytes> sorted;
    for (auto const& member : *all)
        sorted.push_back(to_bytes(member.octets));
    return digest(method, der::set_of(der::set, std::move(sorted)));
}

Result<void> verify_signer(SignedData const& data, SignerInfo const& signer, CheckedSigner& checked,
                           std::optional<View> content) {
    auto const digest_name = algorithm_name(signer.digest_algorithm);
    checked.method = digest_by_oid(digest_name);
    if (signer.signed_attributes) { // first, for it needs nothing that a stranger could take away
        auto const agrees = check_attributes(data, signer.signed_attributes->content, checked.method, content);
        if (!agrees && agrees.error().code == Errc::signature_invalid) checked.fault.kind = FaultKind::content_changed;
        if (!agrees) return agrees;
    }
    if (!checked.certificate) return Error{Errc::key_not_found, "the signer's certificate is not in the CMS"};
    if (!checked.method) {
        checked.fault = {FaultKind::digest_unsupported, algorithm_label(digest_name)};
        return Error{Errc::mechanism_unsupported, "digest algorithm " + checked.fault.algorithm};
    }
    auto const signature_name = algorithm_name(signer.signature_algorithm);
    if (!fits(checked.certificate->algorithm(), *checked.method, signature_name)) {
        checked.fault = {FaultKind::method_unsupported, algorithm_label(signature_name)};
        return Error{Errc::mechanism_unsupported, "signature algorithm " + checked.fault.algorithm};
    }
    auto const hashed = signed_digest(data, signer, *checked.method, content);
    if (!hashed) return hashed.error();
    if (signer.signed_attributes) {
        auto const named = named_in_attributes(signer.signed_attributes->content, *checked.certificate);
        if (named && !*named) {
            checked.fault.kind = FaultKind::another_certificate;
            return Error{Errc::signature_invalid, "the attributes name another certificate"};
        }
        checked.names_certificate = named.has_value();
    }
    auto verified = verify_value(*checked.certificate, *checked.method, *hashed, signer.value);
    if (!verified && verified.error().code == Errc::mechanism_unsupported) {
        checked.fault = {FaultKind::method_unsupported, algorithm_label(signature_name)};
    }
    return verified;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view white = " \t\r\n";
    auto const first = std::min(text.find_first_not_of(white), text.size());
    return text.substr(first, text.find_last_not_of(white) + 1 - first);
}

} // namespace

std::optional<SignedData> read_signed_data(View octets) {
    auto const content_info = der::take(octets, der::sequence);
    if (!content_info || !octets.empty()) return std::nullopt;
    auto rest = content_info->content;
    auto const type = der::take(rest, der::object_identifier);
    if (!type || !std::ranges::equal(type->octets, der::oid(oid_signed_data))) return std::nullopt;
    auto explicit_content = der::take(rest, der::context_0);
    if (!explicit_content || !rest.empty()) return std::nullopt;
    auto const sequence = der::take(explicit_content->content, der::sequence);
    if (!sequence || !explicit_content->content.empty()) return std::nullopt;

    rest = sequence->content;
    auto const version = der::take(rest, der::integer);
    auto const digest_algorithms = der::take(rest, der::set);
    auto const encapsulated = der::take(rest, der::sequence);
    auto const certificates = der::take(rest, der::context_0);
    auto const crls = der::take(rest, der::context_1);
    auto const signers = der::take(rest, der::set);
    if (!version || !digest_algorithms || !encapsulated || !signers || !rest.empty()) return std::nullopt;
    rest = encapsulated->content;
    auto const content_type = der::take(rest, der::object_identifier);
    if (!content_type) return std::nullopt;
    return SignedData{.version = version->octets,
                      .digest_algorithms = digest_algorithms->octets,
                      .content_info = encapsulated->octets,
                      .content_type = content_type->octets,
                      .content = rest,
                      .certificates = certificates ? certificates->content : View{},
                      .crls = crls ? crls->octets : View{},
                      .signers = signers->content};
}

std::optional<SignerInfo> read_signer_info(View octets) {
    auto rest = octets;
    auto const sequence = der::take(rest, der::sequence);
    if (!sequence || !rest.empty()) return std::nullopt;
    rest = sequence->content;
    auto const version = der::take(rest, der::integer);
    auto const identifier = der::take(rest);
    auto const digest_algorithm = der::take(rest, der::sequence);
    auto const signed_attributes = der::take(rest, der::context_0);
    auto const signature_algorithm = der::take(rest, der::sequence);
    auto const value = der::take(rest, der::octet_string);
    auto const unsigned_attributes = der::take(rest, der::context_1);
    if (!version || !identifier || !digest_algorithm || !signature_algorithm || !value || !rest.empty()) {
        return std::nullopt;
    }
    return SignerInfo{.octets = octets,
                      .identifier = identifier->octets,
                      .digest_algorithm = digest_algorithm->octets,
                      .signed_attributes = signed_attributes,
                      .signature_algorithm = signature_algorithm->octets,
                      .value = value->content,
                      .unsigned_attributes = unsigned_attributes};
}

std::optional<Bytes> octets_of_pem(std::string_view text) {
    constexpr std::string_view before = "-----BEGIN ";
    constexpr std::string_view dashes = "-----";
    text = trimmed(text);
    if (!text.starts_with(before)) return std::nullopt;
    text.remove_prefix(before.size());
    auto const label_end = text.find(dashes);
    if (label_end == std::string_view::npos) return std::nullopt;
    auto const end = "-----END " + std::string{text.substr(0, label_end)} + "-----";
    text.remove_prefix(label_end + dashes.size());
    if (!text.ends_with(end)) return std::nullopt;
    text.remove_suffix(end.size());
    auto octets = from_base64(text, Base64Whitespace::skipped); // a second block has dashes, which are no base64
    return octets ? std::optional{std::move(*octets)} : std::nullopt;
}

Result<std::optional<Bytes>> content_of(SignedData const& data) {
    auto rest = data.content;
    auto const content = der::take(rest, der::context_0);
    if (!content && rest.empty()) return std::optional<Bytes>{};
    auto strings = content ? content->content : View{};
    auto const string = der::take(strings);
    Bytes octets;
    if (!string || !rest.empty() || !strings.empty() || !append_octet_string(octets, *string, max_segment_depth)) {
        return malformed("content is no OCTET STRING");
    }
    return std::optional{std::move(octets)};
}

std::vector<View> attribute_values(View attributes, std::string_view type) {
    auto const wanted = der::oid(type);
    std::vector<View> found;
    while (auto attribute = der::take(attributes, der::sequence)) {
        auto const identifier = der::take(attribute->content, der::object_identifier);
        if (!identifier || !std::ranges::equal(identifier->octets, wanted)) continue;
        auto const values = der::take(attribute->content, der::set);
        auto rest = values ? values->content : View{};
        while (auto const value = der::take(rest))
            found.push_back(value->octets);
    }
    return found;
}

std::vector<Certificate> certificates_of(SignedData const& data) {
    std::vector<Certificate> found;
    auto rest = data.certificates;
    while (auto const member = der::take(rest)) {
        if (auto certificate = Certificate::parse(member->octets)) found.push_back(std::move(*certificate));
    }
    return found;
}

CheckedSigner check_signer(SignedData const& data, SignerInfo const& signer, std::optional<View> content,
                           std::vector<Certificate> const& certificates) {
    CheckedSigner checked;
    for (auto const& certificate : certificates) {
        if (!checked.certificate && is_named(certificate, signer.identifier)) checked.certificate = certificate;
    }
    checked.value = to_bytes(signer.value);
    if (signer.signed_attributes) {
        auto const times = attribute_values(signer.signed_attributes->content, oid_signing_time);
        auto time = times.empty() ? View{} : times.front();
        if (auto const element = der::take(time)) checked.signing_time = der::seconds(*element);
    }
    if (signer.unsigned_attributes) {
        for (auto const token : attribute_values(signer.unsigned_attributes->content, oid_timestamp_token))
            checked.timestamps.push_back(to_bytes(token));
    }
    checked.signature = verify_signer(data, signer, checked, content);
    if (!checked.signature && checked.fault.kind == FaultKind::none) {
        checked.fault.kind = fault_of(checked.signature.error().code);
    }
    return checked;
}

} // namespace tamga::signing

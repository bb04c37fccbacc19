#include "signing/cms.hpp"

#include "signing/der.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>

namespace tamga::signing {

namespace {

constexpr std::string_view oid_data = "1.2.840.113549.1.7.1";
constexpr std::string_view oid_signed_data = "1.2.840.113549.1.7.2";
constexpr unsigned max_segment_depth = 8;

/// What stands in a SignedData (RFC 5652, section 5.1), borrowed. The views of sets are their members.
struct SignedData {
    View digest_algorithms;
    View content_type;
    View content; ///< the elements behind eContentType: [0] EXPLICIT OCTET STRING, or none
    View certificates;
    View crls; ///< the whole [1] element, or nothing
    View signers;
};

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
    auto encapsulated = der::take(rest, der::sequence);
    auto const certificates = der::take(rest, der::context_0);
    auto const crls = der::take(rest, der::context_1);
    auto const signers = der::take(rest, der::set);
    if (!version || !digest_algorithms || !encapsulated || !signers || !rest.empty()) return std::nullopt;
    auto const content_type = der::take(encapsulated->content, der::object_identifier);
    if (!content_type) return std::nullopt;
    return SignedData{.digest_algorithms = digest_algorithms->content,
                      .content_type = content_type->octets,
                      .content = encapsulated->content,
                      .certificates = certificates ? certificates->content : View{},
                      .crls = crls ? crls->octets : View{},
                      .signers = signers->content};
}

/// The members of a SET OF; nothing where something is left over that is no element.
std::optional<std::vector<Bytes>> members(View set) {
    std::vector<Bytes> found;
    while (auto const member = der::take(set))
        found.push_back(to_bytes(member->octets));
    if (!set.empty()) return std::nullopt;
    return found;
}

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

Bytes algorithm_identifier(std::string_view oid, bool with_null) {
    auto const parameters = with_null ? der::element(der::null, {}) : Bytes{};
    return der::element(der::sequence, {der::oid(oid), parameters});
}

/// Whether two AlgorithmIdentifiers name the same algorithm: one may have NULL where the other has no parameters.
bool same_algorithm(View left, View right) {
    auto const a = der::take(left, der::sequence);
    auto const b = der::take(right, der::sequence);
    auto a_rest = a ? a->content : View{};
    auto b_rest = b ? b->content : View{};
    auto const a_oid = der::take(a_rest, der::object_identifier);
    auto const b_oid = der::take(b_rest, der::object_identifier);
    return a_oid && b_oid && std::ranges::equal(a_oid->octets, b_oid->octets);
}

/// IssuerAndSerialNumber, of the certificate's own octets.
Bytes issuer_and_serial_number(Certificate const& certificate) {
    View rest{certificate.der()};
    rest = der::take(rest, der::sequence)->content;
    rest = der::take(rest, der::sequence)->content;
    der::take(rest, der::context_0);
    auto const serial_number = der::take(rest, der::integer);
    der::take(rest, der::sequence);
    auto const issuer = der::take(rest, der::sequence);
    return der::element(der::sequence, {issuer->octets, serial_number->octets});
}

unsigned char version_of_signer(View signer) {
    auto const sequence = der::take(signer, der::sequence);
    auto rest = sequence ? sequence->content : View{};
    auto const version = der::take(rest, der::integer);
    return version && version->content.size() == 1 ? version->content[0] : 0;
}

/// CMSVersion of a SignedData whose content is id-data (RFC 5652, section 5.1).
unsigned char version_of(std::vector<Bytes> const& certificates, View crls, std::vector<Bytes> const& signers) {
    auto const has_tag = [](std::vector<Bytes> const& list, unsigned char tag) {
        return std::ranges::any_of(list, [tag](Bytes const& member) { return member[0] == tag; });
    };
    auto const crl_set = der::take(crls, der::context_1);
    auto const crl_list = members(crl_set ? crl_set->content : View{}).value_or(std::vector<Bytes>{});
    if (has_tag(certificates, 0xa3) || has_tag(crl_list, 0xa1)) return 5;
    if (has_tag(certificates, 0xa2)) return 4;
    bool const has_version_3 =
        std::ranges::any_of(signers, [](Bytes const& signer) { return version_of_signer(signer) == 3; });
    return has_version_3 || has_tag(certificates, 0xa1) ? 3 : 1;
}

Bytes signer_info(Certificate const& signer, View attributes, View signature) {
    static constexpr unsigned char version = 1;
    auto const& algorithm = signer.algorithm();
    return der::element(der::sequence,
                        {der::element(der::integer, {{&version, 1}}), issuer_and_serial_number(signer),
                         algorithm_identifier(algorithm.digest_oid, true), der::element(der::context_0, {attributes}),
                         algorithm_identifier(algorithm.signature_oid, algorithm.signature_parameters_null),
                         der::element(der::octet_string, {signature})});
}

/// The sets of a SignedData, with this signer in them.
struct Sets {
    std::vector<Bytes> digest_algorithms;
    std::vector<Bytes> certificates;
    Bytes crls;
    std::vector<Bytes> signers;
};

std::optional<Sets> sets_of(ExistingCms const* existing) {
    if (existing == nullptr) return Sets{};
    auto const data = read_signed_data(existing->der());
    if (!data) return std::nullopt;
    auto digest_algorithms = members(data->digest_algorithms);
    auto certificates = members(data->certificates);
    auto signers = members(data->signers);
    if (!digest_algorithms || !certificates || !signers) return std::nullopt;
    return Sets{std::move(*digest_algorithms), std::move(*certificates), to_bytes(data->crls), std::move(*signers)};
}

void add_signer(Sets& sets, Certificate const& signer, Bytes info) {
    auto const digest = algorithm_identifier(signer.algorithm().digest_oid, true);
    auto const is_digest = [&](Bytes const& member) { return same_algorithm(member, digest); };
    if (std::ranges::none_of(sets.digest_algorithms, is_digest)) sets.digest_algorithms.push_back(digest);
    if (std::ranges::count(sets.certificates, signer.der()) == 0) sets.certificates.push_back(signer.der());
    sets.signers.push_back(std::move(info));
}

/// ContentInfo of SignedData. The content is copied once, into the octets returned.
Bytes content_info(Sets const& sets, View content, Encapsulation encapsulation) {
    auto const version = version_of(sets.certificates, sets.crls, sets.signers);
    auto head = der::element(der::integer, {{&version, 1}});
    der::append(head, der::set_of(der::set, sets.digest_algorithms));
    auto tail = der::set_of(der::context_0, sets.certificates);
    der::append(tail, sets.crls);
    der::append(tail, der::set_of(der::set, sets.signers));

    bool const attached = encapsulation == Encapsulation::attached;
    auto const content_type = der::oid(oid_data);
    auto const string_size = der::element_size(content.size());
    auto const encapsulated_length = content_type.size() + (attached ? der::element_size(string_size) : 0);
    auto const data_length = head.size() + der::element_size(encapsulated_length) + tail.size();
    auto const data_size = der::element_size(data_length);
    auto const type = der::oid(oid_signed_data);
    auto const length = type.size() + der::element_size(data_size);

    Bytes out;
    out.reserve(der::element_size(length));
    der::append_header(out, der::sequence, length);
    der::append(out, type);
    der::append_header(out, der::context_0, data_size);
    der::append_header(out, der::sequence, data_length);
    der::append(out, head);
    der::append_header(out, der::sequence, encapsulated_length);
    der::append(out, content_type);
    if (attached) {
        der::append_header(out, der::context_0, string_size);
        der::append_header(out, der::octet_string, content.size());
        der::append(out, content);
    }
    der::append(out, tail);
    return out;
}

} // namespace

std::optional<ExistingCms> ExistingCms::recognise(View octets) {
    if (!read_signed_data(octets)) return std::nullopt;
    ExistingCms cms;
    cms.m_der = to_bytes(octets);
    return cms;
}

Result<Bytes> ExistingCms::content() const {
    auto const data = read_signed_data(m_der);
    if (!data || !std::ranges::equal(data->content_type, der::oid(oid_data))) {
        return Error{Errc::cms_malformed, "content type"};
    }
    auto rest = data->content;
    auto const content = der::take(rest, der::context_0);
    if (!content) return Error{Errc::cms_malformed, "detached: its content is not here"};
    auto strings = content->content;
    auto const string = der::take(strings);
    Bytes octets;
    if (!string || !append_octet_string(octets, *string, max_segment_depth)) {
        return Error{Errc::cms_malformed, "content is no OCTET STRING"};
    }
    return octets;
}

Result<Bytes> prepare_cms(Certificate const& signer, View content_digest, std::int64_t signing_time) {
    if (content_digest.size() != signer.algorithm().digest_size) return Errc::digest_length;
    return signed_attributes(
        {.digest = to_bytes(content_digest), .certificate = signer.fingerprint(), .signing_time = signing_time});
}

Result<Bytes> finish_cms(Certificate const& signer, View to_be_signed, View raw_signature, View content,
                         Encapsulation encapsulation, ExistingCms const* existing) {
    auto const attributes = der::take(to_be_signed, der::set);
    auto const signature = to_cms_signature(signer.algorithm(), raw_signature);
    if (!attributes || !signature) return Error{Errc::internal, "no signed attributes or no signature"};
    auto sets = sets_of(existing);
    if (!sets) return Error{Errc::cms_malformed, "sets of the CMS"};
    add_signer(*sets, signer, signer_info(signer, attributes->content, *signature));
    return content_info(*sets, content, encapsulation);
}

} // namespace tamga::signing

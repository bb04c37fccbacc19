#include "signing/cms.hpp"

#include "signing/der.hpp"
#include "signing/signed_data.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>

namespace tamga::signing {

namespace {

/// The members of a SET OF, each for itself; nothing where something is left over that is no element.
std::optional<std::vector<Bytes>> members(View set) {
    auto const elements = der::members(set);
    if (!elements) return std::nullopt;
    std::vector<Bytes> found;
    for (auto const& element : *elements)
        found.push_back(to_bytes(element.octets));
    return found;
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
                        {der::element(der::integer, {{&version, 1}}), signer.issuer_and_serial_number(),
                         der::algorithm_identifier(algorithm.digest_oid, true),
                         der::element(der::context_0, {attributes}),
                         der::algorithm_identifier(algorithm.signature_oid, algorithm.signature_parameters_null),
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
    auto rest = data->digest_algorithms;
    auto const set = der::take(rest, der::set);
    auto digest_algorithms = set ? members(set->content) : std::nullopt;
    auto certificates = members(data->certificates);
    auto signers = members(data->signers);
    if (!digest_algorithms || !certificates || !signers) return std::nullopt;
    return Sets{std::move(*digest_algorithms), std::move(*certificates), to_bytes(data->crls), std::move(*signers)};
}

void add_signer(Sets& sets, Certificate const& signer, Bytes info) {
    auto const digest = der::algorithm_identifier(signer.algorithm().digest_oid, true);
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

/// The entry whose digest the signer used: it says by which digest and under which policy the signature is stamped.
Algorithm const* algorithm_of_signer(View digest_algorithm) {
    auto const sequence = der::take(digest_algorithm, der::sequence);
    auto rest = sequence ? sequence->content : View{};
    auto const oid = der::take(rest, der::object_identifier);
    auto const name = oid ? der::dotted(oid->octets) : std::string{};
    for (auto const& entry : algorithms()) {
        if (name == entry.digest_oid) return &entry;
    }
    return nullptr;
}

/// A SignerInfo with one more unsigned attribute; everything before it stays as it is.
Bytes with_timestamp(SignerInfo const& signer, View token) {
    auto const attribute =
        der::element(der::sequence, {der::oid(oid_timestamp_token), der::element(der::set, {token})});
    std::vector<Bytes> attributes{attribute};
    auto rest = signer.octets;
    auto const whole = der::take(rest, der::sequence); // was read as one
    auto kept = whole ? whole->content : View{};
    if (signer.unsigned_attributes) {
        for (auto& present : members(signer.unsigned_attributes->content).value_or(std::vector<Bytes>{}))
            attributes.push_back(std::move(present));
        kept = kept.first(kept.size() - signer.unsigned_attributes->octets.size());
    }
    return der::element(der::sequence, {kept, der::set_of(der::context_1, std::move(attributes))});
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
    auto content = content_of(*data);
    if (!content) return content.error();
    if (!*content) return Error{Errc::cms_malformed, "detached: its content is not here"};
    return std::move(**content);
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

Result<std::vector<UnstampedSigner>> unstamped_signers(View cms) {
    auto const data = read_signed_data(cms);
    auto const signers = data ? der::members(data->signers) : std::nullopt;
    if (!signers) return Error{Errc::cms_malformed, "not a SignedData"};
    std::vector<UnstampedSigner> found;
    for (auto const& member : *signers) {
        auto const signer = read_signer_info(member.octets);
        if (!signer) return Error{Errc::cms_malformed, "SignerInfo"};
        auto const attributes = signer->unsigned_attributes ? signer->unsigned_attributes->content : View{};
        if (!attribute_values(attributes, oid_timestamp_token).empty()) continue;
        auto const* algorithm = algorithm_of_signer(signer->digest_algorithm);
        if (algorithm == nullptr) return Error{Errc::mechanism_unsupported, "digest algorithm of a signer"};
        found.push_back({to_bytes(signer->value), algorithm});
    }
    return found;
}

Result<Bytes> attach_timestamps(View cms, std::vector<StampedValue> const& stamps) {
    auto const data = read_signed_data(cms);
    auto const signers = data ? der::members(data->signers) : std::nullopt;
    if (!signers) return Error{Errc::cms_malformed, "not a SignedData"};
    std::vector<Bytes> written;
    for (auto const& member : *signers) {
        auto const signer = read_signer_info(member.octets);
        if (!signer) return Error{Errc::cms_malformed, "SignerInfo"};
        auto const stamp = std::ranges::find_if(
            stamps, [&](StampedValue const& each) { return std::ranges::equal(each.value, signer->value); });
        written.push_back(stamp == stamps.end() ? to_bytes(member.octets) : with_timestamp(*signer, stamp->token));
    }
    auto const signer_set = der::set_of(der::set, std::move(written));
    auto const certificates = data->certificates.empty() ? Bytes{} : der::element(der::context_0, {data->certificates});
    auto const length = data->version.size() + data->digest_algorithms.size() + data->content_info.size() +
                        certificates.size() + data->crls.size() + signer_set.size();
    auto const type = der::oid(oid_signed_data);
    Bytes out;
    auto const explicit_length = der::element_size(length);
    auto const whole_length = type.size() + der::element_size(explicit_length);
    out.reserve(der::element_size(whole_length));
    der::append_header(out, der::sequence, whole_length);
    der::append(out, type);
    der::append_header(out, der::context_0, explicit_length);
    der::append_header(out, der::sequence, length);
    for (View const part :
         {data->version, data->digest_algorithms, data->content_info, View{certificates}, data->crls, View{signer_set}})
        der::append(out, part);
    return out;
}

} // namespace tamga::signing

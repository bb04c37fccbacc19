#include "signing/crl.hpp"

#include "signing/der.hpp"

#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace tamga::signing {

namespace {

constexpr std::size_t most_lines = 2'000'000;

Error malformed(char const* detail) {
    return {Errc::message_malformed, std::string{"CRL: "} + detail};
}

/// TBSCertList, borrowed.
struct List {
    View octets; ///< what is signed
    View issuer;
    std::int64_t this_update = 0;
    std::int64_t next_update = 0;
    View revoked;    ///< the members of revokedCertificates
    View extensions; ///< [0], whole
    View algorithm;  ///< AlgorithmIdentifier, as in the list itself
    View signature;
};

bool is_time(View rest) {
    return !rest.empty() && (rest[0] == der::utc_time || rest[0] == der::generalized_time);
}

std::optional<List> read_list(View der) {
    auto const outer = der::take(der, der::sequence);
    if (!outer || !der.empty()) return std::nullopt;
    auto rest = outer->content;
    auto const list = der::take(rest, der::sequence);
    auto const algorithm = der::take(rest, der::sequence);
    auto const signature = der::take(rest, der::bit_string);
    if (!list || !algorithm || !signature || !rest.empty() || signature->content.empty()) return std::nullopt;

    List read;
    read.octets = list->octets;
    read.signature = signature->content.subspan(1);
    rest = list->content;
    der::take(rest, der::integer);
    auto const inner = der::take(rest, der::sequence);
    auto const issuer = der::take(rest, der::sequence);
    auto const this_update = is_time(rest) ? der::take(rest) : std::nullopt;
    auto const next_update = is_time(rest) ? der::take(rest) : std::nullopt;
    auto const revoked = der::take(rest, der::sequence);
    auto const extensions = der::take(rest, der::context_0);
    if (!inner || !issuer || !this_update || !rest.empty()) return std::nullopt;
    if (!std::ranges::equal(inner->octets, algorithm->octets)) return std::nullopt;
    auto const begins = der::seconds(*this_update);
    auto const ends = next_update ? der::seconds(*next_update) : std::optional<std::int64_t>{0};
    if (!begins || !ends) return std::nullopt;
    read.issuer = issuer->octets;
    read.algorithm = algorithm->octets;
    read.this_update = *begins;
    read.next_update = *ends;
    if (revoked) read.revoked = revoked->content;
    if (extensions) read.extensions = extensions->octets;
    return read;
}

/// Whether an extension says that this is not the whole list of all certificates: deltaCRLIndicator or
/// issuingDistributionPoint.
bool is_partial(View extensions) {
    auto const tagged = der::take(extensions, der::context_0);
    auto rest = tagged ? tagged->content : View{};
    auto const all = der::take(rest, der::sequence);
    rest = all ? all->content : View{};
    while (auto const extension = der::take(rest, der::sequence)) {
        auto member = extension->content;
        auto const type = der::take(member, der::object_identifier);
        auto const name = type ? der::dotted(type->octets) : std::string{};
        if (name == "2.5.29.27" || name == "2.5.29.28") return true;
    }
    return false;
}

/// By which digest an RSA or EC signature of this name is made; a GOST key says it itself.
std::optional<DigestAlgorithm> method_of(View algorithm, Certificate const& issuer) {
    auto const sequence = der::take(algorithm, der::sequence);
    auto rest = sequence ? sequence->content : View{};
    auto const oid = der::take(rest, der::object_identifier);
    auto const name = oid ? der::dotted(oid->octets) : std::string{};
    if (name == issuer.algorithm().signature_oid) return issuer.algorithm().digest;
    static constexpr std::array<std::pair<std::string_view, DigestAlgorithm>, 4> others{
        {{"1.2.840.113549.1.1.12", DigestAlgorithm::sha384},
         {"1.2.840.113549.1.1.13", DigestAlgorithm::sha512},
         {"1.2.840.10045.4.3.3", DigestAlgorithm::sha384},
         {"1.2.840.10045.4.3.4", DigestAlgorithm::sha512}}};
    auto const* known = std::ranges::find(others, name, &std::pair<std::string_view, DigestAlgorithm>::first);
    return known == others.end() ? std::nullopt : std::optional{known->second};
}

bool is_name_of(View name, Certificate const& certificate) {
    unsigned char* octets = nullptr;
    auto const size = ::i2d_X509_NAME(::X509_get_subject_name(certificate.x509()), &octets);
    bool const same = size > 0 && std::ranges::equal(name, View{octets, static_cast<std::size_t>(size)});
    ::OPENSSL_free(octets);
    return same;
}

} // namespace

bool is_crl_of(View der, Certificate const& issuer) {
    auto const list = read_list(der);
    return list && is_name_of(list->issuer, issuer);
}

Result<RevocationList> read_crl(View der, Certificate const& issuer) {
    if (der.size() > max_crl) return malformed("too large");
    auto const list = read_list(der);
    if (!list) return malformed("no list");
    if (!is_name_of(list->issuer, issuer)) return malformed("of another issuer");
    if (is_partial(list->extensions)) return malformed("not the complete list");
    auto const method = method_of(list->algorithm, issuer);
    if (!method) return Error{Errc::mechanism_unsupported, "signature algorithm of a CRL"};
    auto const hashed = digest(*method, list->octets);
    if (!hashed) return hashed.error();
    if (auto valid = verify_value(issuer, *method, *hashed, list->signature); !valid) return valid.error();

    RevocationList read{list->this_update, list->next_update, {}};
    auto rest = list->revoked;
    while (auto const line = der::take(rest, der::sequence)) {
        auto members = line->content;
        auto const serial = der::take(members, der::integer);
        auto const time = der::take(members);
        auto const revoked_at = time ? der::seconds(*time) : std::nullopt;
        if (!serial || !revoked_at || read.revoked.size() >= most_lines) return malformed("a line");
        read.revoked.push_back({to_bytes(serial->content), *revoked_at});
    }
    if (!rest.empty()) return malformed("a line");
    return read;
}

} // namespace tamga::signing

#include "signing/to_be_signed.hpp"

#include "signing/der.hpp"
#include "signing/identifiers.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace tamga::signing {

namespace {

// Both parsers work alike: they read only what a form commits to, write the one form that commits to it, and demand
// that the two are the same octets. What is accepted is therefore exactly what we write.

Error not_the_form(char const* detail) {
    return {Errc::bad_request, detail};
}

Bytes attribute(std::string_view type, View value) {
    return der::element(der::sequence, {der::oid(type), der::element(der::set, {value})});
}

/// UTCTime through 2049, GeneralizedTime after (RFC 5652, section 11.3).
Result<Bytes> time_element(std::int64_t time) {
    std::time_t const seconds = time;
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr || parts.tm_year < 50 || parts.tm_year > 9999 - 1900) {
        return not_the_form("signing time");
    }
    std::array<char, 32> text{};
    std::string_view const digits{text.data(), std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &parts)};
    if (parts.tm_year < 150) return der::element(der::utc_time, {as_view(digits.substr(2))});
    return der::element(der::generalized_time, {as_view(digits)});
}

/// Seconds since 1970 of "[YY]YYMMDDHHMMSSZ", as far as it is one.
std::int64_t seconds_of(std::string_view text) {
    std::string whole{text};
    if (text.size() == 13) whole.insert(0, text[0] >= '5' ? "19" : "20");
    std::tm parts{};
    ::strptime(whole.c_str(), "%Y%m%d%H%M%SZ", &parts);
    return ::timegm(&parts);
}

/// The single value of the attribute `type` in a SET OF Attribute; empty where there is none.
View attribute_value(View attributes, std::string_view type) {
    auto const wanted = der::oid(type);
    while (auto attribute = der::take(attributes, der::sequence)) {
        auto const identifier = der::take(attribute->content, der::object_identifier);
        if (!identifier || !std::ranges::equal(identifier->octets, wanted)) continue;
        auto const values = der::take(attribute->content, der::set);
        return values ? values->content : View{};
    }
    return {};
}

/// SigningCertificateV2 with one ESSCertIDv2 whose hash algorithm is the default, SHA-256 (RFC 5035, section 3).
Bytes signing_certificate(ipc::Fingerprint const& certificate) {
    auto const hash = der::element(der::octet_string, {certificate});
    auto const identifiers = der::element(der::sequence, {der::element(der::sequence, {hash})});
    return der::element(der::sequence, {identifiers});
}

constexpr std::size_t signing_certificate_header = 8;

} // namespace

Result<Bytes> signed_attributes(Commitment const& commitment) {
    auto const time = time_element(commitment.signing_time);
    if (!time) return time.error();
    return der::set_of(der::set, {attribute(oid_content_type, der::oid(oid_data)), attribute(oid_signing_time, *time),
                                  attribute(oid_message_digest, der::element(der::octet_string, {commitment.digest})),
                                  attribute(oid_signing_certificate_v2, signing_certificate(commitment.certificate))});
}

Result<Commitment> parse_signed_attributes(View octets, Algorithm const& algorithm) {
    auto rest = octets;
    auto const set = der::take(rest, der::set);
    if (!set) return not_the_form("signed attributes: no SET");
    auto message_digest = attribute_value(set->content, oid_message_digest);
    auto time = attribute_value(set->content, oid_signing_time);
    auto const certificate = attribute_value(set->content, oid_signing_certificate_v2);

    Commitment commitment;
    auto const digest = der::take(message_digest, der::octet_string);
    auto const time_text = der::take(time);
    if (!digest || digest->content.size() != algorithm.digest_size) return not_the_form("signed attributes: digest");
    if (!time_text) return not_the_form("signed attributes: signing time");
    if (certificate.size() != signing_certificate_header + commitment.certificate.size()) {
        return not_the_form("signed attributes: certificate");
    }
    commitment.digest = to_bytes(digest->content);
    commitment.signing_time = seconds_of(as_text(time_text->content));
    std::ranges::copy(certificate.subspan(signing_certificate_header), commitment.certificate.begin());

    auto const same = signed_attributes(commitment);
    if (!same || !std::ranges::equal(*same, octets)) return not_the_form("signed attributes: not exactly ours");
    return commitment;
}

} // namespace tamga::signing

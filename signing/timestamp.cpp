#include "signing/timestamp.hpp"

#include "base/release.hpp"
#include "signing/signed_data.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace tamga::signing {

namespace {

constexpr std::size_t nonce_octets = 8;
constexpr std::int64_t clock_skew_s = 300;

using Info = std::unique_ptr<TS_TST_INFO, Release<TS_TST_INFO_free>>;

Error invalid(char const* detail) {
    return {Errc::timestamp_invalid, detail};
}

/// Positive, of exactly 8 octets: services that keep a nonce in 64 bits, or trim it, give it back as it was.
Bytes make_nonce() {
    Bytes nonce(nonce_octets);
    ::RAND_bytes(nonce.data(), static_cast<int>(nonce.size()));
    nonce[0] = static_cast<unsigned char>((nonce[0] & 0x3f) | 0x40);
    return nonce;
}

Bytes octets_of(ASN1_STRING const* string) {
    return to_bytes(View{::ASN1_STRING_get0_data(string), static_cast<std::size_t>(::ASN1_STRING_length(string))});
}

std::string dotted(ASN1_OBJECT const* object) {
    std::array<char, 128> text{};
    ::OBJ_obj2txt(text.data(), text.size(), object, 1);
    return text.data();
}

Info read_info(View octets) {
    auto const* at = octets.data();
    Info info{::d2i_TS_TST_INFO(nullptr, &at, static_cast<long>(octets.size()))};
    ::ERR_clear_error();
    return at == octets.data() + octets.size() ? std::move(info) : nullptr;
}

/// messageImprint of the token, by the digest it names.
Result<void> check_imprint(TS_TST_INFO const& info, DigestAlgorithm method, View imprint) {
    auto* stated = ::TS_TST_INFO_get_msg_imprint(const_cast<TS_TST_INFO*>(&info));
    ASN1_OBJECT const* named = nullptr;
    ::X509_ALGOR_get0(&named, nullptr, nullptr, ::TS_MSG_IMPRINT_get_algo(stated));
    if (digest_by_oid(dotted(named)) != method) return invalid("imprint by another digest");
    if (!std::ranges::equal(octets_of(::TS_MSG_IMPRINT_get_msg(stated)), imprint)) return invalid("another imprint");
    return ok();
}

Result<void> check_authority(Certificate const& certificate, std::int64_t time) {
    auto const fits = ::X509_check_purpose(certificate.x509(), X509_PURPOSE_TIMESTAMP_SIGN, 0) == 1;
    ::ERR_clear_error();
    if (!fits) return invalid("the certificate of the service is not one for time-stamps");
    if (time < certificate.not_before() || time > certificate.not_after()) {
        return invalid("the certificate of the service was not valid then");
    }
    return ok();
}

/// The token's one signer, over its TSTInfo.
Result<CheckedSigner> check_token_signer(SignedData const& data, View info,
                                         std::vector<Certificate> const& certificates) {
    auto const signers = der::members(data.signers);
    if (!signers || signers->size() != 1) return invalid("not one signer");
    auto const signer = read_signer_info(signers->front().octets);
    if (!signer || !signer->signed_attributes) return invalid("SignerInfo");
    auto checked = check_signer(data, *signer, info, certificates);
    if (checked.signature && checked.names_certificate) return checked;
    if (checked.signature) return invalid("the signer does not name its certificate");
    auto const& failure = checked.signature.error();
    if (failure.code == Errc::algorithm_unavailable) return failure;
    return Error{Errc::timestamp_invalid, std::string{wire_name(failure.code)} + ": " + failure.detail};
}

struct Opened {
    Timestamp stamp;
    Info info;
};

/// What of a token can be checked without knowing what was asked.
Result<Opened> open_token(View token) {
    auto const data = read_signed_data(token);
    if (!data) return invalid("no SignedData");
    if (!std::ranges::equal(data->content_type, der::oid(oid_timestamp_info))) return invalid("no TSTInfo");
    auto const content = content_of(*data);
    if (!content || !*content) return invalid("no content");
    Opened opened;
    opened.info = read_info(**content);
    if (!opened.info) return invalid("TSTInfo");
    opened.stamp.certificates = certificates_of(*data);
    auto signer = check_token_signer(*data, **content, opened.stamp.certificates);
    if (!signer) return signer.error();

    auto const time_text = octets_of(::TS_TST_INFO_get_time(opened.info.get()));
    auto const time = der::seconds({der::generalized_time, time_text, {}});
    if (!time) return invalid("genTime");
    if (auto fits = check_authority(*signer->certificate, *time); !fits) return fits.error();
    opened.stamp.token = to_bytes(token);
    opened.stamp.time = *time;
    opened.stamp.policy = dotted(::TS_TST_INFO_get_policy_id(opened.info.get()));
    opened.stamp.authority = *signer->certificate;
    return opened;
}

/// PKIStatusInfo: granted and grantedWithMods come with a token.
Result<void> check_status(View reply) {
    auto const status_info = der::take(reply, der::sequence);
    auto rest = status_info ? status_info->content : View{};
    auto const status = der::take(rest, der::integer);
    if (!status || status->content.size() != 1) return invalid("no TimeStampResp");
    if (status->content[0] > 1) {
        return Error{Errc::timestamp_unavailable, "refused with status " + std::to_string(status->content[0])};
    }
    return ok();
}

} // namespace

Result<TimestampQuery> query_timestamp(DigestAlgorithm method, View octets, std::string_view policy) {
    auto imprint = digest(method, octets);
    if (!imprint) return imprint.error();
    TimestampQuery query{{}, make_nonce(), std::move(*imprint), method, std::string{policy}};
    static constexpr unsigned char version = 1;
    static constexpr unsigned char yes = 0xff;
    static constexpr unsigned char boolean = 0x01;
    auto const message_imprint = der::element(der::sequence, {der::algorithm_identifier(name_of(method).oid, true),
                                                              der::element(der::octet_string, {query.imprint})});
    query.der =
        der::element(der::sequence, {der::element(der::integer, {{&version, 1}}), message_imprint,
                                     policy.empty() ? Bytes{} : der::oid(policy),
                                     der::element(der::integer, {query.nonce}), der::element(boolean, {{&yes, 1}})});
    return query;
}

Result<Timestamp> read_timestamp_reply(TimestampQuery const& query, View reply, std::int64_t now) {
    if (reply.size() > max_timestamp_reply) return invalid("too large");
    auto const response = der::take(reply, der::sequence);
    if (!response || !reply.empty()) return invalid("no TimeStampResp");
    if (auto granted = check_status(response->content); !granted) return granted.error();
    auto rest = response->content;
    der::take(rest);
    auto opened = open_token(rest);
    if (!opened) return opened.error();

    if (auto same = check_imprint(*opened->info, query.method, query.imprint); !same) return same.error();
    auto const* nonce = ::TS_TST_INFO_get_nonce(opened->info.get());
    if (nonce == nullptr || !std::ranges::equal(octets_of(nonce), query.nonce)) return invalid("another nonce");
    if (!query.policy.empty() && opened->stamp.policy != query.policy) return invalid("another policy");
    if (std::abs(opened->stamp.time - now) > clock_skew_s) return invalid("of another time than now");
    return std::move(opened->stamp);
}

Result<Timestamp> check_timestamp(View token, View octets) {
    auto opened = open_token(token);
    if (!opened) return opened.error();
    auto* stated = ::TS_TST_INFO_get_msg_imprint(opened->info.get());
    ASN1_OBJECT const* named = nullptr;
    ::X509_ALGOR_get0(&named, nullptr, nullptr, ::TS_MSG_IMPRINT_get_algo(stated));
    auto const method = digest_by_oid(dotted(named));
    if (!method) return invalid("imprint by an unknown digest");
    auto const imprint = digest(*method, octets);
    if (!imprint) return imprint.error();
    if (auto same = check_imprint(*opened->info, *method, *imprint); !same) return same.error();
    return std::move(opened->stamp);
}

} // namespace tamga::signing

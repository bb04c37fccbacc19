#include "signing/ocsp.hpp"

#include "base/release.hpp"
#include "signing/foreign_keys.hpp"
#include "signing/strength.hpp"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include <ctime>
#include <memory>

namespace tamga::signing {

namespace {

constexpr int nonce_octets = 8;
constexpr std::int64_t clock_skew_s = 300;

void free_stack(STACK_OF(X509) * stack) {
    sk_X509_free(stack);
}
using Request = std::unique_ptr<OCSP_REQUEST, Release<OCSP_REQUEST_free>>;
using Response = std::unique_ptr<OCSP_RESPONSE, Release<OCSP_RESPONSE_free>>;
using Basic = std::unique_ptr<OCSP_BASICRESP, Release<OCSP_BASICRESP_free>>;
using Identifier = std::unique_ptr<OCSP_CERTID, Release<OCSP_CERTID_free>>;
using Store = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using Stack = std::unique_ptr<STACK_OF(X509), Release<free_stack>>;

Identifier identifier_of(Certificate const& certificate, Certificate const& issuer) {
    return Identifier{::OCSP_cert_to_id(::EVP_sha256(), certificate.x509(), issuer.x509())};
}

Error malformed(char const* detail) {
    ::ERR_clear_error();
    return {Errc::message_malformed, detail};
}

std::int64_t seconds(ASN1_GENERALIZEDTIME const* time) {
    std::tm parts{};
    return time != nullptr && ::ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

/// Of the answer, and of the certificate of a responder that is not the issuer.
bool is_strong(OCSP_BASICRESP* basic, ::X509* signer, Certificate const& issuer) {
    bool const is_issuer = ::X509_cmp(signer, issuer.x509()) == 0;
    return is_strong_signature(::OCSP_resp_get0_tbs_sigalg(basic)) && is_strong_key(::X509_get0_pubkey(signer)) &&
           (is_issuer || has_strong_signature(signer));
}

/// The answer's signature, by the issuer or by whom it certified for OCSP, as of `now`.
Result<void> verify_signature(OCSP_BASICRESP* basic, Certificate const& issuer, std::int64_t now) {
    if (auto usable = available(issuer.algorithm()); !usable) return usable.error();
    Store const store{::X509_STORE_new()};
    ::X509_STORE_add_cert(store.get(), issuer.x509());
    auto* parameters = ::X509_STORE_get0_param(store.get());
    ::X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    ::X509_VERIFY_PARAM_set_time(parameters, now);
    Stack const issuers{sk_X509_new_null()};
    sk_X509_push(issuers.get(), issuer.x509());
    bool const verified = ::OCSP_basic_verify(basic, issuers.get(), store.get(), 0) == 1;
    ::ERR_clear_error();
    if (!verified) return Error{Errc::signature_invalid, "OCSP answer"};
    ::X509* signer = nullptr;
    if (::OCSP_resp_get0_signer(basic, &signer, issuers.get()) != 1 || !is_strong(basic, signer, issuer)) {
        return Error{Errc::mechanism_unsupported, "an OCSP answer by MD5, SHA-1 or a short key"};
    }
    return ok();
}

bool carries(OCSP_BASICRESP* basic, View nonce) {
    auto const place = ::OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    if (place < 0) return true; // many responders answer from a store; how old it may be is judged below
    auto const* value = ::X509_EXTENSION_get_data(::OCSP_BASICRESP_get_ext(basic, place));
    View const theirs{::ASN1_STRING_get0_data(value), static_cast<std::size_t>(::ASN1_STRING_length(value))};
    return std::ranges::equal(theirs, nonce);
}

} // namespace

Result<OcspQuery> query_ocsp(Certificate const& certificate, Certificate const& issuer) {
    Request const request{::OCSP_REQUEST_new()};
    auto identifier = identifier_of(certificate, issuer);
    if (!request || !identifier || ::OCSP_request_add0_id(request.get(), identifier.get()) == nullptr) {
        return Error{Errc::internal, "OCSP request"};
    }
    static_cast<void>(identifier.release()); // the request has it
    ::OCSP_request_add1_nonce(request.get(), nullptr, nonce_octets);
    OcspQuery query;
    auto const place = ::OCSP_REQUEST_get_ext_by_NID(request.get(), NID_id_pkix_OCSP_Nonce, -1);
    if (place >= 0) {
        auto const* value = ::X509_EXTENSION_get_data(::OCSP_REQUEST_get_ext(request.get(), place));
        query.nonce.assign(::ASN1_STRING_get0_data(value),
                           ::ASN1_STRING_get0_data(value) + ::ASN1_STRING_length(value));
    }
    unsigned char* octets = nullptr;
    auto const size = ::i2d_OCSP_REQUEST(request.get(), &octets);
    if (size <= 0) return Error{Errc::internal, "OCSP request"};
    query.der.assign(octets, octets + size);
    ::OPENSSL_free(octets);
    return query;
}

Result<RevocationStatus> read_ocsp_reply(OcspQuery const& query, View reply, Certificate const& certificate,
                                         Certificate const& issuer, std::int64_t now) {
    teach_openssl();
    if (reply.size() > max_ocsp_reply) return malformed("too large");
    auto const* at = reply.data();
    Response const response{::d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(reply.size()))};
    if (!response || at != reply.data() + reply.size()) return malformed("no OCSP answer");
    if (::OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return malformed("refused");
    Basic const basic{::OCSP_response_get1_basic(response.get())};
    if (!basic) return malformed("no basic answer");
    if (auto verified = verify_signature(basic.get(), issuer, now); !verified) return verified.error();
    if (!carries(basic.get(), query.nonce)) return malformed("another nonce");

    int state = V_OCSP_CERTSTATUS_UNKNOWN;
    ASN1_GENERALIZEDTIME* revoked_at = nullptr;
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    auto const identifier = identifier_of(certificate, issuer);
    if (::OCSP_resp_find_status(basic.get(), identifier.get(), &state, nullptr, &revoked_at, &this_update,
                                &next_update) != 1) {
        return malformed("of another certificate");
    }
    RevocationStatus status;
    status.this_update = seconds(this_update);
    status.next_update = seconds(next_update);
    status.revoked_at = seconds(revoked_at);
    bool const is_of_now = status.this_update != 0 && status.this_update <= now + clock_skew_s &&
                           now <= status.this_update + longest_trust_s &&
                           (status.next_update == 0 || now <= status.next_update + clock_skew_s);
    if (!is_of_now) return Error{Errc::timeout, "an OCSP answer of another time"};
    if (state == V_OCSP_CERTSTATUS_GOOD) status.state = Revocation::good;
    if (state == V_OCSP_CERTSTATUS_REVOKED) status.state = Revocation::revoked;
    return status;
}

} // namespace tamga::signing

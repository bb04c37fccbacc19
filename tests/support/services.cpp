#include "tests/support/services.hpp"

#include "signing/certificate.hpp"
#include "signing/der.hpp"
#include "signing/gost.hpp"
#include "signing/identifiers.hpp"

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>

namespace tamga::test {

namespace {

namespace der = signing::der;

void require(bool done, char const* what) {
    if (done) return;
    std::fprintf(stderr, "services: %s\n", what);
    std::abort();
}

std::string time_text(std::int64_t time) {
    std::time_t const seconds = time;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &parts)};
}

Bytes integer(std::uint64_t number) {
    Bytes octets;
    for (int shift = 56; shift >= 0; shift -= 8)
        octets.push_back(static_cast<unsigned char>(number >> shift));
    while (octets.size() > 1 && octets[0] == 0 && octets[1] < 0x80)
        octets.erase(octets.begin());
    return der::element(der::integer, {octets});
}

Bytes attribute(std::string_view type, View value) {
    return der::element(der::sequence, {der::oid(type), der::element(der::set, {value})});
}

signing::Certificate certificate_of(TestKey const& key) {
    auto certificate = signing::Certificate::parse(key.certificate);
    require(certificate.has_value(), "certificate");
    return *certificate;
}

/// SigningCertificate, version 1, as the NCA's service writes it.
Bytes signing_certificate(View certificate) {
    std::array<unsigned char, 20> hash{};
    ::EVP_Digest(certificate.data(), certificate.size(), hash.data(), nullptr, ::EVP_sha1(), nullptr);
    auto const identifier = der::element(der::sequence, {der::element(der::octet_string, {hash})});
    return der::element(der::sequence, {der::element(der::sequence, {identifier})});
}

Bytes signer_info(TestKey const& key, View content) {
    auto const certificate = certificate_of(key);
    auto const& algorithm = certificate.algorithm();
    auto const hashed = *signing::digest(algorithm.digest, content);
    auto const attributes =
        der::set_of(der::set, {attribute(signing::oid_content_type, der::oid(signing::oid_timestamp_info)),
                               attribute(signing::oid_message_digest, der::element(der::octet_string, {hashed})),
                               attribute(signing::oid_signing_certificate, signing_certificate(key.certificate))});
    auto const value = *signing::to_cms_signature(algorithm, key.sign(attributes));
    auto tagged = attributes;
    tagged[0] = der::context_0;
    return der::element(der::sequence, {integer(1), certificate.issuer_and_serial_number(),
                                        der::algorithm_identifier(algorithm.digest_oid, true), tagged,
                                        der::algorithm_identifier(algorithm.signature_oid, true),
                                        der::element(der::octet_string, {value})});
}

Bytes signed_data(TestKey const& key, View content, bool twice) {
    auto const& algorithm = certificate_of(key).algorithm();
    auto const encapsulated =
        der::element(der::sequence, {der::oid(signing::oid_timestamp_info),
                                     der::element(der::context_0, {der::element(der::octet_string, {content})})});
    auto const signer = signer_info(key, content);
    auto const data = der::element(
        der::sequence, {integer(3), der::element(der::set, {der::algorithm_identifier(algorithm.digest_oid, true)}),
                        encapsulated, der::element(der::context_0, {key.certificate}),
                        der::element(der::set, {signer, twice ? View{signer} : View{}})});
    return der::element(der::sequence, {der::oid(signing::oid_signed_data), der::element(der::context_0, {data})});
}

struct Asked {
    Bytes imprint; ///< MessageImprint
    Bytes policy;  ///< OBJECT IDENTIFIER
    Bytes nonce;   ///< INTEGER, or nothing
};

Asked read_query(View query) {
    auto const* at = query.data();
    std::unique_ptr<TS_REQ, decltype(&TS_REQ_free)> const request{
        ::d2i_TS_REQ(nullptr, &at, static_cast<long>(query.size())), TS_REQ_free};
    require(request != nullptr && at == query.data() + query.size(), "TimeStampReq");
    Asked asked;
    unsigned char* octets = nullptr;
    auto size = ::i2d_TS_MSG_IMPRINT(::TS_REQ_get_msg_imprint(request.get()), &octets);
    asked.imprint.assign(octets, octets + size);
    ::OPENSSL_free(octets);
    octets = nullptr;
    if (auto const* policy = ::TS_REQ_get_policy_id(request.get()); policy != nullptr) {
        size = ::i2d_ASN1_OBJECT(policy, &octets);
        asked.policy.assign(octets, octets + size);
        ::OPENSSL_free(octets);
        octets = nullptr;
    } else {
        asked.policy = der::oid("1.2.3.4");
    }
    if (auto const* nonce = ::TS_REQ_get_nonce(request.get()); nonce != nullptr) {
        size = ::i2d_ASN1_INTEGER(nonce, &octets);
        asked.nonce.assign(octets, octets + size);
        ::OPENSSL_free(octets);
    }
    return asked;
}

Bytes timestamp_info(Asked const& asked, std::int64_t now, StampFault fault) {
    auto imprint = asked.imprint;
    auto nonce = asked.nonce;
    auto policy = asked.policy;
    if (fault == StampFault::other_imprint) imprint.back() ^= 1;
    if (fault == StampFault::other_nonce) nonce.back() ^= 1;
    if (fault == StampFault::no_nonce) nonce.clear();
    if (fault == StampFault::other_policy) policy.back() ^= 1;
    static std::uint64_t serial = 1000;
    auto const time = der::element(der::generalized_time, {as_view(time_text(now))});
    return der::element(der::sequence, {integer(1), policy, imprint, integer(++serial), time, nonce});
}

constexpr std::int64_t hour = 3600;

Bytes time_element(std::int64_t time) {
    return der::element(der::generalized_time, {as_view(time_text(time))});
}

Bytes name_of(signing::Certificate const& certificate) {
    unsigned char* octets = nullptr;
    auto const size = ::i2d_X509_NAME(::X509_get_subject_name(certificate.x509()), &octets);
    Bytes name(octets, octets + size);
    ::OPENSSL_free(octets);
    return name;
}

/// SEQUENCE { what is signed, AlgorithmIdentifier, BIT STRING, more }.
Bytes signed_by(TestKey const& key, View octets, View more = {}) {
    auto const& algorithm = certificate_of(key).algorithm();
    auto const value = *signing::to_cms_signature(algorithm, key.sign(octets));
    static constexpr unsigned char no_unused_bits = 0;
    return der::element(
        der::sequence, {octets, der::algorithm_identifier(algorithm.signature_oid, algorithm.signature_parameters_null),
                        der::element(der::bit_string, {{&no_unused_bits, 1}, value}), more});
}

struct OcspAsked {
    Bytes certificate; ///< CertID
    Bytes extensions;  ///< Extensions, or nothing
};

OcspAsked read_ocsp_query(View query) {
    auto const* at = query.data();
    std::unique_ptr<OCSP_REQUEST, decltype(&OCSP_REQUEST_free)> const request{
        ::d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(query.size())), OCSP_REQUEST_free};
    require(request != nullptr && ::OCSP_request_onereq_count(request.get()) == 1, "OCSPRequest");
    OcspAsked asked;
    unsigned char* octets = nullptr;
    auto const size = ::i2d_OCSP_CERTID(::OCSP_onereq_get0_id(::OCSP_request_onereq_get0(request.get(), 0)), &octets);
    asked.certificate.assign(octets, octets + size);
    ::OPENSSL_free(octets);
    auto rest = der::take(query, der::sequence)->content;
    rest = der::take(rest, der::sequence)->content;
    der::take(rest, der::sequence);
    static constexpr unsigned char context_2 = 0xa2;
    if (auto const extensions = der::take(rest, context_2)) asked.extensions = to_bytes(extensions->content);
    return asked;
}

void write(std::string const& file, std::string const& text) {
    std::ofstream{file} << text;
}

std::string read(std::string const& file) {
    std::ifstream stream{file};
    require(stream.good(), file.c_str());
    return {std::istreambuf_iterator<char>{stream}, {}};
}

TestKey load_key(KeyKind kind, std::string const& name) {
    auto const key_text = read(name + ".key");
    auto const certificate_text = read(name + ".pem");
    if (is_gost(kind)) require(signing::gost::load().has_value(), "gost-engine");
    using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;
    Memory const key{::BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())), BIO_free};
    Memory const pem{::BIO_new_mem_buf(certificate_text.data(), static_cast<int>(certificate_text.size())), BIO_free};
    TestKey loaded{kind, {::PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), EVP_PKEY_free}, {}};
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* octets = nullptr;
    long size = 0;
    require(::PEM_read_bio(pem.get(), &label, &header, &octets, &size) == 1, "PEM");
    loaded.certificate.assign(octets, octets + size);
    ::OPENSSL_free(label);
    ::OPENSSL_free(header);
    ::OPENSSL_free(octets);
    require(loaded.key != nullptr, "private key");
    return loaded;
}

} // namespace

void Authority::save(std::string const& folder) const {
    for (auto const& [name, key] : {std::pair{"root", &root}, std::pair{"issuer", &issuer},
                                    std::pair{"timestamps", &timestamps}, std::pair{"ocsp", &ocsp}}) {
        write(folder + "/" + name + ".pem", certificate_pem(key->certificate));
        write(folder + "/" + name + ".key", key->private_key_pem());
    }
}

Authority Authority::load(KeyKind kind, std::string const& folder) {
    return {load_key(kind, folder + "/root"), load_key(kind, folder + "/issuer"),
            load_key(kind, folder + "/timestamps"), load_key(kind, folder + "/ocsp")};
}

Authority make_services(KeyKind kind) {
    auto root = make_authority(kind, "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ ТЕСТ");
    auto issuer = make_authority(kind, "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ ТЕСТ", &root);
    auto const service = [&](std::string const& name, std::string const& usage) {
        return make_certificate({.key = kind,
                                 .common_name = name,
                                 .surname = "",
                                 .patronymic = "",
                                 .iin = "",
                                 .extended_key_usages = {usage},
                                 .only_these_usages = true},
                                &issuer);
    };
    auto timestamps = service("TIME-STAMPING AUTHORITY TEST", "1.3.6.1.5.5.7.3.8");
    auto ocsp = service("OCSP RESPONDER TEST", "1.3.6.1.5.5.7.3.9");
    return {std::move(root), std::move(issuer), std::move(timestamps), std::move(ocsp)};
}

Bytes answer_timestamp(Authority const& authority, View query, std::int64_t now, StampFault fault) {
    auto const granted = der::element(der::sequence, {integer(0)});
    if (fault == StampFault::refused) {
        return der::element(der::sequence, {der::element(der::sequence, {integer(2)})});
    }
    auto const info = timestamp_info(read_query(query), now, fault);
    auto const& key = fault == StampFault::wrong_usage ? authority.ocsp : authority.timestamps;
    auto token = signed_data(key, info, fault == StampFault::two_signers);
    if (fault == StampFault::broken_signature) token.back() ^= 1;
    return der::element(der::sequence, {granted, token});
}

Bytes answer_ocsp(Authority const& authority, View query, std::int64_t now, OcspAnswer answer) {
    static constexpr unsigned char enumerated = 0x0a;
    static constexpr unsigned char primitive_2 = 0x82;
    if (answer == OcspAnswer::refused) {
        static constexpr unsigned char try_later = 3;
        return der::element(der::sequence, {der::element(enumerated, {{&try_later, 1}})});
    }
    auto asked = read_ocsp_query(query);
    if (answer == OcspAnswer::other_nonce) asked.extensions.back() ^= 1;
    if (answer == OcspAnswer::other_certificate) asked.certificate.back() ^= 1;
    auto status = der::element(der::primitive_0, {});
    if (answer == OcspAnswer::revoked) status = der::element(der::context_1, {time_element(now - hour)});
    if (answer == OcspAnswer::unknown) status = der::element(primitive_2, {});
    auto const this_update = answer == OcspAnswer::old ? now - 30 * 24 * hour : now;
    auto const single =
        der::element(der::sequence, {asked.certificate, status, time_element(this_update),
                                     der::element(der::context_0, {time_element(this_update + 24 * hour)})});
    auto const& key = answer == OcspAnswer::by_stranger ? authority.timestamps : authority.ocsp;
    auto const data = der::element(
        der::sequence, {der::element(der::context_1, {name_of(certificate_of(key))}), time_element(now),
                        der::element(der::sequence, {single}),
                        asked.extensions.empty() ? Bytes{} : der::element(der::context_1, {asked.extensions})});
    auto const certificates = der::element(der::context_0, {der::element(der::sequence, {key.certificate})});
    auto basic = signed_by(key, data, certificates);
    if (answer == OcspAnswer::broken_signature) basic[basic.size() - certificates.size() - 1] ^= 1;
    static constexpr unsigned char successful = 0;
    auto const body =
        der::element(der::sequence, {der::oid("1.3.6.1.5.5.7.48.1.1"), der::element(der::octet_string, {basic})});
    return der::element(der::sequence,
                        {der::element(enumerated, {{&successful, 1}}), der::element(der::context_0, {body})});
}

Bytes make_crl(Authority const& authority, std::vector<Bytes> const& revoked, std::int64_t now) {
    auto const issuer = certificate_of(authority.issuer);
    auto const& algorithm = issuer.algorithm();
    Bytes lines;
    for (auto const& each : revoked) {
        auto const certificate = signing::Certificate::parse(each);
        require(certificate.has_value(), "revoked certificate");
        auto identifier = certificate->issuer_and_serial_number();
        View rest{identifier};
        rest = der::take(rest, der::sequence)->content;
        der::take(rest, der::sequence);
        der::append(lines, der::element(der::sequence, {rest, time_element(now - hour)}));
    }
    auto const list = der::element(
        der::sequence,
        {integer(1), der::algorithm_identifier(algorithm.signature_oid, algorithm.signature_parameters_null),
         name_of(issuer), time_element(now - 2 * hour), time_element(now + 24 * hour),
         lines.empty() ? Bytes{} : der::element(der::sequence, {lines})});
    return signed_by(authority.issuer, list);
}

} // namespace tamga::test

// What verification does not let pass: files that hold somebody's signature and are not what was signed, weak
// algorithms, keys for something else, and answers of the past. Most of it a program that only verifies signatures
// would accept.
#include "signing/cms.hpp"
#include "signing/crl.hpp"
#include "signing/ocsp.hpp"
#include "signing/signed_data.hpp"
#include "signing/to_be_signed.hpp"
#include "signing/verify.hpp"
#include "signing/xml.hpp"
#include "tests/support/services.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <functional>

namespace tamga::signing {
namespace {

using test::KeyKind;

constexpr std::int64_t now = 1'790'000'000;
constexpr std::int64_t day = 24 * 3600;
View const content = as_view("I owe nothing");

test::Authority const& authority() {
    static auto const& services =
        *new test::Authority{test::make_services(KeyKind::rsa_2048)}; // as OpenSSL, never freed
    return services;
}

Certificate parsed(test::TestKey const& key) {
    return *Certificate::parse(key.certificate);
}

using X509Pointer = std::unique_ptr<::X509, decltype(&X509_free)>;
using Change = std::function<void(::X509*)>;

/// The certificate again, changed, and signed by the issuer of these tests over another digest.
test::TestKey issued_again(test::TestKey key, Change const& change, EVP_MD const* method = ::EVP_sha256()) {
    X509Pointer const certificate{::X509_dup(parsed(key).x509()), X509_free};
    change(certificate.get());
    EXPECT_GT(::X509_sign(certificate.get(), authority().issuer.key.get(), method), 0);
    unsigned char* der = nullptr;
    auto const size = ::i2d_X509(certificate.get(), &der);
    key.certificate.assign(der, der + size);
    ::OPENSSL_free(der);
    return key;
}

Change with_key_usage(char const* usage) {
    return [usage](::X509* certificate) {
        ::X509_EXTENSION_free(::X509_delete_ext(certificate, ::X509_get_ext_by_NID(certificate, NID_key_usage, -1)));
        auto* extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_key_usage, usage);
        ::X509_add_ext(certificate, extension, -1);
        ::X509_EXTENSION_free(extension);
    };
}

Bytes cms_of(test::TestKey const& key) {
    auto const signer = parsed(key);
    auto const hashed = digest(signer.algorithm().digest, content);
    auto const to_be_signed = prepare_cms(signer, *hashed, now);
    auto const cms =
        finish_cms(signer, *to_be_signed, key.sign(*to_be_signed), content, Encapsulation::attached, nullptr);
    EXPECT_TRUE(cms) << (cms ? "" : cms.error().detail);
    return cms ? *cms : Bytes{};
}

std::string pem_of(View cms) {
    return "-----BEGIN CMS-----\n" + to_base64_lines(cms, 64) + "-----END CMS-----\n";
}

class Refusals : public testing::Test {
protected:
    Refusals() {
        m_settings.trusted = TrustSet{{parsed(authority().root), parsed(authority().issuer)}};
        m_settings.revocation = RevocationCache{m_scratch / "revocation"};
        m_settings.now = now;
        know(m_citizen);
    }
    /// That it was not revoked.
    void know(test::TestKey const& key) const {
        EXPECT_TRUE(m_settings.revocation.store(parsed(key), RevocationStatus{Revocation::good, 0, now, now + day}));
    }
    [[nodiscard]] Result<Report> verified(View file) const { return verify_document(file, {}, m_settings); }
    [[nodiscard]] Report report_of(View file) const {
        auto report = verified(file);
        EXPECT_TRUE(report) << (report ? "" : report.error().detail);
        return report ? *report : Report{};
    }
    [[nodiscard]] Verdict verdict_of_cms_by(test::TestKey const& key) const {
        know(key);
        return report_of(cms_of(key)).verdict();
    }
    static test::TestKey make_citizen(test::CertificateSpec spec = {}) {
        if (spec.key == KeyKind::rsa_2048) spec.key = KeyKind::ec_p256;
        return test::make_certificate(spec, &authority().issuer);
    }

    test::Scratch const m_scratch;
    test::TestKey const m_citizen = make_citizen();
    VerifySettings m_settings;
};

// ---- files that hold more than a signature ----

TEST_F(Refusals, SomebodysCmsWithinAnXmlDocumentDoesNotSignTheDocument) {
    auto const pem = pem_of(cms_of(m_citizen));
    auto const document = "<contract><text>pays 1000000</text><more>\n" + pem + "</more></contract>";

    auto const report = verified(as_view(document));

    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::xml_target) << "an XML document without a signature";
}

TEST_F(Refusals, SomebodysCmsWithinATextDoesNotSignTheText) {
    auto const pem = pem_of(cms_of(m_citizen));
    ASSERT_EQ(report_of(as_view(" \r\n" + pem + "\n")).verdict(), Verdict::good);

    for (auto const& text : {"I owe 1000000.\n" + pem, pem + "I owe 1000000.\n", pem + pem}) {
        auto const report = verified(as_view(text));
        ASSERT_FALSE(report) << text.substr(0, 20);
        EXPECT_EQ(report.error().code, Errc::bad_request);
    }
}

// ---- XML ----

constexpr char const* namespace_of_signature = "http://www.w3.org/2000/09/xmldsig#";
constexpr char const* exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";

std::string reference_to(std::string const& uri, std::string_view canonical, bool is_enveloped) {
    std::string const name{namespace_of_signature};
    auto const transform =
        is_enveloped ? "<ds:Transform Algorithm=\"" + name + "enveloped-signature\"></ds:Transform>" : "";
    return "<ds:Reference URI=\"" + uri + "\"><ds:Transforms>" + transform + "<ds:Transform Algorithm=\"" + exclusive +
           "\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">"
           "</ds:DigestMethod><ds:DigestValue>" +
           to_base64(sha256(as_view(canonical))) + "</ds:DigestValue></ds:Reference>";
}

/// As others write it: any references, and anything behind KeyInfo.
std::string signature_by(test::TestKey const& key, std::string const& references, std::string const& more = "") {
    auto const info = std::string{"<ds:CanonicalizationMethod Algorithm=\""} + exclusive +
                      "\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\""
                      "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"></ds:SignatureMethod>" +
                      references + "</ds:SignedInfo>";
    auto const name = std::string{"xmlns:ds=\""} + namespace_of_signature + "\"";
    auto const value = key.sign(as_view("<ds:SignedInfo " + name + ">" + info));
    return "<ds:Signature " + name + "><ds:SignedInfo>" + info + "<ds:SignatureValue>" + to_base64(value) +
           "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>" + to_base64(key.certificate) +
           "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>" + more + "</ds:Signature>";
}

std::string with(std::string text, std::string_view what, std::string_view instead) {
    auto const at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), instead);
}

class XmlRefusals : public Refusals {
protected:
    void expect_unread(std::string const& document) const {
        auto const report = report_of(as_view(document));
        ASSERT_EQ(report.signers.size(), 1U) << document;
        EXPECT_EQ(report.verdict(), Verdict::unsettled) << document;
        ASSERT_FALSE(report.signers[0].signature) << document;
        EXPECT_EQ(report.signers[0].signature.error().detail,
                  "what the signature holds itself is not read (XAdES, enveloping)");
    }
    [[nodiscard]] std::string order(std::string const& more = "") const {
        auto const reference = reference_to("", "<order><amount>1</amount></order>", true);
        return "<order><amount>1</amount>" + signature_by(m_citizen, reference, more) + "</order>";
    }
};

TEST_F(XmlRefusals, WhatSomebodyPutsIntoASignatureIsNotTakenForSigned) {
    ASSERT_EQ(report_of(as_view(order())).verdict(), Verdict::good);

    expect_unread(order("<ds:Object><amount>1000000</amount></ds:Object>"));
    expect_unread(with(order(), "<ds:KeyInfo>", "<ds:KeyInfo><amount>1000000</amount>"));
    expect_unread(with(order(), "<ds:KeyInfo>", "<ds:KeyInfo>1000000"));
    expect_unread(with(order(), "<ds:KeyInfo>", "<ds:KeyInfo amount=\"1000000\">"));
    expect_unread(with(order(), "<ds:X509Data>", "<ds:X509Data><X509SubjectName>1000000</X509SubjectName>"));
    expect_unread(order("<ds:SignedInfo/>"));
}

TEST_F(XmlRefusals, WhatNamesTheKeyMayStandInASignature) {
    auto const key = "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>"
                     "</ds:RSAKeyValue></ds:KeyValue>\n";
    auto const issuer = "<ds:X509IssuerSerial><ds:X509IssuerName>CN=A</ds:X509IssuerName><ds:X509SerialNumber>1"
                        "</ds:X509SerialNumber></ds:X509IssuerSerial><ds:X509SubjectName>CN=B</ds:X509SubjectName>";
    auto const document = with(with(order(), "<ds:KeyInfo>", std::string{"<ds:KeyInfo Id=\"k\">"} + key),
                               "<ds:X509Data>", std::string{"<ds:X509Data> "} + issuer);

    EXPECT_EQ(report_of(as_view(document)).verdict(), Verdict::good);
}

TEST_F(XmlRefusals, AnIdThatOccursAgainWithinTheSignatureIsWrapping) {
    auto const element = std::string{"<pay Id=\"x\"><amount>1</amount></pay>"};
    auto const signature = signature_by(m_citizen, reference_to("#x", element, false),
                                        "<ds:Object><pay Id=\"x\"><amount>1000000</amount></pay></ds:Object>");

    auto const report = report_of(as_view("<order>" + signature + element + "</order>"));

    EXPECT_EQ(report.verdict(), Verdict::bad);
    EXPECT_EQ(report.signers[0].signature.error().detail, "an Id occurs twice");
}

TEST_F(XmlRefusals, XadesIsNotReadAndNotCalledInvalidUntilTheContentIsChanged) {
    auto const properties = std::string{
        "<p:SignedProperties xmlns:p=\"http://uri.etsi.org/01903/v1.3.2#\" Id=\"p\">at noon</p:SignedProperties>"};
    auto const references = reference_to("", "<order>1</order>", true) + reference_to("#p", properties, false);
    auto const document =
        "<order>1" + signature_by(m_citizen, references, "<ds:Object>" + properties + "</ds:Object>") + "</order>";

    expect_unread(document);
    EXPECT_EQ(report_of(as_view(with(document, "<order>1", "<order>2"))).verdict(), Verdict::bad);
}

TEST_F(XmlRefusals, AnEnvelopingSignatureIsNotReadAndNotCalledInvalid) {
    auto const object = std::string{"<ds:Object Id=\"o\">I owe nothing</ds:Object>"};
    auto const canonical =
        with(object, "<ds:Object", std::string{"<ds:Object xmlns:ds=\""} + namespace_of_signature + "\"");

    expect_unread(signature_by(m_citizen, reference_to("#o", canonical, false), object));
}

TEST_F(XmlRefusals, ASignatureOverAPartDoesNotMakeTheWholeValid) {
    auto const one = std::string{"<pay Id=\"x\">1</pay>"};
    auto const two = std::string{"<pay Id=\"y\">2</pay>"};
    auto const signature = signature_by(m_citizen, reference_to("#x", one, false) + reference_to("#y", two, false));

    auto const report = report_of(as_view("<order>" + signature + one + two + "<pay>1000000</pay></order>"));

    EXPECT_TRUE(report.signers[0].signature) << report.signers[0].signature.error().detail;
    EXPECT_EQ(report.signers[0].coverage, Coverage::part);
    EXPECT_EQ(report.signers[0].covers, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(report.verdict(), Verdict::unsettled);
}

TEST_F(XmlRefusals, TheIdOfTheRootElementIsTheWhole) {
    auto const signature = signature_by(m_citizen, reference_to("#all", "<order Id=\"all\">1</order>", true));

    auto const report = report_of(as_view("<order Id=\"all\">1" + signature + "</order>"));

    EXPECT_EQ(report.signers[0].coverage, Coverage::whole);
    EXPECT_EQ(report.verdict(), Verdict::good);
}

TEST_F(XmlRefusals, ADeclaredEncodingThatMakesOtherCharactersOfTheSameOctets) {
    auto const document = order();
    auto const declared = [&](std::string const& encoding) {
        return verified(as_view("<?xml version=\"1.0\" encoding=" + encoding + "?>" + document));
    };

    for (auto const* encoding : {"\"UTF-7\"", "'windows-1251'", "\"utf-16\"", "\"\""}) {
        auto const report = declared(encoding);
        ASSERT_FALSE(report) << encoding;
        EXPECT_EQ(report.error().code, Errc::xml_malformed);
    }
    for (auto const* encoding : {"\"UTF-8\"", "'utf-8'", "\"US-ASCII\""}) {
        auto const report = declared(encoding);
        ASSERT_TRUE(report) << encoding << report.error().detail;
        EXPECT_EQ(report->verdict(), Verdict::good);
    }
    auto const beyond_ascii = "<?xml version=\"1.0\" encoding=\"us-ascii\"?>" + with(order(), ">1<", ">ә<");
    EXPECT_FALSE(verified(as_view(beyond_ascii)));
}

// ---- CMS ----

class CmsRefusals : public Refusals, public testing::WithParamInterface<KeyKind> {};
INSTANTIATE_TEST_SUITE_P(Keys, CmsRefusals,
                         testing::Values(KeyKind::rsa_2048, KeyKind::ec_p256, KeyKind::gost2015_512));

TEST_P(CmsRefusals, SignedAttributesMadeTheContentAreNoSignedDocument) {
    auto const cms = cms_of(test::make_certificate({.key = GetParam()}));
    auto const data = read_signed_data(cms);
    auto const signer = read_signer_info(der::members(data->signers)->front().octets);
    auto const attributes = der::element(der::set, {signer->signed_attributes->content});
    View rest = signer->octets;
    rest = der::take(rest, der::sequence)->content;
    auto const version = der::take(rest, der::integer);
    auto const bare =
        der::element(der::sequence, {version->octets, signer->identifier, signer->digest_algorithm,
                                     signer->signature_algorithm, der::element(der::octet_string, {signer->value})});
    auto const inside = der::element(der::context_0, {der::element(der::octet_string, {attributes})});
    auto const stripped =
        der::element(der::sequence,
                     {data->version, data->digest_algorithms, der::element(der::sequence, {data->content_type, inside}),
                      der::element(der::context_0, {data->certificates}), der::element(der::set, {bare})});
    auto const file =
        der::element(der::sequence, {der::oid(oid_signed_data), der::element(der::context_0, {stripped})});

    auto const report = report_of(file);

    EXPECT_EQ(report.verdict(), Verdict::bad);
    EXPECT_EQ(report.signers[0].signature.error().detail, "the content is the attributes of another signature");
}

TEST_P(CmsRefusals, ChangedContentIsBadWhateverTheDigestIsCalledThen) {
    auto cms = cms_of(test::make_certificate({.key = GetParam()}));
    auto const data = read_signed_data(cms);
    auto const named = read_signer_info(der::members(data->signers)->front().octets)->digest_algorithm;
    auto const oid = static_cast<std::size_t>(named.data() - cms.data()) + 2;
    cms[oid + 1 + cms[oid + 1]] = 0x79; // the last octet of the identifier
    EXPECT_EQ(report_of(cms).signers[0].signature.error().code, Errc::mechanism_unsupported);
    EXPECT_NE(report_of(cms).verdict(), Verdict::good);

    auto const at = as_text(cms).find(as_text(content));
    cms[at] ^= 1;

    EXPECT_EQ(report_of(cms).verdict(), Verdict::bad);
    EXPECT_EQ(report_of(cms).signers[0].signature.error().detail, "the content is not what was signed");
}

TEST(GostSignatures, PaddedWithAZeroOctetAreNotTheSignature) {
    for (auto const* signer : {&gost_signer(), &gost_256_signer(), &gost_2004_signer()}) {
        auto const& algorithm = signer->certificate.algorithm();
        auto const hashed = *digest(algorithm.digest, content);
        auto const value = *to_cms_signature(algorithm, signer->key.sign(content));
        ASSERT_TRUE(verify_value(signer->certificate, algorithm.digest, hashed, value));
        auto padded = value;
        padded.insert(padded.begin() + static_cast<std::ptrdiff_t>(padded.size() / 2), 0);
        padded.push_back(0);

        EXPECT_FALSE(verify_value(signer->certificate, algorithm.digest, hashed, padded));
        EXPECT_FALSE(verify_value(signer->certificate, algorithm.digest, hashed, View{value}.first(value.size() - 2)));
        EXPECT_FALSE(verify_value(signer->certificate, algorithm.digest, hashed, {}));
    }
}

// ---- weak algorithms ----

TEST_F(Refusals, ACertificateSignedOverMd5OrSha1IsNotTrusted) {
    ASSERT_EQ(verdict_of_cms_by(issued_again(m_citizen, [](::X509*) {})), Verdict::good);

    for (auto const* method : {::EVP_md5(), ::EVP_sha1()}) {
        auto const weak = issued_again(
            m_citizen, [](::X509*) {}, method);
        know(weak);
        auto const report = report_of(cms_of(weak));
        EXPECT_EQ(report.signers[0].chain.state, ChainState::untrusted) << report.signers[0].chain.detail;
        EXPECT_EQ(report.verdict(), Verdict::bad);
    }
}

TEST_F(Refusals, AnAuthorityBetweenThatIsSignedOverSha1IsNotTrustedButATrustedOneIs) {
    X509Pointer const weak{::X509_dup(parsed(authority().issuer).x509()), X509_free};
    ::X509_sign(weak.get(), authority().root.key.get(), ::EVP_sha1());
    unsigned char* der = nullptr;
    auto const size = ::i2d_X509(weak.get(), &der);
    auto const issuer = Certificate::parse({der, static_cast<std::size_t>(size)});
    ::OPENSSL_free(der);
    auto const root = parsed(authority().root);

    EXPECT_EQ(build_chain(TrustSet{{root}}, parsed(m_citizen), {*issuer}, now).state, ChainState::untrusted);
    EXPECT_EQ(build_chain(TrustSet{{*issuer}}, parsed(m_citizen), {}, now).state, ChainState::good)
        << "what is trusted for itself needs no signature";
}

TEST_F(Refusals, AnRsaKeyUnder2048BitsSignsNothing) {
    test::TestKey key{KeyKind::rsa_2048, {EVP_RSA_gen(1024U), EVP_PKEY_free}, {}};
    key.certificate = test::issue({}, key.key.get(), &authority().issuer);
    auto const certificate = parsed(key);

    auto const signature = verify_raw(certificate, content, key.sign(content));

    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().code, Errc::mechanism_unsupported);
    auto const chain = build_chain(m_settings.trusted, certificate, {}, now);
    EXPECT_EQ(chain.state, ChainState::untrusted) << chain.detail;
}

TEST_F(Refusals, AnOcspAnswerSignedOverMd5OrSha1SaysNothing) {
    auto const certificate = parsed(m_citizen);
    auto const issuer = parsed(authority().issuer);
    auto const query = query_ocsp(certificate, issuer);
    auto const answer = [&](EVP_MD const* method) {
        auto* basic = ::OCSP_BASICRESP_new();
        auto* identifier = ::OCSP_cert_to_id(::EVP_sha256(), certificate.x509(), issuer.x509());
        auto* time = ::ASN1_TIME_set(nullptr, now);
        ::OCSP_basic_add1_status(basic, identifier, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, time, nullptr);
        ::OCSP_basic_sign(basic, issuer.x509(), authority().issuer.key.get(), method, nullptr, 0);
        auto* response = ::OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
        unsigned char* der = nullptr;
        auto const size = ::i2d_OCSP_RESPONSE(response, &der);
        Bytes octets(der, der + size);
        ::OPENSSL_free(der);
        ::OCSP_RESPONSE_free(response);
        ::OCSP_BASICRESP_free(basic);
        ::OCSP_CERTID_free(identifier);
        ::ASN1_TIME_free(time);
        return octets;
    };

    EXPECT_TRUE(read_ocsp_reply(*query, answer(::EVP_sha256()), certificate, issuer, now));
    for (auto const* method : {::EVP_md5(), ::EVP_sha1()}) {
        auto const read = read_ocsp_reply(*query, answer(method), certificate, issuer, now);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code, Errc::mechanism_unsupported);
    }
}

TEST_F(Refusals, AListSignedOverSha1SaysNothing) {
    auto const issuer = parsed(authority().issuer);
    auto const list = [&](EVP_MD const* method) {
        std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> const made{::X509_CRL_new(), X509_CRL_free};
        std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> const time{::ASN1_TIME_set(nullptr, now), ASN1_TIME_free};
        ::X509_CRL_set_version(made.get(), X509_CRL_VERSION_2);
        ::X509_CRL_set_issuer_name(made.get(), ::X509_get_subject_name(issuer.x509()));
        ::X509_CRL_set1_lastUpdate(made.get(), time.get());
        ::X509_CRL_sign(made.get(), authority().issuer.key.get(), method);
        unsigned char* der = nullptr;
        auto const size = ::i2d_X509_CRL(made.get(), &der);
        Bytes octets(der, der + size);
        ::OPENSSL_free(der);
        return octets;
    };

    EXPECT_TRUE(read_crl(list(::EVP_sha256()), issuer));
    EXPECT_EQ(read_crl(list(::EVP_sha1()), issuer).error().code, Errc::mechanism_unsupported);
}

// ---- keys for something else ----

TEST_F(Refusals, AKeyThatIsNotForSignaturesSignsNoDocument) {
    for (auto const* usage : {"critical,keyEncipherment", "critical,keyAgreement", "keyCertSign,cRLSign"}) {
        auto const other = issued_again(m_citizen, with_key_usage(usage));
        EXPECT_EQ(verdict_of_cms_by(other), Verdict::bad) << usage;
    }
    for (auto const* usage : {"critical,nonRepudiation", "digitalSignature,keyEncipherment"}) {
        EXPECT_EQ(verdict_of_cms_by(issued_again(m_citizen, with_key_usage(usage))), Verdict::good) << usage;
    }
}

TEST_F(Refusals, AKeyForSigningInLeavesADoubtOnADocument) {
    auto const sign_in = make_citizen({.extended_key_usages = {"1.3.6.1.5.5.7.3.2", "1.2.398.3.3.4.1.1"}});
    auto const both = make_citizen({.extended_key_usages = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"}});
    auto const neither = make_citizen({.extended_key_usages = {}});

    EXPECT_EQ(verdict_of_cms_by(sign_in), Verdict::unsettled);
    EXPECT_EQ(report_of(cms_of(sign_in)).signers[0].use, KeyUse::sign_in);
    EXPECT_EQ(verdict_of_cms_by(both), Verdict::good);
    EXPECT_EQ(verdict_of_cms_by(neither), Verdict::good);
}

TEST_F(Refusals, ASelfSignedStrangerIsUntrustedAndNotWithoutAnIssuer) {
    auto const stranger = test::make_authority(KeyKind::ec_p256, "ТЕСТОВ ТЕСТ");

    EXPECT_EQ(build_chain(m_settings.trusted, parsed(stranger), {}, now).state, ChainState::untrusted);
    EXPECT_EQ(build_chain(TrustSet{}, parsed(authority().root), {}, now).state, ChainState::untrusted);
    EXPECT_EQ(build_chain(TrustSet{{parsed(authority().root)}}, parsed(authority().root), {}, now).state,
              ChainState::good);
}

// ---- answers of the past ----

TEST_F(Refusals, AStampOfARevokedServiceProvesNothing) {
    auto const expired = make_citizen({.not_after = now - 10 * day});
    know(expired);
    auto const cms = cms_of(expired);
    auto const made_at = now - 20 * day;
    auto const signers = *unstamped_signers(cms);
    auto const query = *query_timestamp(DigestAlgorithm::sha256, signers[0].value, "");
    auto const token =
        read_timestamp_reply(query, test::answer_timestamp(authority(), query.der, made_at), made_at)->token;
    auto const stamped = *attach_timestamps(cms, {{signers[0].value, token}});
    auto const service = parsed(authority().timestamps);
    ASSERT_EQ(report_of(stamped).verdict(), Verdict::good) << "it had not expired when it was stamped";

    for (auto const revoked_at : {made_at + day, made_at - day}) {
        ASSERT_TRUE(m_settings.revocation.store(service, RevocationStatus{Revocation::revoked, revoked_at, now, 0}));
        auto const report = report_of(stamped);
        EXPECT_FALSE(report.signers[0].stamps[0].proves()) << "its key may have written any time";
        EXPECT_EQ(report.signers[0].chain.state, ChainState::expired);
        EXPECT_EQ(report.verdict(), Verdict::bad);
    }
}

TEST_F(Refusals, AStampOfAServiceRevokedLaterIsADoubtAndOneOfBeforeIsBad) {
    auto const service = parsed(authority().timestamps);
    auto const cms = cms_of(m_citizen);
    auto const signers = *unstamped_signers(cms);
    auto const query = *query_timestamp(DigestAlgorithm::sha256, signers[0].value, "");
    auto const token = read_timestamp_reply(query, test::answer_timestamp(authority(), query.der, now), now)->token;
    auto const stamped = *attach_timestamps(cms, {{signers[0].value, token}});

    ASSERT_TRUE(m_settings.revocation.store(service, RevocationStatus{Revocation::revoked, now + 1, now, 0}));
    EXPECT_EQ(report_of(stamped).verdict(), Verdict::unsettled);
    ASSERT_TRUE(m_settings.revocation.store(service, RevocationStatus{Revocation::revoked, now, now, 0}));
    EXPECT_EQ(report_of(stamped).verdict(), Verdict::bad);
}

TEST_F(Refusals, ARevokedCertificateDoesNotBecomeGoodByAnAnswerOfThePast) {
    auto const certificate = parsed(m_citizen);
    auto const issuer = parsed(authority().issuer);
    RevocationCache const cache{m_scratch / "answers"};
    auto const state = [&] { return cache.find(certificate, &issuer, now).state; };
    ASSERT_TRUE(cache.store(certificate, RevocationStatus{Revocation::good, 0, now - 3 * day, now + day}));
    ASSERT_EQ(state(), Revocation::good);

    ASSERT_TRUE(cache.store(issuer, *read_crl(test::make_crl(authority(), {m_citizen.certificate}, now), issuer)));
    EXPECT_EQ(state(), Revocation::revoked) << "the list knows more than an OCSP answer that still counts";

    auto const older = cache.store(issuer, *read_crl(test::make_crl(authority(), {}, now - 5 * 3600), issuer));
    ASSERT_FALSE(older);
    EXPECT_EQ(older.error().code, Errc::timeout);
    EXPECT_EQ(state(), Revocation::revoked);
}

TEST_F(Refusals, AnOcspAnswerOlderThanTheOneThatIsKnownIsNotKept) {
    auto const certificate = parsed(m_citizen);
    RevocationCache const cache{m_scratch / "answers"};
    ASSERT_TRUE(cache.store(certificate, RevocationStatus{Revocation::revoked, now - day, now, now + day}));

    for (auto const this_update : {now - 3600, now}) {
        auto const stored = cache.store(certificate, RevocationStatus{Revocation::good, 0, this_update, now + day});
        ASSERT_FALSE(stored);
        EXPECT_EQ(stored.error().code, Errc::timeout);
        EXPECT_EQ(cache.find(certificate, nullptr, now).state, Revocation::revoked);
    }
    EXPECT_TRUE(cache.store(certificate, RevocationStatus{Revocation::good, 0, now + 1, now + day}))
        << "taken back by the authority";
}

} // namespace
} // namespace tamga::signing

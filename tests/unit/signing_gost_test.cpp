// Kazakhstan's keys and digests (signing/gost.hpp, gost34311.hpp, foreign_keys.hpp): over the NCA's own certificates,
// over published vectors, and by OpenSSL's own functions for chains, CRLs and OCSP answers.
#include "signing/der.hpp"
#include "signing/foreign_keys.hpp"
#include "signing/gost34311.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <optional>

namespace tamga::signing {
namespace {

TEST(Gost34311, GivesThePublishedValuesOfTheTestParameters) {
    // The two sentences are those of the standard (RFC 5831 section 7.3); the last value is of the NCA's own software.
    EXPECT_EQ(to_hex(gost34311({})), "ce85b99cc46752fffee35cab9a7b0278abb4c2d2055cff685af4912c49490f8d");
    EXPECT_EQ(to_hex(gost34311(as_view("This is message, length=32 bytes"))),
              "b1c466d37519b82e8319819ff32595e047a28cb6f83eff1c6916a815a637fffa");
    EXPECT_EQ(to_hex(gost34311(as_view("Suppose the original message has length = 50 bytes"))),
              "471aba57a60a770d3a76130635c1fbea4ef14de51f78b4ae57dd893b62f55208");
    EXPECT_EQ(to_hex(gost34311(as_view(std::string(128, 'U')))),
              "53a3a3ed25180cef0c1d85a074273e551c25660a87062a52d926a9e8fe5733a4");
    EXPECT_EQ(to_hex(gost34311(as_view("asdasd"))), "08a5e8f4b3e3b01fac5e53af166e5e3bc9ce81eb2449aa8d744cd41fff3f72b6");
}

TEST(Streebog, AgreesWithTheOpensslCommand) {
    std::string const message = "Өтініш: анықтама беруіңізді сұраймын";
    test::Scratch scratch;
    scratch.write("message", as_view(message));
    for (auto const& [algorithm, name] : {std::pair{DigestAlgorithm::streebog512, "md_gost12_512"},
                                          std::pair{DigestAlgorithm::streebog256, "md_gost12_256"}}) {
        auto const said = scratch.attempt("OPENSSL_CONF=" TAMGA_TEST_DATA "/gost.cnf openssl dgst -r -" +
                                          std::string{name} + " message");

        ASSERT_EQ(said.status, 0) << said.output;
        EXPECT_EQ(to_hex(*digest(algorithm, as_view(message))), said.output.substr(0, said.output.find(' ')));
    }
}

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const {
        release(object);
    }
};

/// X509_verify_cert at `time`, with `root` trusted and `between` known. @return X509_V_OK or the error.
int verdict(::X509* leaf, ::X509* root, std::optional<Certificate> const& between, std::int64_t time) {
    std::unique_ptr<::X509_STORE, Release<X509_STORE_free>> const store{X509_STORE_new()};
    if (root != nullptr) X509_STORE_add_cert(store.get(), root);
    auto* untrusted = sk_X509_new_null();
    if (between) sk_X509_push(untrusted, between->x509());
    std::unique_ptr<::X509_STORE_CTX, Release<X509_STORE_CTX_free>> const context{X509_STORE_CTX_new()};
    X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted);
    X509_STORE_CTX_set_time(context.get(), 0, time);
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_verify_cert(context.get());
    sk_X509_free(untrusted);
    ERR_clear_error();
    return X509_STORE_CTX_get_error(context.get());
}

struct Issued {
    char const* leaf;
    char const* between; ///< or nullptr
    char const* root;    ///< or nullptr: nobody has it
    std::int64_t time;
};
void PrintTo(Issued const& issued, std::ostream* out) {
    *out << issued.leaf;
}

constexpr std::int64_t in_2019 = 1'560'000'000;
constexpr std::int64_t in_2022 = 1'662'000'000;
constexpr std::int64_t in_2026 = 1'780'000'000;

class PublishedCertificate : public testing::TestWithParam<Issued> {};
INSTANTIATE_TEST_SUITE_P(
    Nca, PublishedCertificate,
    testing::Values(Issued{"prod-root-gost2004-2015.pem", nullptr, "prod-root-gost2004-2015.pem", in_2019},
                    Issued{"prod-nca-gost2004-2018.pem", nullptr, "prod-root-gost2004-2015.pem", in_2019},
                    Issued{"prod-root-rsa-2015.pem", nullptr, "prod-root-rsa-2015.pem", in_2019},
                    Issued{"prod-nca-rsa-2015.pem", nullptr, "prod-root-rsa-2015.pem", in_2019},
                    Issued{"prod-nca-rsa-2018.pem", nullptr, "prod-root-rsa-2015.pem", in_2019},
                    Issued{"test-root-gost2015-2022.pem", nullptr, "test-root-gost2015-2022.pem", in_2022},
                    Issued{"test-nca-gost2015-2022.pem", nullptr, "test-root-gost2015-2022.pem", in_2022},
                    Issued{"test-ocsp-gost2015-2022.pem", "test-nca-gost2015-2022.pem", "test-root-gost2015-2022.pem",
                           in_2022}));

TEST_P(PublishedCertificate, IsVerifiedByItsIssuerAndRefusedWithOneBitChanged) {
    auto const& [leaf_name, between_name, root_name, time] = GetParam();
    auto const leaf = published(leaf_name);
    auto const root = published(root_name);
    auto const between = between_name != nullptr ? std::optional{*published(between_name)} : std::nullopt;
    ASSERT_TRUE(leaf && root);

    EXPECT_EQ(verdict(leaf->x509(), root->x509(), between, time), X509_V_OK);

    auto damaged = leaf->der();
    damaged[damaged.size() - 9] ^= 4; // in the signature
    auto const forged = Certificate::parse(damaged);
    ASSERT_TRUE(forged);
    // A root is trusted by its octets, so a changed one is just not it.
    EXPECT_NE(verdict(forged->x509(), root->x509(), between, time), X509_V_OK);
}

TEST(PublishedCertificates, WhoseIssuerNobodyHasAreMissingItAndNotWrong) {
    for (auto const& [name, time] : {std::pair{"prod-tsa-gost2015-2025.pem", in_2026},
                                     {"test-nca-gost2004-2019.pem", in_2019},
                                     {"test-nca-rsa-2019.pem", in_2019}}) {
        EXPECT_EQ(verdict(published(name)->x509(), nullptr, std::nullopt, time),
                  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
            << name;
    }
}

/// What a GOST authority of `kind` issues, over two levels.
class GostAuthority : public testing::TestWithParam<test::KeyKind> {
protected:
    test::TestKey m_root = test::make_authority(GetParam(), "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (ТЕСТ)");
    test::TestKey m_authority = test::make_authority(GetParam(), "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (ТЕСТ)", &m_root);
    Certificate m_certificate = *Certificate::parse(m_authority.certificate);
};
INSTANTIATE_TEST_SUITE_P(Kinds, GostAuthority,
                         testing::Values(test::KeyKind::gost2015_512, test::KeyKind::gost2015_256,
                                         test::KeyKind::gost2004));

TEST_P(GostAuthority, IsFollowedFromACitizensCertificateToTheRoot) {
    auto const citizen = test::make_certificate({.key = GetParam()}, &m_authority);
    auto const leaf = Certificate::parse(citizen.certificate);
    auto const root = Certificate::parse(m_root.certificate);
    ASSERT_TRUE(leaf && root);

    EXPECT_EQ(verdict(leaf->x509(), root->x509(), m_certificate, in_2026), X509_V_OK);
    EXPECT_EQ(verdict(leaf->x509(), root->x509(), std::nullopt, in_2026), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);

    auto damaged = citizen.certificate;
    damaged[damaged.size() - 1] ^= 1;
    EXPECT_EQ(verdict(Certificate::parse(damaged)->x509(), root->x509(), m_certificate, in_2026),
              X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

/// A CRL that somebody signed by ECDSA, signed by a GOST key in his place: OpenSSL has no function to do it.
Bytes signed_anew(View crl, test::TestKey const& issuer, std::string_view signature_oid) {
    auto rest = der::take(crl, der::sequence)->content;
    auto fields = der::take(rest, der::sequence)->content;
    auto const old_identifier = to_bytes(der::take(rest, der::sequence)->octets);
    auto const identifier = der::element(der::sequence, {der::oid(signature_oid), der::element(der::null, {})});
    Bytes content;
    while (auto const field = der::take(fields))
        der::append(content, std::ranges::equal(field->octets, old_identifier) ? View{identifier} : field->octets);
    auto const to_be_signed = der::element(der::sequence, {content});
    auto const raw = issuer.sign(to_be_signed);
    static constexpr unsigned char no_unused_bits = 0;
    auto const value = der::element(der::bit_string, {{&no_unused_bits, 1}, Bytes(raw.rbegin(), raw.rend())});
    return der::element(der::sequence, {to_be_signed, identifier, value});
}

TEST_P(GostAuthority, SignsACrlThatOpensslVerifies) {
    std::unique_ptr<::X509_CRL, Release<X509_CRL_free>> const plain{X509_CRL_new()};
    X509_CRL_set_issuer_name(plain.get(), X509_get_subject_name(m_certificate.x509()));
    auto* now = ASN1_TIME_set(nullptr, in_2026);
    X509_CRL_set1_lastUpdate(plain.get(), now);
    ASN1_TIME_free(now);
    ASSERT_GT(X509_CRL_sign(plain.get(), ec_signer().key.key.get(), EVP_sha256()), 0);
    unsigned char* octets = nullptr;
    auto const size = i2d_X509_CRL(plain.get(), &octets);
    auto signed_by_gost =
        signed_anew({octets, static_cast<std::size_t>(size)}, m_authority, m_certificate.algorithm().signature_oid);
    OPENSSL_free(octets);

    auto const verify = [&] {
        auto const* at = signed_by_gost.data();
        std::unique_ptr<::X509_CRL, Release<X509_CRL_free>> const crl{
            d2i_X509_CRL(nullptr, &at, static_cast<long>(signed_by_gost.size()))};
        auto const verified = crl ? X509_CRL_verify(crl.get(), X509_get0_pubkey(m_certificate.x509())) : -2;
        ERR_clear_error();
        return verified;
    };
    EXPECT_EQ(verify(), 1);
    signed_by_gost.back() ^= 1;
    EXPECT_EQ(verify(), 0);
}

TEST_P(GostAuthority, AnswersByOcspInAWayThatOpensslVerifies) {
    // OpenSSL can write the answer but not sign it: an EC key of the same name signs, then the GOST key in its place.
    auto const stand_in = test::make_authority(test::KeyKind::ec_p256, m_certificate.common_name());
    auto const stand_in_certificate = Certificate::parse(stand_in.certificate);
    std::unique_ptr<::OCSP_BASICRESP, Release<OCSP_BASICRESP_free>> const answer{OCSP_BASICRESP_new()};
    auto* asked = OCSP_cert_to_id(EVP_sha256(), m_certificate.x509(), m_certificate.x509());
    auto* now = ASN1_TIME_set(nullptr, in_2026);
    OCSP_basic_add1_status(answer.get(), asked, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, now, nullptr);
    ASN1_TIME_free(now);
    OCSP_CERTID_free(asked);
    ASSERT_EQ(OCSP_basic_sign(answer.get(), stand_in_certificate->x509(), stand_in.key.get(), EVP_sha256(), nullptr,
                              OCSP_NOCERTS),
              1);
    test::set_signature_algorithm(OCSP_resp_get0_tbs_sigalg(answer.get()), GetParam());
    unsigned char* octets = nullptr;
    auto const size = i2d_OCSP_RESPDATA(const_cast<OCSP_RESPDATA*>(OCSP_resp_get0_respdata(answer.get())), &octets);
    ASSERT_GT(size, 0);
    auto raw = m_authority.sign({octets, static_cast<std::size_t>(size)});
    OPENSSL_free(octets);
    std::unique_ptr<::X509_STORE, Release<X509_STORE_free>> const store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), Certificate::parse(m_root.certificate)->x509());
    X509_STORE_set_flags(store.get(), X509_V_FLAG_NO_CHECK_TIME);
    auto* certificates = sk_X509_new_null();
    sk_X509_push(certificates, m_certificate.x509());

    test::set_signature(OCSP_resp_get0_signature(answer.get()), raw);
    EXPECT_EQ(OCSP_basic_verify(answer.get(), certificates, store.get(), OCSP_TRUSTOTHER), 1);
    raw[5] ^= 1;
    test::set_signature(OCSP_resp_get0_signature(answer.get()), raw);
    EXPECT_NE(OCSP_basic_verify(answer.get(), certificates, store.get(), OCSP_TRUSTOTHER), 1);
    sk_X509_free(certificates);
    ERR_clear_error();
}

TEST(ForeignKey, WithAnotherCurveOrAnotherSBoxIsNotTaken) {
    for (std::string_view const oid : {"1.2.398.3.10.1.1.2.2.1", "1.2.398.3.10.1.3.3"}) {
        auto der = gost_signer().key.certificate;
        auto const wanted = der::oid(oid);
        auto const place = std::search(der.begin(), der.end(), wanted.begin(), wanted.end());
        ASSERT_NE(place, der.end());
        *(place + static_cast<std::ptrdiff_t>(wanted.size()) - 1) ^= 2;

        auto const certificate = Certificate::parse(der);

        ASSERT_FALSE(certificate) << oid;
        EXPECT_EQ(certificate.error().code, Errc::mechanism_unsupported);
    }
}

TEST(ForeignKey, SignatureUnderAnotherAlgorithmsNameIsNotOne) {
    auto const authority = test::make_authority(test::KeyKind::gost2015_512, "ТЕСТ");
    auto der = authority.certificate;
    auto const ours = der::oid("1.2.398.3.10.1.1.2.3.2");
    auto const theirs = der::oid("1.2.398.3.10.1.1.2.3.1");
    for (auto place = der.begin(); (place = std::search(place, der.end(), ours.begin(), ours.end())) != der.end();)
        std::ranges::copy(theirs, place);
    auto const renamed = Certificate::parse(der);
    ASSERT_TRUE(renamed);

    EXPECT_NE(X509_verify(renamed->x509(), X509_get0_pubkey(renamed->x509())), 1);
    ERR_clear_error();
}

} // namespace
} // namespace tamga::signing

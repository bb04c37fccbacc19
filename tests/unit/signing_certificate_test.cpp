// signing/certificate.hpp: what certificates say, and which ones fit.
#include "signing/der.hpp"
#include "tests/unit/signing_fixtures.hpp"

namespace tamga::signing {
namespace {

constexpr std::int64_t now = 1'800'000'000;

TEST(Certificate, PrintsTheNamesOfThePublishedCertificatesAsBouncyCastleDoes) {
    auto const nca = published("prod-nca-rsa-2015.pem");

    ASSERT_TRUE(nca) << nca.error().detail;
    EXPECT_EQ(nca->subject_dn(), "C=KZ,L=АСТАНА,ST=АСТАНА,O=РМК «МЕМЛЕКЕТТІК ТЕХНИКАЛЫҚ ҚЫЗМЕТ»,"
                                 "CN=ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)");
    EXPECT_EQ(nca->issuer_dn(), "CN=НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA),O=РМК «МЕМЛЕКЕТТІК ТЕХНИКАЛЫҚ ҚЫЗМЕТ»,C=KZ");
    EXPECT_EQ(nca->common_name(), "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)");
    EXPECT_EQ(nca->issuer_common_name(), "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)");
    EXPECT_EQ(nca->serial_number(), "126f33b221fdeb36d25be71b605cd42d2a65ef70");
    EXPECT_EQ(nca->authority_key_identifier(), "d4a51869ef8b3f15fdeaadbd47e094816b066a3b");
    EXPECT_EQ(nca->not_after(), 1595825220);
}

TEST(Certificate, ReadsEveryPublishedCertificate) {
    for (auto const& [name, algorithm] : {std::pair{"prod-nca-rsa-2015.pem", KeyAlgorithm::rsa},
                                          {"prod-nca-rsa-2018.pem", KeyAlgorithm::rsa},
                                          {"prod-root-rsa-2015.pem", KeyAlgorithm::rsa},
                                          {"test-nca-rsa-2019.pem", KeyAlgorithm::rsa},
                                          {"prod-root-gost2004-2015.pem", KeyAlgorithm::gost2004},
                                          {"prod-nca-gost2004-2018.pem", KeyAlgorithm::gost2004},
                                          {"test-nca-gost2004-2019.pem", KeyAlgorithm::gost2004},
                                          {"prod-tsa-gost2015-2025.pem", KeyAlgorithm::gost2015_512},
                                          {"test-root-gost2015-2022.pem", KeyAlgorithm::gost2015_512},
                                          {"test-nca-gost2015-2022.pem", KeyAlgorithm::gost2015_512},
                                          {"test-ocsp-gost2015-2022.pem", KeyAlgorithm::gost2015_512}}) {
        auto const certificate = published(name);

        ASSERT_TRUE(certificate) << name << ": " << certificate.error().detail;
        EXPECT_EQ(certificate->algorithm().key, algorithm) << name;
    }
}

TEST(Certificate, WhoseKeyIsNotInTheRegistryIsUnsupported) {
    test::Scratch scratch;
    auto const made =
        scratch.attempt("openssl req -x509 -newkey ed25519 -nodes -keyout k.pem -subj /CN=x -outform DER -out c.der");
    ASSERT_EQ(made.status, 0) << made.output;

    auto const certificate = Certificate::parse(scratch.read_octets("c.der"));

    ASSERT_FALSE(certificate);
    EXPECT_EQ(certificate.error().code, Errc::mechanism_unsupported);
}

TEST(Certificate, TellsAnIndividualsNumberAndNames) {
    auto const& certificate = rsa_signer().certificate;

    EXPECT_EQ(certificate.subject_dn(),
              "CN=ТЕСТОВ ТЕСТ,SURNAME=ТЕСТОВ,SERIALNUMBER=IIN123456789011,C=KZ,GIVENNAME=ТЕСТОВИЧ");
    EXPECT_EQ(certificate.iin(), "123456789011");
    EXPECT_EQ(certificate.bin(), "");
    EXPECT_EQ(certificate.patronymic(), "ТЕСТОВИЧ");
    EXPECT_EQ(certificate.algorithm().name, "RSA");
    EXPECT_EQ(ec_signer().certificate.algorithm().name, "EC");
}

TEST(Certificate, TellsAnOrganisationAndEscapesItsName) {
    auto const certificate =
        make_signer({.key = test::KeyKind::ec_p256, .bin = "012345678901", .organisation = "#АО \"А,Б\" <+;\\>"})
            .certificate;

    EXPECT_EQ(certificate.bin(), "012345678901");
    EXPECT_EQ(certificate.organisation(), "#АО \"А,Б\" <+;\\>");
    EXPECT_NE(certificate.subject_dn().find(R"(,O=\#АО \"А\,Б\" \<\+\;\\\>,OU=BIN012345678901,)"), std::string::npos)
        << certificate.subject_dn();
}

TEST(Certificate, AgreesWithOpensslAboutSerialNumberAndPem) {
    auto const& certificate = rsa_signer().certificate;
    test::Scratch scratch;
    scratch.write("c.pem", certificate.pem());

    auto const said = scratch.attempt("openssl x509 -in c.pem -noout -serial | tr A-F a-f");

    ASSERT_EQ(said.status, 0) << said.output;
    auto const serial = said.output.substr(7, said.output.size() - 8);
    EXPECT_EQ(certificate.serial_number(), serial.substr(serial.find_first_not_of('0')));
}

TEST(Certificate, MustEndWhereItsOctetsEnd) {
    auto der = rsa_signer().certificate.der();
    der.push_back(0);

    EXPECT_FALSE(Certificate::parse(der));
    EXPECT_FALSE(Certificate::parse(View{der}.first(der.size() - 2)));
    EXPECT_FALSE(Certificate::parse({}));
}

/// A filter of which one member is set.
template <class T>
ipc::KeyFilter only(T ipc::KeyFilter::*member, std::type_identity_t<T> value) {
    ipc::KeyFilter filter;
    filter.*member = std::move(value);
    return filter;
}

/// OpenSSL takes a length in eight octets and keeps it; CMS needs issuer and number in the certificate's own octets.
TEST(Certificate, WhoseOwnOctetsCannotBeTakenApartIsNone) {
    auto const good = test::make_certificate().certificate;
    View rest{good};
    auto const whole = der::take(rest, der::sequence);
    rest = whole->content;
    auto const to_be_signed = der::take(rest, der::sequence);
    auto const size = to_be_signed->content.size();
    Bytes odd{
        der::sequence, 0x88, 0, 0, 0, 0, 0, 0, static_cast<unsigned char>(size >> 8), static_cast<unsigned char>(size)};
    der::append(odd, to_be_signed->content);

    EXPECT_EQ(Certificate::parse(der::element(der::sequence, {odd, rest})).error().code, Errc::bad_request);
    EXPECT_TRUE(Certificate::parse(der::element(der::sequence, {to_be_signed->octets, rest})));
}

TEST(Misfit, NamesTheFirstReason) {
    auto const& certificate = rsa_signer().certificate;

    EXPECT_EQ(misfit(certificate, {}, now), std::nullopt);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::extended_key_usages, {std::string{eku_email_protection}}), now),
              std::nullopt);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::extended_key_usages, {std::string{eku_client_auth}}), now),
              Misfit::usage);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::iin, "123456789011"), now), std::nullopt);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::iin, "123456789012"), now), Misfit::person);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::bin, "123456789011"), now), Misfit::organisation);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::serial_number, "1"), now), Misfit::serial_number);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::serial_number, certificate.serial_number()), now),
              std::nullopt);
}

TEST(Misfit, LetsAnExpiredCertificateThroughOnlyWhereAsked) {
    auto const& certificate = rsa_signer().certificate;

    EXPECT_EQ(misfit(certificate, {}, certificate.not_before() - 1), Misfit::not_yet_valid);
    EXPECT_EQ(misfit(certificate, {}, certificate.not_after()), std::nullopt);
    EXPECT_EQ(misfit(certificate, {}, certificate.not_after() + 1), Misfit::expired);
    EXPECT_EQ(misfit(certificate, only(&ipc::KeyFilter::allow_expired, true), certificate.not_after() + 1),
              std::nullopt);
}

class EverySigner : public testing::TestWithParam<Signer const& (*)()> {};
INSTANTIATE_TEST_SUITE_P(Verify, EverySigner,
                         testing::Values(rsa_signer, ec_signer, gost_signer, gost_256_signer, gost_2004_signer));

TEST_P(EverySigner, SignatureIsAcceptedOverItsOctetsAlone) {
    auto const& [key, certificate] = GetParam()();
    auto const octets = as_view("to be signed");
    auto const signature = key.sign(octets);

    EXPECT_TRUE(verify_raw(certificate, octets, signature));
    auto const hashed = *digest(certificate.algorithm().digest, octets);
    EXPECT_TRUE(verify_digest(certificate, hashed, signature));
    EXPECT_FALSE(verify_raw(certificate, as_view("to be signeD"), signature));
    EXPECT_FALSE(verify_digest(certificate, View{hashed}.first(31), signature));
    EXPECT_FALSE(verify_raw(certificate, octets, {}));
}

TEST_P(EverySigner, SignatureWithOneBitChangedIsRefused) {
    auto const& [key, certificate] = GetParam()();
    auto signature = key.sign(as_view("to be signed"));

    for (std::size_t i = 0; i < signature.size(); ++i) {
        signature[i] ^= 1;
        auto const verdict = verify_raw(certificate, as_view("to be signed"), signature);
        ASSERT_FALSE(verdict) << i;
        EXPECT_EQ(verdict.error().code, Errc::signature_invalid);
        signature[i] ^= 1;
    }
}

TEST(Algorithm, IsFoundByItsXmlName) {
    EXPECT_EQ(algorithm_by_xml_uri("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
              &algorithm(KeyAlgorithm::ec_p256));
    EXPECT_EQ(algorithm_by_xml_uri("http://www.w3.org/2000/09/xmldsig#rsa-sha1"), nullptr);
}

} // namespace
} // namespace tamga::signing

// A computer without libengine-gost-openssl: ctest starts this program with OPENSSL_ENGINES pointing to where no engine
// is.
#include "signing/gost.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstdlib>

namespace tamga::signing {
namespace {

class WithoutGost : public testing::Test {
protected:
    void SetUp() override { ASSERT_STREQ(std::getenv("OPENSSL_ENGINES"), "/nonexistent") << "start it with ctest"; }
};

TEST_F(WithoutGost, RsaSignsAndVerifies) {
    auto const& [key, certificate] = rsa_signer();

    EXPECT_TRUE(available(certificate.algorithm()));
    EXPECT_TRUE(verify_raw(certificate, as_view("to be signed"), key.sign(as_view("to be signed"))));
}

TEST_F(WithoutGost, GostCertificatesAreReadAndTheirOwnersKnown) {
    auto const certificate = published("test-nca-gost2015-2022.pem");

    ASSERT_TRUE(certificate) << certificate.error().detail;
    EXPECT_EQ(certificate->algorithm().key, KeyAlgorithm::gost2015_512);
    EXPECT_EQ(certificate->common_name(), "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST) TEST 2022");
}

TEST_F(WithoutGost, GostSignaturesAreUnavailableAndTheErrorNamesThePackage) {
    auto const certificate = published("test-root-gost2015-2022.pem");
    ASSERT_TRUE(certificate);

    auto const usable = available(certificate->algorithm());
    auto const hashed = digest(DigestAlgorithm::streebog512, as_view("text"));
    auto const verified = verify_raw(*certificate, as_view("text"), Bytes(128, 1));

    ASSERT_FALSE(usable);
    EXPECT_EQ(usable.error().code, Errc::algorithm_unavailable);
    EXPECT_NE(usable.error().detail.find("libengine-gost-openssl"), std::string::npos);
    ASSERT_FALSE(hashed);
    EXPECT_EQ(hashed.error().code, Errc::algorithm_unavailable);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, Errc::algorithm_unavailable) << "which is not the same as a wrong signature";
    EXPECT_NE(X509_verify(certificate->x509(), X509_get0_pubkey(certificate->x509())), 1);
    ERR_clear_error();
}

TEST_F(WithoutGost, TheOldDigestNeedsNoEngine) {
    EXPECT_TRUE(digest(DigestAlgorithm::gost34311, as_view("text")));
}

} // namespace
} // namespace tamga::signing

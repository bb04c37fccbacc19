// signing/cms.hpp, judged by `openssl cms`.
#include "signing/cms.hpp"
#include "signing/der.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <algorithm>

namespace tamga::signing {
namespace {

constexpr std::int64_t now = 1'790'000'000;

/// The SignerInfos of a CMS as they are encoded.
std::vector<Bytes> signer_infos(View cms) {
    auto explicit_content = der::take(cms, der::sequence)->content;
    der::take(explicit_content, der::object_identifier);
    auto wrapped = der::take(explicit_content, der::context_0)->content;
    auto members = der::take(wrapped, der::sequence)->content;
    View set;
    while (auto const member = der::take(members))
        set = member->content;
    std::vector<Bytes> infos;
    while (auto const info = der::take(set))
        infos.push_back(to_bytes(info->octets));
    return infos;
}

class Cms : public testing::Test {
protected:
    void SetUp() override { m_scratch.write("ca.pem", test::ca_certificate_pem()); }

    static Bytes sign(Signer const& signer, View content, Encapsulation encapsulation,
                      ExistingCms const* existing = nullptr) {
        auto const to_be_signed = prepare_cms(signer.certificate, sha256(content), now);
        auto const cms = finish_cms(signer.certificate, *to_be_signed, signer.key.sign(*to_be_signed), content,
                                    encapsulation, existing);
        EXPECT_TRUE(cms) << (cms ? "" : cms.error().detail);
        return *cms;
    }

    /// What OpenSSL thinks of it; the content it found goes to the file "out".
    test::Outcome verify(View cms, std::string const& options = "") {
        m_scratch.write("cms", cms);
        return m_scratch.attempt("openssl cms -verify -cades -binary -inform DER -in cms -CAfile ca.pem -purpose any "
                                 "-attime 1790000000 -out out " +
                                 options);
    }

    test::Scratch m_scratch;
};

class CmsOfEverySigner : public Cms, public testing::WithParamInterface<Signer const& (*)()> {};
INSTANTIATE_TEST_SUITE_P(Signer, CmsOfEverySigner, testing::Values(rsa_signer, ec_signer));

TEST_P(CmsOfEverySigner, AttachedIsVerifiedAndGivesItsContent) {
    std::string const content = "Келісемін / согласен\r\n\0 тест";

    auto const verdict = verify(sign(GetParam()(), as_view(content), Encapsulation::attached));

    EXPECT_EQ(verdict.status, 0) << verdict.output;
    EXPECT_EQ(m_scratch.read("out"), content);
}

TEST_P(CmsOfEverySigner, DetachedIsVerifiedOverItsContentAlone) {
    m_scratch.write("content", as_view("document"));
    m_scratch.write("other", as_view("documenT"));
    auto const cms = sign(GetParam()(), as_view("document"), Encapsulation::detached);

    EXPECT_EQ(verify(cms, "-content content").status, 0);
    EXPECT_NE(verify(cms, "-content other").status, 0);
}

TEST_P(CmsOfEverySigner, EmptyAndLargeContentsAreVerified) {
    for (std::size_t const size : {0U, 1U, 127U, 128U, 255U, 256U, 65535U, 65536U, 1U << 21}) {
        Bytes const content(size, 'x');

        auto const cms = sign(GetParam()(), content, Encapsulation::attached);

        EXPECT_EQ(cms.capacity(), cms.size()) << "one allocation, as long as it has to be";
        auto const verdict = verify(cms);
        EXPECT_EQ(verdict.status, 0) << size << verdict.output;
        EXPECT_EQ(m_scratch.read_octets("out"), content) << size;
    }
}

TEST_F(Cms, IsWrittenAsTheNcaWritesIt) {
    m_scratch.write("cms", sign(rsa_signer(), as_view("hi"), Encapsulation::attached));

    auto const printed = m_scratch.attempt("openssl cms -cmsout -print -noout -inform DER -in cms").output;
    auto const reencoded =
        m_scratch.attempt("openssl cms -cmsout -inform DER -in cms -outform DER -out again && cmp cms again");

    for (char const* line : {"contentType: pkcs7-signedData (1.2.840.113549.1.7.2)", "version: 1",
                             "algorithm: sha256WithRSAEncryption (1.2.840.113549.1.1.11)", "parameter: NULL",
                             "object: signingTime (1.2.840.113549.1.9.5)", "UTCTIME:Sep 21 14:13:20 2026 GMT",
                             "object: id-smime-aa-signingCertificateV2", "d.issuerAndSerialNumber:"}) {
        EXPECT_NE(printed.find(line), std::string::npos) << line << "\n" << printed;
    }
    EXPECT_EQ(reencoded.status, 0) << "DER: " << reencoded.output;
}

TEST_F(Cms, AnyChangedBitOfTheSignerIsRefused) {
    auto cms = sign(ec_signer(), as_view("hi"), Encapsulation::attached);
    auto const signed_value = cms.size() - 4;
    cms[signed_value] ^= 1;

    EXPECT_NE(verify(cms).status, 0);
}

TEST_F(Cms, GetsASecondSignerAndKeepsTheFirstOctetByOctet) {
    auto const first = sign(rsa_signer(), as_view("contract"), Encapsulation::attached);
    auto const existing = ExistingCms::recognise(first);
    ASSERT_TRUE(existing);
    auto const content = existing->content();
    ASSERT_TRUE(content) << content.error().detail;

    auto const both = sign(ec_signer(), *content, Encapsulation::attached, &*existing);

    auto const verdict = verify(both, "-signer signers.pem");
    EXPECT_EQ(verdict.status, 0) << verdict.output;
    EXPECT_EQ(m_scratch.read("out"), "contract");
    EXPECT_EQ(m_scratch.attempt("grep -c BEGIN signers.pem").output, "2\n");
    auto const signers = signer_infos(both);
    ASSERT_EQ(signers.size(), 2U);
    EXPECT_EQ(std::ranges::count(signers, signer_infos(first).front()), 1);
    EXPECT_EQ(
        m_scratch.attempt("openssl cms -cmsout -inform DER -in cms -outform DER -out again && cmp cms again").status, 0)
        << "DER, with its sets in order";
}

TEST_F(Cms, GetsTheSameSignerTwiceWithOneCertificate) {
    auto const existing = ExistingCms::recognise(sign(rsa_signer(), as_view("x"), Encapsulation::attached));

    auto const twice = sign(rsa_signer(), as_view("x"), Encapsulation::attached, &*existing);

    EXPECT_EQ(verify(twice, "-certsout certificates.pem").status, 0);
    EXPECT_EQ(m_scratch.attempt("grep -c BEGIN certificates.pem").output, "1\n");
}

TEST_F(Cms, MadeByOpensslInBerGetsASigner) {
    m_scratch.write("c.pem", rsa_signer().certificate.pem());
    m_scratch.write("k.pem", rsa_signer().key.private_key_pem());
    m_scratch.write("content", Bytes(20'000, 'y'));
    auto const made =
        m_scratch.attempt("openssl cms -sign -cades -stream -nodetach -binary -signer c.pem -inkey k.pem -in content "
                          "-outform DER -out ber");
    ASSERT_EQ(made.status, 0) << made.output;
    auto const ber = m_scratch.read_octets("ber");
    ASSERT_EQ(ber[1], 0x80) << "indefinite length";

    auto const existing = ExistingCms::recognise(ber);
    ASSERT_TRUE(existing);
    auto const content = existing->content();
    ASSERT_TRUE(content) << content.error().detail;
    auto const verdict =
        verify(sign(ec_signer(), *content, Encapsulation::attached, &*existing), "-signer signers.pem");

    EXPECT_EQ(verdict.status, 0) << verdict.output;
    EXPECT_EQ(m_scratch.read_octets("out"), Bytes(20'000, 'y'));
    EXPECT_EQ(m_scratch.attempt("grep -c BEGIN signers.pem").output, "2\n");
}

TEST_F(Cms, WithASignerOfVersion3IsOfVersion3) {
    m_scratch.write("c.pem", rsa_signer().certificate.pem());
    m_scratch.write("k.pem", rsa_signer().key.private_key_pem());
    auto const made =
        m_scratch.attempt("echo y > content; openssl cms -sign -cades -keyid -nodetach -binary -signer c.pem -inkey "
                          "k.pem -in content -outform DER -out v3");
    ASSERT_EQ(made.status, 0) << made.output;
    auto const existing = ExistingCms::recognise(m_scratch.read_octets("v3"));
    ASSERT_TRUE(existing);

    auto const verdict = verify(sign(ec_signer(), *existing->content(), Encapsulation::attached, &*existing));

    EXPECT_EQ(verdict.status, 0) << verdict.output;
    EXPECT_EQ(m_scratch.attempt("openssl asn1parse -inform DER -in cms | grep -m1 INTEGER | grep -c ':03'").output,
              "1\n");
}

TEST_F(Cms, DetachedHasNoContentToBeSignedAgain) {
    auto const existing = ExistingCms::recognise(sign(rsa_signer(), as_view("x"), Encapsulation::detached));

    ASSERT_TRUE(existing);
    EXPECT_EQ(existing->content().error().code, Errc::cms_malformed);
}

TEST_F(Cms, IsNotRecognisedInAnythingElse) {
    auto const cms = sign(ec_signer(), as_view("x"), Encapsulation::attached);
    for (std::size_t size = 0; size < cms.size(); ++size) {
        EXPECT_FALSE(ExistingCms::recognise(View{cms}.first(size))) << size;
    }
    auto longer = cms;
    longer.push_back(0);

    EXPECT_FALSE(ExistingCms::recognise(longer));
    EXPECT_FALSE(ExistingCms::recognise(rsa_signer().certificate.der()));
    EXPECT_FALSE(ExistingCms::recognise(as_view("%PDF-1.7")));
    EXPECT_FALSE(ExistingCms::recognise(Bytes(100'000, 0x30)));
    Bytes nested;
    for (int i = 0; i < 50'000; ++i)
        nested.insert(nested.end(), {0x30, 0x80});
    EXPECT_FALSE(ExistingCms::recognise(nested)) << "lengths nest without end";
}

TEST_F(Cms, RefusesADigestOfAnotherLength) {
    for (std::size_t const size : {0U, 20U, 31U, 33U, 64U}) {
        auto const refused = prepare_cms(rsa_signer().certificate, Bytes(size), now);

        ASSERT_FALSE(refused) << size;
        EXPECT_EQ(refused.error().code, Errc::digest_length);
    }
}

} // namespace
} // namespace tamga::signing

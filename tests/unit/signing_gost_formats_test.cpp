// CMS and XML with GOST keys. What the openssl command knows it judges: the structure in the CMS's Russian twin, the
// signature itself by its own digest and its own arithmetic.
#include "base/base64.hpp"
#include "signing/cms.hpp"
#include "signing/der.hpp"
#include "signing/xml.hpp"
#include "tests/support/russian_twin.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <algorithm>

namespace tamga::signing {
namespace {

constexpr std::int64_t now = 1'790'000'000;

class GostFormats : public testing::TestWithParam<Signer const& (*)()> {
protected:
    [[nodiscard]] static Signer const& signer() { return GetParam()(); }
    [[nodiscard]] static std::string digest_option() {
        return signer().certificate.algorithm().digest_size == 64 ? "-md_gost12_512" : "-md_gost12_256";
    }

    static Bytes sign_cms(Signer const& by, View content, Encapsulation encapsulation,
                          ExistingCms const* existing = nullptr) {
        auto const hashed = digest(by.certificate.algorithm().digest, content);
        auto const to_be_signed = prepare_cms(by.certificate, *hashed, now);
        auto const cms =
            finish_cms(by.certificate, *to_be_signed, by.key.sign(*to_be_signed), content, encapsulation, existing);
        EXPECT_TRUE(cms) << (cms ? "" : cms.error().detail);
        return *cms;
    }

    /// "twin.pem": a certificate of the same key as gost-engine writes it.
    void make_twin_certificate() {
        m_scratch.write("key.pem", as_view(signer().key.private_key_pem()));
        auto const made =
            run("openssl req -x509 -new -key key.pem -utf8 -subj /CN=TWIN -out twin.pem " + digest_option() +
                " && openssl x509 -in twin.pem -outform DER -out twin.der && "
                "openssl pkey -in key.pem -pubout -out public.pem");
        ASSERT_EQ(made.status, 0) << made.output;
    }
    test::Outcome run(std::string const& command) {
        return m_scratch.attempt("export OPENSSL_CONF=" TAMGA_TEST_DATA "/gost.cnf; " + command);
    }
    /// Whether the openssl command finds `value`, as Kazakhstan writes it, to be a signature over `octets`.
    test::Outcome judge(View octets, View value) {
        m_scratch.write("octets", octets);
        m_scratch.write("value", Bytes(value.rbegin(), value.rend()));
        return run("openssl dgst " + digest_option() +
                   " -binary -out digest octets && openssl pkeyutl -verify -pubin -inkey public.pem -in digest "
                   "-sigfile value");
    }

    test::Scratch m_scratch;
};
INSTANTIATE_TEST_SUITE_P(Sizes, GostFormats, testing::Values(gost_signer, gost_256_signer));

TEST_P(GostFormats, CmsIsJudgedByOpensslThroughItsRussianTwin) {
    make_twin_certificate();
    std::string const content = "Келісемін / согласен";
    for (auto const encapsulation : {Encapsulation::attached, Encapsulation::detached}) {
        auto const cms = sign_cms(signer(), as_view(content), encapsulation);
        auto const twin = test::russian_twin(cms, signer().key, m_scratch.read_octets("twin.der"));
        m_scratch.write("twin.cms", twin);
        m_scratch.write("content", as_view(content));
        std::string const verify =
            "openssl cms -verify -cades -binary -inform DER -in twin.cms -CAfile twin.pem -purpose "
            "any -no_check_time -out out";

        auto const good = run(verify + (encapsulation == Encapsulation::detached ? " -content content" : ""));
        EXPECT_EQ(good.status, 0) << good.output;
        EXPECT_EQ(as_text(m_scratch.read_octets("out")), content);
        m_scratch.write("content", as_view(content + "."));
        EXPECT_NE(run(verify + " -content content").status, 0);
    }
}

TEST_P(GostFormats, CmsHoldsASignatureThatOpensslVerifies) {
    make_twin_certificate();
    auto const [attributes, value] =
        test::signer_parts(sign_cms(signer(), as_view("document"), Encapsulation::detached));

    EXPECT_EQ(judge(attributes, value).status, 0) << judge(attributes, value).output;
    auto changed = value;
    changed[0] ^= 1;
    EXPECT_NE(judge(attributes, changed).status, 0);
}

TEST_P(GostFormats, CmsIsWrittenAsTheNcaWritesIt) {
    auto const cms = sign_cms(signer(), as_view("hi"), Encapsulation::attached);
    m_scratch.write("cms", cms);

    auto const printed = m_scratch.attempt("openssl cms -cmsout -print -noout -inform DER -in cms").output;
    auto const reencoded =
        m_scratch.attempt("openssl cms -cmsout -inform DER -in cms -outform DER -out again && cmp cms again");

    std::string const size = signer().certificate.algorithm().digest_size == 64 ? "512" : "256";
    std::string const digest_name = size == "512" ? "(1.2.398.3.10.1.3.3)" : "(1.2.398.3.10.1.3.2)";
    std::string const signature_name = size == "512" ? "(1.2.398.3.10.1.1.2.3.2)" : "(1.2.398.3.10.1.1.2.3.1)";
    auto const digest_at = printed.find(digest_name);
    auto const signature_at = printed.rfind(signature_name);
    ASSERT_NE(digest_at, std::string::npos) << printed;
    ASSERT_NE(signature_at, std::string::npos) << printed;
    EXPECT_EQ(printed.find("parameter: NULL", digest_at), printed.find("parameter:", digest_at));
    EXPECT_EQ(printed.find("parameter: NULL", signature_at), printed.find("parameter:", signature_at));
    for (char const* line : {"object: contentType", "object: signingTime", "object: messageDigest",
                             "object: id-smime-aa-signingCertificateV2", "d.issuerAndSerialNumber:"}) {
        EXPECT_NE(printed.find(line), std::string::npos) << line;
    }
    EXPECT_EQ(reencoded.status, 0) << "DER: " << reencoded.output;
}

TEST_P(GostFormats, GostAndRsaSignersStandInOneCmsEachAsItWas) {
    auto const first = sign_cms(signer(), as_view("contract"), Encapsulation::attached);
    auto const existing = ExistingCms::recognise(first);
    ASSERT_TRUE(existing);

    auto const both = sign_cms(rsa_signer(), *existing->content(), Encapsulation::attached, &*existing);

    auto const parts = test::signer_parts(first);
    EXPECT_NE(std::search(both.begin(), both.end(), parts.value.begin(), parts.value.end()), both.end());
    auto const printed = [&] {
        m_scratch.write("cms", both);
        return m_scratch.attempt("openssl cms -cmsout -print -noout -inform DER -in cms").output;
    }();
    EXPECT_NE(printed.find("sha256WithRSAEncryption"), std::string::npos);
    EXPECT_NE(printed.find("1.2.398.3.10.1.1.2.3."), std::string::npos);
}

TEST_P(GostFormats, XmlCarriesTheNcasNamesAndASignatureThatOpensslVerifies) {
    make_twin_certificate();
    auto const& algorithm = signer().certificate.algorithm();
    std::string const size = algorithm.digest_size == 64 ? "512" : "256";
    auto document = XmlDocument::parse("<request><service>demo</service></request>", {});
    ASSERT_TRUE(document);
    auto const hashed = digest(algorithm.digest, *document->canonical());
    auto const signed_info = document->prepare(signer().certificate, *hashed);
    ASSERT_TRUE(signed_info);

    auto const text = document->finish(signer().key.sign(*signed_info));

    ASSERT_TRUE(text);
    std::string const names = "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:";
    EXPECT_NE(text->find("<ds:SignatureMethod Algorithm=\"" + names + "gostr34102015-gostr34112015-" + size + "\"/>"),
              std::string::npos)
        << *text;
    EXPECT_NE(text->find("<ds:DigestMethod Algorithm=\"" + names + "gostr34112015-" + size + "\"/>"),
              std::string::npos);
    EXPECT_EQ(text->find('\n', text->find("<ds:Signature ")), std::string::npos) << "compact";

    auto const value_at = text->find("<ds:SignatureValue>") + 19;
    auto const value = from_base64(std::string_view{*text}.substr(value_at, text->find('<', value_at) - value_at));
    ASSERT_TRUE(value);
    // xmllint's canonical form is the C14N that the signature names.
    auto const signed_info_at = text->find("<ds:SignedInfo>");
    auto element = text->substr(signed_info_at, text->find("</ds:SignedInfo>") + 16 - signed_info_at);
    element.insert(element.find('>'), " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"");
    m_scratch.write("signed-info.xml", as_view(element));
    ASSERT_EQ(m_scratch.attempt("xmllint --c14n signed-info.xml > canonical").status, 0);
    EXPECT_EQ(judge(m_scratch.read_octets("canonical"), *value).status, 0);
}

} // namespace
} // namespace tamga::signing

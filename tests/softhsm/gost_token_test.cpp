// GOST keys on a token: what tamga-token finds and signs over the GOST test module, judged by the openssl command.
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/gost_token.hpp"
#include "tests/support/russian_twin.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/token_driver.hpp"

#include "signing/cms.hpp"

#include <gtest/gtest.h>

namespace tamga::test {
namespace {

using ipc::Form;
using ipc::RequestId;

constexpr ipc::SlotId slot{0};

class GostTokenTest : public ::testing::Test {
protected:
    signing::Certificate add(std::string const& name, GostToken::KeySpec const& spec) {
        auto const made = token.add(spec);
        folder.write(name + "-public.pem", made.public_key);
        return *signing::Certificate::parse(made.certificate);
    }
    void configure(std::string const& order = "s_r") {
        folder.write("config/tamga/modules.toml", token.configuration(order));
    }

    /// Signs a document as CMS, from the unlock to the logout.
    static Result<Bytes> sign(TokenDriver& driver, RequestId request, signing::Certificate const& certificate,
                              std::string_view document) {
        auto prompt = driver.prompt(request);
        if (!unlock(prompt, slot, GostToken::pin).reply.status.ok) return Error{Errc::internal, "unlock"};
        auto const digest = signing::digest(certificate.algorithm().digest, as_view(document));
        if (auto given = give(prompt, mandate_for(request, Form::cms, certificate, {*digest})); !given) {
            return given.error();
        }
        auto const item = signing::prepare_cms(certificate, *digest, unix_now());
        auto const signatures = driver.sign(request, {*item});
        if (!signatures) return signatures.error();
        if (!driver.web.send(ipc::FinishLease{request})) return Errc::channel_closed;
        EXPECT_TRUE(driver.lease_ended().status.ok);
        return signing::finish_cms(certificate, *item, signatures->at(0), as_view(document),
                                   signing::Encapsulation::attached);
    }

    /// Throws where the openssl command does not find that NAME signed the attributes of `cms`.
    void judge(std::string const& name, signing::Certificate const& certificate, View cms) const {
        auto const [attributes, value] = signer_parts(cms);
        std::string const bits = certificate.algorithm().digest_size == 64 ? "512" : "256";
        folder.write("attributes", std::string{as_text(attributes)});
        folder.write("value", std::string{value.rbegin(), value.rend()});
        folder.run("export OPENSSL_CONF=" TAMGA_TEST_DATA "/gost.cnf; openssl dgst -md_gost12_" + bits +
                   " -binary -out digest attributes && openssl pkeyutl -verify -pubin -inkey " + name +
                   "-public.pem -in digest -sigfile value");
    }

    Scratch folder;
    GostToken token{folder.path()};
};

TEST_F(GostTokenTest, ListsGostAndRsaCertificatesWithoutAPin) {
    auto const gost = add("gost", {.owner = {.key = KeyKind::gost2015_512}, .id = "g", .certificate_id = "g"});
    auto const rsa = add("rsa", {.owner = {.key = KeyKind::rsa_2048}, .id = "r", .certificate_id = "r"});
    configure();
    TokenDriver driver{folder.path()};

    auto const listed = driver.list(ipc::Depth::certificates);

    ASSERT_EQ(listed.certificates.size(), 2U);
    EXPECT_EQ(listed.certificates[0].der, gost.der());
    EXPECT_EQ(listed.certificates[1].der, rsa.der());
}

TEST_F(GostTokenTest, SignsWithTheGostAndTheRsaKeyOfOneToken) {
    auto const gost = add("gost", {.owner = {.key = KeyKind::gost2015_512}});
    auto const rsa = add("rsa", {.owner = {.key = KeyKind::rsa_2048}}); // of the same CKA_ID
    configure();
    TokenDriver driver{folder.path()};

    auto const by_gost = sign(driver, RequestId{1}, gost, "Өтініш");
    auto const by_rsa = sign(driver, RequestId{2}, rsa, "Өтініш");

    ASSERT_TRUE(by_gost) << by_gost.error().detail;
    EXPECT_NO_THROW(judge("gost", gost, *by_gost));
    ASSERT_TRUE(by_rsa) << by_rsa.error().detail;
    folder.write("rsa.cms", std::string{as_text(*by_rsa)});
    folder.write("ca.pem", ca_certificate_pem());
    folder.run("openssl cms -verify -cades -binary -inform DER -in rsa.cms -CAfile ca.pem -purpose any -out content");
    EXPECT_EQ(folder.read("content"), "Өтініш");
}

struct Written {
    KeyKind kind;
    char const* order;
};
void PrintTo(Written const& written, std::ostream* out) {
    *out << static_cast<int>(written.kind) << ' ' << written.order;
}

class GostOrder : public GostTokenTest, public ::testing::WithParamInterface<Written> {};
INSTANTIATE_TEST_SUITE_P(Modules, GostOrder,
                         ::testing::Values(Written{KeyKind::gost2015_512, "s_r"}, Written{KeyKind::gost2015_512, "r_s"},
                                           Written{KeyKind::gost2015_512, "reversed"},
                                           Written{KeyKind::gost2015_512, "halves_reversed"},
                                           Written{KeyKind::gost2015_256, "s_r"}, Written{KeyKind::gost2015_256, "r_s"},
                                           Written{KeyKind::gost2015_256, "reversed"},
                                           Written{KeyKind::gost2015_256, "halves_reversed"}));

TEST_P(GostOrder, OfTheModulesSignatureIsFoundOutAndTheResultIsKazakhstans) {
    auto const certificate = add("key", {.owner = {.key = GetParam().kind}});
    configure(GetParam().order);
    TokenDriver driver{folder.path()};

    auto const cms = sign(driver, RequestId{1}, certificate, "document");

    ASSERT_TRUE(cms) << cms.error().detail;
    EXPECT_NO_THROW(judge("key", certificate, *cms));
}

TEST_F(GostTokenTest, RefusesASignatureThatFitsInNoOrder) {
    auto const certificate = add("key", {.owner = {.key = KeyKind::gost2015_512}});
    configure("noise");
    TokenDriver driver{folder.path()};

    auto const cms = sign(driver, RequestId{1}, certificate, "document");

    ASSERT_FALSE(cms);
    EXPECT_EQ(cms.error().code, Errc::signature_invalid);
}

TEST_F(GostTokenTest, SignsManyItemsInOneLease) {
    auto const certificate = add("key", {.owner = {.key = KeyKind::gost2015_512}});
    configure("r_s");
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    ASSERT_TRUE(unlock(prompt, slot, GostToken::pin).reply.status.ok);
    std::vector<Bytes> digests;
    std::vector<Bytes> items;
    for (std::string const document : {"first", "second", "third"}) {
        digests.push_back(*signing::digest(certificate.algorithm().digest, as_view(document)));
        items.push_back(*signing::prepare_cms(certificate, digests.back(), unix_now()));
    }
    ASSERT_TRUE(give(prompt, mandate_for(RequestId{1}, Form::cms, certificate, digests)));

    auto const signatures = driver.sign(RequestId{1}, items);

    ASSERT_TRUE(signatures);
    for (std::size_t i = 0; i < items.size(); ++i)
        EXPECT_TRUE(signing::verify_raw(certificate, items[i], signatures->at(i))) << i;
}

TEST_F(GostTokenTest, KnowsTheCurveByItsKazakhAndByItsRussianName) {
    std::vector<Bytes> wanted;
    for (auto const parameters : {GostToken::Parameters::kazakh, GostToken::Parameters::russian}) {
        for (auto const kind : {KeyKind::gost2015_512, KeyKind::gost2015_256, KeyKind::gost2004}) {
            auto const id = std::to_string(wanted.size());
            wanted.push_back(
                add(id, {.owner = {.key = kind}, .id = id, .certificate_id = id, .parameters = parameters}).der());
        }
    }
    configure();
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    EXPECT_EQ(unlock(prompt, slot, GostToken::pin).certificates, wanted);
}

TEST_F(GostTokenTest, FindsTheKeyByItsPublicKeyWhereTheIdsDiffer) {
    auto const certificate = add(
        "key", {.owner = {.key = KeyKind::gost2015_512}, .id = "of the key", .certificate_id = "of the certificate"});
    configure();
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    EXPECT_EQ(unlock(prompt, slot, GostToken::pin).certificates, std::vector<Bytes>{certificate.der()});
}

TEST_F(GostTokenTest, OffersNoCertificateOfAnotherKeyWithTheSameId) {
    auto const first = add("first", {.owner = {.key = KeyKind::gost2015_512}});
    auto const second = add("second", {.owner = {.key = KeyKind::gost2015_256}});
    // The second key pair is lost; its certificate stays.
    std::filesystem::copy_file(folder / "objects/0001.object", folder / "objects/0004.object",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(folder / "objects/0002.object", folder / "objects/0005.object",
                               std::filesystem::copy_options::overwrite_existing);
    configure();
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    EXPECT_EQ(driver.list(ipc::Depth::certificates).certificates.size(), 2U);
    EXPECT_EQ(unlock(prompt, slot, GostToken::pin).certificates, std::vector<Bytes>{first.der()});
}

TEST_F(GostTokenTest, WithoutTheEngineAGostRequestSaysWhatIsMissingAndRsaSigns) {
    auto const gost = add("gost", {.owner = {.key = KeyKind::gost2015_512}});
    auto const rsa = add("rsa", {.owner = {.key = KeyKind::rsa_2048}});
    configure();
    TokenDriver driver{folder.path(), "0", "OPENSSL_ENGINES=/nonexistent"};

    auto const by_gost = sign(driver, RequestId{1}, gost, "document");
    auto const by_rsa = sign(driver, RequestId{2}, rsa, "document");

    ASSERT_FALSE(by_gost);
    EXPECT_EQ(by_gost.error().code, Errc::algorithm_unavailable);
    EXPECT_TRUE(by_rsa);
}

} // namespace
} // namespace tamga::test

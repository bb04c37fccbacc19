// What tamga-token lists and signs over SoftHSM2, judged by OpenSSL's command line.
#include "base/sealed_items.hpp"
#include "signing/cms.hpp"
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

namespace tamga::test {
namespace {

using ipc::Form;
using ipc::RequestId;

class SoftHsm : public ::testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(SoftToken::module)) GTEST_SKIP() << "softhsm2 is not installed";
        token.emplace(folder);
    }
    signing::Certificate add(std::string const& name, KeyKind kind, std::string const& id) {
        auto certificate = make_key(folder, name, kind);
        token->add_key(name, id);
        token->add_certificate(name, id);
        return certificate;
    }

    Scratch folder;
    std::optional<SoftToken> token;
};

TEST_F(SoftHsm, ListsTokensAndTheirCertificatesWithoutAPin) {
    auto const rsa = add("rsa", KeyKind::rsa_2048, "01");
    TokenDriver driver{folder.path()};

    auto const tokens = driver.list(ipc::Depth::tokens);
    auto const all = driver.list(ipc::Depth::certificates);

    ASSERT_EQ(tokens.tokens.size(), 1U); // SoftHSM's empty slot is not a token
    EXPECT_TRUE(tokens.certificates.empty());
    EXPECT_EQ(tokens.tokens[0].info.label, "tamga");
    EXPECT_EQ(tokens.tokens[0].info.storage, "AKKaztokenStore");
    EXPECT_EQ(tokens.tokens[0].info.manufacturer, "SoftHSM project");
    EXPECT_TRUE(tokens.tokens[0].info.login_required);
    ASSERT_EQ(all.certificates.size(), 1U);
    EXPECT_EQ(all.certificates[0].der, rsa.der());
    EXPECT_TRUE(all.status);
}

class SoftHsmKey : public SoftHsm, public ::testing::WithParamInterface<KeyKind> {};

TEST_P(SoftHsmKey, MakesACmsThatOpenSslVerifies) {
    auto const certificate = add("key", GetParam(), "01");
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    std::string const document = "Өтініш";
    auto const slot = driver.list(ipc::Depth::tokens).tokens.at(0).slot;

    auto const found = unlock(prompt, slot, user_pin).certificates;
    ASSERT_EQ(found, std::vector<Bytes>{certificate.der()});
    ASSERT_TRUE(give(prompt, mandate_for(RequestId{1}, Form::cms, certificate, {sha256(as_view(document))})));
    auto const item = *signing::prepare_cms(certificate, sha256(as_view(document)), unix_now());
    auto const signatures = driver.sign(RequestId{1}, {item});
    ASSERT_TRUE(signatures);
    ASSERT_TRUE(driver.web.send(ipc::FinishLease{RequestId{1}}));
    EXPECT_TRUE(driver.lease_ended().status.ok);

    auto const cms =
        signing::finish_cms(certificate, item, signatures->at(0), as_view(document), signing::Encapsulation::attached);
    ASSERT_TRUE(cms);
    folder.write("signed.p7", std::string{as_text(*cms)});
    folder.run("openssl cms -verify -cades -binary -inform DER -in signed.p7 -CAfile ca.pem -purpose any -out content");
    EXPECT_EQ(folder.read("content"), document);
}
INSTANTIATE_TEST_SUITE_P(Algorithms, SoftHsmKey, ::testing::Values(KeyKind::rsa_2048, KeyKind::ec_p256));

TEST_F(SoftHsm, SignsXmlAndRawAndLargeItemsThatOpenSslVerifies) {
    auto const certificate = add("rsa", KeyKind::rsa_2048, "01");
    TokenDriver driver{folder.path()};
    auto const slot = driver.list(ipc::Depth::tokens).tokens.at(0).slot;
    std::string const large(300000, 'x');
    struct Case {
        Form form;
        std::string document;
        Bytes item;
    };
    std::uint64_t number = 0;
    for (auto const& each : {Case{Form::xml, "<a></a>", xml_item(certificate, "<a></a>")},
                             Case{Form::raw, "nonce", to_bytes(as_view("nonce"))}, Case{Form::raw, large, {}}}) {
        RequestId const request{++number};
        auto prompt = driver.prompt(request);
        ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        ASSERT_TRUE(give(prompt, mandate_for(request, each.form, certificate, {sha256(as_view(each.document))})));
        auto const memfd = seal_items({as_view(large)});

        auto const sent = each.item.empty() ? driver.web.send(ipc::SignLarge{request, 0}, {memfd->get()})
                                            : driver.web.send(ipc::SignItems{request, 0, {each.item}});
        ASSERT_TRUE(sent);
        auto const signatures = expect<ipc::Signatures>(driver.web);

        folder.write("item", std::string{as_text(each.item.empty() ? as_view(large) : View{each.item})});
        folder.write("signature", std::string{as_text(signatures.values.at(0))});
        folder.run("openssl x509 -in rsa.pem -noout -pubkey >public.pem");
        folder.run("openssl dgst -sha256 -verify public.pem -signature signature item");
        ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
        EXPECT_TRUE(driver.lease_ended().status.ok);
    }
}

TEST_F(SoftHsm, FindsTheKeyByItsPublicKeyWhereTheIdsDiffer) {
    for (auto const& [name, algorithm] : {std::pair{"rsa", KeyKind::rsa_2048}, std::pair{"ec", KeyKind::ec_p256}}) {
        make_key(folder, name, algorithm);
        token->add_key(name, name == std::string{"rsa"} ? "0a" : "0b");
        token->add_certificate(name, "99");
    }
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    auto const slot = driver.list(ipc::Depth::tokens).tokens.at(0).slot;

    EXPECT_EQ(unlock(prompt, slot, user_pin).certificates.size(), 2U);
}

TEST_F(SoftHsm, OffersNoCertificateWithoutItsKeyAfterTheUnlock) {
    auto const certificate = add("mine", KeyKind::ec_p256, "01");
    make_key(folder, "other", KeyKind::ec_p256);
    token->add_certificate("other", "01"); // the same CKA_ID: only the public key tells them apart
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    auto const slot = driver.list(ipc::Depth::tokens).tokens.at(0).slot;

    EXPECT_EQ(driver.list(ipc::Depth::certificates).certificates.size(), 2U);
    EXPECT_EQ(unlock(prompt, slot, user_pin).certificates, std::vector<Bytes>{certificate.der()});
}

} // namespace
} // namespace tamga::test

// A web process that asks for something else than the person agreed to gets nothing, and the token is logged out.
// The test plays that process against the real tamga-token over the fake module, whose spy says what reached the token.
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include "signing/to_be_signed.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <thread>

namespace tamga::test {
namespace {

using ipc::Form;

constexpr ipc::RequestId request{1};
constexpr ipc::SlotId slot{0};
class MandateViolation : public ::testing::Test {
protected:
    MandateViolation()
        : certificate{make_key(folder, "mine", KeyKind::ec_p256)},
          other{make_key(folder, "other", KeyKind::ec_p256)},
          token{folder,
                {fake_token_line("fake"), "certificate 0 01 " + (folder / "mine.pem").string(),
                 "key 0 01 " + (folder / "mine-key.pem").string()}},
          driver{folder.path()},
          prompt{driver.prompt(request)} {}

    void agree(Form form, std::vector<Bytes> digests) {
        ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        ASSERT_TRUE(give(prompt, mandate_for(request, form, certificate, std::move(digests))));
    }
    void expect_refused(std::vector<Bytes> items) {
        auto const signatures = driver.sign(request, std::move(items));
        ASSERT_FALSE(signatures);
        EXPECT_EQ(signatures.error().code, Errc::mandate_violated) << signatures.error().detail;
        EXPECT_EQ(token.calls("C_Sign"), 0U);
        EXPECT_EQ(token.calls("C_Logout"), 1U);
    }

    Scratch folder;
    signing::Certificate certificate;
    signing::Certificate other;
    FakeToken token;
    TokenDriver driver;
    ipc::Channel prompt;
    Bytes document_digest = sha256(as_view("document"));
};

TEST_F(MandateViolation, IsNotWhatWasAgreed) {
    agree(Form::cms, {document_digest});

    auto const item = cms_item(certificate, "document");
    auto const signatures = driver.sign(request, {item});

    ASSERT_TRUE(signatures);
    EXPECT_TRUE(signing::verify_raw(certificate, item, signatures->at(0)));
}

TEST_F(MandateViolation, IsAnotherDocument) {
    agree(Form::cms, {document_digest});
    expect_refused({cms_item(certificate, "another document")});
}

TEST_F(MandateViolation, IsAnotherDocumentAfterAnAgreedOneInTheSameMessage) {
    agree(Form::cms, {document_digest});
    expect_refused({cms_item(certificate, "document"), cms_item(certificate, "another document")});
}

TEST_F(MandateViolation, IsAnotherCertificateInTheAttributes) {
    agree(Form::cms, {document_digest});
    expect_refused({cms_item(other, "document")});
}

TEST_F(MandateViolation, IsAnotherForm) {
    agree(Form::cms, {document_digest});
    expect_refused({xml_item(certificate, "document")});
}

/// What web would send to sign in to a site.
Bytes sign_in_item(signing::Certificate const& signer, std::string_view origin, std::int64_t time) {
    auto const asked = *signing::sign_in_request({std::string{origin}, Bytes(16, 'c')});
    return signing::sign_in_statement(asked, signer.fingerprint(), time);
}

class SignInViolation : public MandateViolation {
protected:
    SignInViolation() {
        agree(Form::authenticate, {sha256(*signing::sign_in_request({"https://portal.test", Bytes(16, 'c')}))});
    }
};

TEST_F(SignInViolation, IsNotWhatWasAgreed) {
    auto const item = sign_in_item(certificate, "https://portal.test", std::time(nullptr));
    auto const signatures = driver.sign(request, {item});

    ASSERT_TRUE(signatures) << signatures.error().detail;
    EXPECT_TRUE(signing::verify_raw(certificate, item, signatures->at(0)));
}

TEST_F(SignInViolation, IsAnotherSite) {
    expect_refused({sign_in_item(certificate, "https://other.test", std::time(nullptr))});
}

TEST_F(SignInViolation, IsAnotherCertificate) {
    expect_refused({sign_in_item(other, "https://portal.test", std::time(nullptr))});
}

TEST_F(SignInViolation, IsAnotherTime) {
    expect_refused({sign_in_item(certificate, "https://portal.test", std::time(nullptr) + 3600)});
}

TEST_F(SignInViolation, IsTheRequestWithoutItsCertificate) {
    expect_refused({*signing::sign_in_request({"https://portal.test", Bytes(16, 'c')})});
}

TEST_F(SignInViolation, IsADocument) {
    expect_refused({cms_item(certificate, "document")});
}

TEST_F(MandateViolation, IsASignInUnderARawMandate) {
    auto const item = sign_in_item(certificate, "https://portal.test", std::time(nullptr));
    agree(Form::raw, {sha256(item)});
    expect_refused({item});
}

TEST_F(MandateViolation, IsSignedAttributesUnderAnXmlMandate) {
    agree(Form::xml, {document_digest});
    expect_refused({cms_item(certificate, "document")});
}

TEST_F(MandateViolation, IsTheDocumentItselfInsteadOfItsAttributes) {
    agree(Form::cms, {document_digest});
    expect_refused({to_bytes(as_view("document"))});
}

TEST_F(MandateViolation, IsOneAttributeMore) {
    agree(Form::cms, {document_digest});
    auto item = cms_item(certificate, "document");
    Bytes const attribute{0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x31, 0x02, 0x05, 0x00};
    ASSERT_EQ(item.at(1), 0x81);
    item.insert(item.begin() + 3, attribute.begin(), attribute.end());
    item[2] = static_cast<unsigned char>(item[2] + attribute.size());

    expect_refused({item});
}

TEST_F(MandateViolation, IsABareDigest) {
    agree(Form::cms, {document_digest});
    expect_refused({document_digest});
}

TEST_F(MandateViolation, IsABareDigestUnderARawMandate) {
    agree(Form::raw, {document_digest});
    expect_refused({document_digest});
}

TEST_F(MandateViolation, IsAFormWithAMeaningUnderARawMandate) {
    auto const item = cms_item(certificate, "a document nobody saw");
    agree(Form::raw, {sha256(item)});
    expect_refused({item});
}

TEST_F(MandateViolation, IsASigningTimeThatIsNotNow) {
    agree(Form::cms, {document_digest});
    expect_refused({cms_item(certificate, "document", unix_now() - 3600)});
}

TEST_F(MandateViolation, IsTheSameItemTwice) {
    agree(Form::cms, {document_digest});
    expect_refused({cms_item(certificate, "document"), cms_item(certificate, "document")});
}

TEST_F(MandateViolation, IsNotTheSameDocumentTwiceWhereItWasShownTwice) {
    agree(Form::cms, {document_digest, document_digest});

    EXPECT_TRUE(driver.sign(request, {cms_item(certificate, "document")}));
    EXPECT_TRUE(driver.sign(request, {cms_item(certificate, "document")}));
    EXPECT_EQ(driver.sign(request, {cms_item(certificate, "document")}).error().code, Errc::mandate_violated);
}

TEST_F(MandateViolation, IsAnItemWithoutAMandate) {
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);

    auto const signatures = driver.sign(request, {cms_item(certificate, "document")});

    EXPECT_EQ(signatures.error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls("C_Sign"), 0U);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(MandateViolation, IsAnItemBeforeTheLastPartOfTheMandate) {
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
    auto part = mandate_for(request, Form::cms, certificate, {document_digest});
    part.last = false;
    ASSERT_TRUE(prompt.send(part));

    auto const signatures = driver.sign(request, {cms_item(certificate, "document")});

    EXPECT_EQ(signatures.error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls("C_Sign"), 0U);
}

TEST_F(MandateViolation, IsAnItemOfAnotherRequest) {
    agree(Form::cms, {document_digest});

    auto const sent = driver.web.send(ipc::SignItems{ipc::RequestId{2}, 0, {cms_item(certificate, "document")}});

    ASSERT_TRUE(sent);
    EXPECT_EQ(driver.lease_ended().status.code, Errc::mandate_violated);
    EXPECT_EQ(token.calls("C_Sign"), 0U);
}

TEST_F(MandateViolation, IsAnItemAfterTheMandateExpired) {
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
    auto short_lived = mandate_for(request, Form::cms, certificate, {document_digest});
    short_lived.expires_in_s = 1;
    ASSERT_TRUE(give(prompt, short_lived));

    // Nobody sends anything: the lease ends by itself.
    EXPECT_EQ(driver.lease_ended().status.code, Errc::mandate_violated);
    expect_refused({cms_item(certificate, "document")});
}

TEST_F(MandateViolation, IsASecondMandate) {
    agree(Form::cms, {document_digest});

    auto const second = give(prompt, mandate_for(request, Form::cms, certificate, {sha256(as_view("more"))}));

    EXPECT_EQ(second.error().code, Errc::mandate_violated);
    EXPECT_EQ(driver.lease_ended().status.code, Errc::mandate_violated);
}

TEST_F(MandateViolation, IsAMandateForAnotherRequest) {
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);

    auto const taken = give(prompt, mandate_for(ipc::RequestId{2}, Form::cms, certificate, {document_digest}));

    EXPECT_EQ(taken.error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(MandateViolation, AsideAMandateCanBeRefused) {
    struct Case {
        ipc::Mandate mandate;
        Errc code;
    };
    for (auto const& each : {Case{mandate_for(request, Form::cms, other, {document_digest}), Errc::key_not_found},
                             Case{mandate_for(request, Form::cms, certificate, {Bytes(20)}), Errc::digest_length}}) {
        ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        EXPECT_EQ(give(prompt, each.mandate).error().code, each.code);
    }
    EXPECT_EQ(token.calls("C_Login"), 2U);
    EXPECT_EQ(token.calls("C_Logout"), 2U);
}

} // namespace
} // namespace tamga::test

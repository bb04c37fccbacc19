// A login that is remembered for a site signs that site's sign-ins and nothing else, for so long and no longer. The
// test plays a tamga-web that was taken over against the real tamga-token over the fake module, whose spy says what
// reached the token.
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/logind.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include "signing/to_be_signed.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace tamga::test {
namespace {

using ipc::Form;

constexpr ipc::RequestId request{1};
constexpr ipc::SlotId slot{0};
constexpr char const* site = "https://portal.test";

Bytes asked_by(std::string_view origin, char challenge = 'c') {
    return *signing::sign_in_request({std::string{origin}, Bytes(16, static_cast<unsigned char>(challenge))});
}

class StandingMandate : public ::testing::Test {
protected:
    explicit StandingMandate(std::string const& more_key = {}, std::string const& bus = {})
        : certificate{make_key(folder, "mine", KeyKind::ec_p256)},
          other{make_key(folder, "other", KeyKind::ec_p256)},
          token{folder,
                {fake_token_line("fake"), "certificate 0 01 " + (folder / "mine.pem").string(),
                 "key 0 01 " + (folder / "mine-key.pem").string() + more_key}},
          driver{folder.path(), "0", bus.empty() ? logind.variable() : bus},
          prompt{driver.prompt(request)} {}

    [[nodiscard]] Bytes statement(std::string_view origin = site, char challenge = 'd',
                                  std::int64_t later_s = 0) const {
        return signing::sign_in_statement(asked_by(origin, challenge), certificate.fingerprint(),
                                          std::time(nullptr) + later_s);
    }
    [[nodiscard]] ipc::Remember wish(std::uint32_t lifetime_s = 900, std::uint32_t unused_s = 300) const {
        return {request, certificate.fingerprint(), site, lifetime_s, unused_s};
    }
    void unlock_and_agree(Form form = Form::authenticate) {
        auto const digest = form == Form::authenticate ? sha256(asked_by(site)) : sha256(as_view("document"));
        ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        ASSERT_TRUE(give(prompt, mandate_for(request, form, certificate, {digest})));
    }
    Result<void> ask_to_remember(ipc::Remember const& wanted) {
        if (!prompt.send(wanted)) throw std::runtime_error{"no prompt"};
        return expect<ipc::RememberReply>(prompt).status.result();
    }
    /// As a request goes: the statement that was shown is signed, the lease finished, the window gone.
    void finish() {
        ASSERT_TRUE(driver.sign(request, {statement(site, 'c')}));
        ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
        ASSERT_TRUE(driver.lease_ended().status.ok);
        prompt.close();
    }
    void remember(std::uint32_t lifetime_s = 900, std::uint32_t unused_s = 300) {
        unlock_and_agree();
        ASSERT_TRUE(ask_to_remember(wish(lifetime_s, unused_s)));
        finish();
    }
    Result<Bytes> sign(Bytes octets, ipc::RequestId by = request) {
        if (!driver.web.send(ipc::SignRemembered{by, ++m_query, std::move(octets)})) throw std::runtime_error{"no web"};
        auto made = expect<ipc::RememberedSigned>(driver.web);
        EXPECT_EQ(made.query, m_query);
        if (auto const result = made.status.result(); !result) return result.error();
        return std::move(made.value);
    }
    /// It is not signed, and from then on nothing is.
    void expect_refused(Bytes octets) {
        auto const before = token.calls("C_Sign");
        EXPECT_EQ(sign(std::move(octets)).error().code, Errc::mandate_violated);
        EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated) << "what was remembered is gone";
        EXPECT_EQ(token.calls("C_Sign"), before);
        EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
    }

    Scratch folder;
    Logind logind{folder.path()};
    signing::Certificate certificate;
    signing::Certificate other;
    FakeToken token;
    TokenDriver driver;
    ipc::Channel prompt;

private:
    std::uint64_t m_query = 0;
};

TEST_F(StandingMandate, SignsInAgainAndAgainWithoutAPinAndStaysLoggedIn) {
    remember();

    for (char const challenge : {'x', 'y', 'z'}) {
        auto const item = statement(site, challenge);
        auto const value = sign(item);
        ASSERT_TRUE(value) << value.error().detail;
        EXPECT_TRUE(signing::verify_raw(certificate, item, *value));
    }
    EXPECT_EQ(token.calls("C_Login"), 1U);
    EXPECT_EQ(token.calls("C_Logout"), 0U);
}

TEST_F(StandingMandate, IsNotThereUnlessThePersonAskedForIt) {
    unlock_and_agree();
    finish();

    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(StandingMandate, S7SignsForNoOtherSite) {
    remember();
    expect_refused(statement("https://other.test"));
}

TEST_F(StandingMandate, SignsForNoSiteWhoseNameOnlyBeginsLikeIt) {
    remember();
    expect_refused(statement("https://portal.test.evil"));
}

TEST_F(StandingMandate, SignsByNoOtherCertificate) {
    remember();
    expect_refused(signing::sign_in_statement(asked_by(site), other.fingerprint(), std::time(nullptr)));
}

TEST_F(StandingMandate, SignsNoStatementOfAnotherTime) {
    remember();
    expect_refused(statement(site, 'd', 3600));
}

TEST_F(StandingMandate, SignsNoDocument) {
    remember();
    expect_refused(cms_item(certificate, "document"));
}

TEST_F(StandingMandate, SignsNoStatementWithSomethingBehindIt) {
    remember();
    auto item = statement();
    item.push_back('\n');
    expect_refused(std::move(item));
}

TEST_F(StandingMandate, SignsNoItemsOfALease) {
    remember();

    auto const signatures = driver.sign(request, {statement()});

    EXPECT_EQ(signatures.error().code, Errc::mandate_violated);
    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(StandingMandate, IsKnownByNoOtherName) {
    remember();
    EXPECT_EQ(sign(statement(), ipc::RequestId{2}).error().code, Errc::mandate_violated);
}

TEST_F(StandingMandate, CannotBeHadBehindAMandateForADocument) {
    unlock_and_agree(Form::cms);
    EXPECT_EQ(ask_to_remember(wish()).error().code, Errc::mandate_violated);
}

TEST_F(StandingMandate, CannotBeHadForAnotherCertificate) {
    unlock_and_agree();
    auto wanted = wish();
    wanted.certificate = other.fingerprint();
    EXPECT_EQ(ask_to_remember(wanted).error().code, Errc::mandate_violated);
}

TEST_F(StandingMandate, CannotBeGivenByTheWebProcess) {
    unlock_and_agree();
    ASSERT_TRUE(driver.web.send(wish()));

    EXPECT_TRUE(driver.web.receive(patience).error().code == Errc::channel_closed) << "it said what no tamga-web says";
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(StandingMandate, S8EndsAfterItsTimeHoweverOftenItIsUsed) {
    remember(2, 300);
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{10};

    while (sign(statement()) && std::chrono::steady_clock::now() < until)
        continue;

    EXPECT_LT(std::chrono::steady_clock::now(), until);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(StandingMandate, S8EndsByItselfWhenItIsNotUsed) {
    remember(900, 1);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U) << "nobody asked for anything";
}

TEST_F(StandingMandate, S8EndsWhenTheWebProcessSaysSo) {
    remember();
    ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
}

TEST_F(StandingMandate, S8EndsWithTheWebProcess) {
    remember();
    driver.web.close();
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(StandingMandate, EndsBeforeAnotherRequestIsGivenTheToken) {
    remember();
    auto second = driver.prompt(ipc::RequestId{2});

    EXPECT_TRUE(unlock(second, slot, user_pin).reply.status.ok) << "a PIN is checked on a token that is logged out";

    EXPECT_EQ(token.calls("C_Logout"), 1U);
    EXPECT_EQ(token.calls("C_Login"), 2U);
    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
}

class PersonLeaves : public StandingMandate, public ::testing::WithParamInterface<char const*> {};

TEST_P(PersonLeaves, S8EndsIt) {
    remember();
    ASSERT_TRUE(sign(statement()));

    logind.say(GetParam());

    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
}

TEST_P(PersonLeaves, S8IsHeardBeforeTheNextStatementIsSigned) {
    remember();
    logind.say(GetParam());
    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
}

INSTANTIATE_TEST_SUITE_P(Each, PersonLeaves, ::testing::Values("lock", "hint", "sleep", "leave", "end"),
                         [](auto const& found) { return std::string{found.param}; });

TEST_F(StandingMandate, IsNotGivenForARequestByWhichNothingWasSigned) {
    unlock_and_agree();
    ASSERT_TRUE(ask_to_remember(wish()));
    ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
    ASSERT_TRUE(driver.lease_ended().status.ok);

    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(StandingMandate, S8IsNotGivenWhereThePersonLeftWhileTheTokenWasBusy) {
    unlock_and_agree();
    token.knobs("delay C_GetTokenInfo 700");
    ASSERT_TRUE(driver.web.send(ipc::ListKeys{9, ipc::Depth::tokens}));
    ASSERT_TRUE(prompt.send(wish()));
    logind.say("hint"); // heard of, or asked for: it came in between

    EXPECT_EQ(expect<ipc::RememberReply>(prompt).status.code, Errc::unsupported);
    while (driver.web.receive(patience)->is<ipc::ListingDone>() == false) {
    }
    finish();
    EXPECT_EQ(sign(statement()).error().code, Errc::mandate_violated);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(StandingMandate, CannotBeHadWhileTheScreenIsLocked) {
    logind.say("hint");
    unlock_and_agree();
    EXPECT_EQ(ask_to_remember(wish()).error().code, Errc::unsupported);
}

class NobodyTells : public StandingMandate {
protected:
    NobodyTells() : StandingMandate{{}, "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent"} {}
};

TEST_F(NobodyTells, NothingIsRememberedAndTheSignInGoesOn) {
    unlock_and_agree();
    EXPECT_EQ(ask_to_remember(wish()).error().code, Errc::unsupported);
    finish();
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

} // namespace
} // namespace tamga::test

// One operation at a time for each token, tokens beside each other: the real tamga-token over the fake module with two
// tokens, one of which can be slow, hang or be gone.
#include "tests/softhsm/fake_tokens.hpp"

#include <set>

namespace tamga::test {
namespace {

using ipc::RequestId;

using Lanes = FakeTokens;

class OneLane : public FakeTokens {
protected:
    OneLane() : FakeTokens{{.module = "single_threaded = true\n"}} {}
};

TEST_F(Lanes, S12_LetOneTokenSignWhileTheOtherHangs) {
    auto const first = open(RequestId{1}, left);
    auto const second = open(RequestId{2}, right);
    token.knobs("hang C_Sign 0\n");
    send_items(RequestId{1});
    EXPECT_EQ(token.calls_soon("C_Sign", 1), 1U);

    send_items(RequestId{2});

    EXPECT_EQ(expect<ipc::Signatures>(driver.web).request, RequestId{2});
    EXPECT_EQ(token.calls("C_Sign"), 2U);
}

TEST_F(Lanes, ListATokenThatIsAtWorkAsItWasLastSeen) {
    driver.list(ipc::Depth::certificates);
    auto const prompt = open(RequestId{1}, left);
    token.knobs("hang C_Sign 0\n");
    send_items(RequestId{1});
    EXPECT_EQ(token.calls_soon("C_Sign", 1), 1U);

    auto const listing = driver.list(ipc::Depth::certificates);

    EXPECT_TRUE(listing.status);
    EXPECT_EQ(listing.tokens.size(), 2U);
    EXPECT_EQ(listing.certificates.size(), 2U);
}

TEST_F(Lanes, AnswerAListingFromMemoryWhereTheWholeModuleWaitsForOneToken) {
    driver.list(ipc::Depth::tokens);
    auto const prompt = open(RequestId{1}, left);
    token.knobs("hang C_Sign 0\nhang C_GetSlotList\n"); // as modules with one lock for everything do
    send_items(RequestId{1});
    EXPECT_EQ(token.calls_soon("C_Sign", 1), 1U);

    EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 2U);
}

TEST_F(Lanes, MakeNoFurtherSignatureOnceThePromptIsGone) {
    constexpr unsigned many = 40;
    auto prompt = open(RequestId{1}, left, many);
    token.knobs("delay C_Sign 100\n");
    send_items(RequestId{1}, 0, many / 2);
    send_items(RequestId{1}, many / 2, many / 2);
    EXPECT_GE(token.calls_soon("C_Sign", 1), 1U);

    prompt.close();

    EXPECT_EQ(driver.lease_ended().status.code, Errc::user_cancelled);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
    EXPECT_LT(token.calls("C_Sign"), many / 2);
}

TEST_F(Lanes, TellTheEndOfACancelledLeaseThoughItsTokenHangs) {
    auto prompt = open(RequestId{1}, left);
    token.knobs("hang C_Sign 0\n");
    send_items(RequestId{1});
    EXPECT_EQ(token.calls_soon("C_Sign", 1), 1U);

    prompt.close();

    EXPECT_EQ(driver.lease_ended().status.code, Errc::user_cancelled);
    EXPECT_EQ(token.calls("C_Logout"), 0U);
}

TEST_F(Lanes, TellWhyALeaseFailedThoughMoreItemsCameWhileItWasClosed) {
    auto const prompt = open(RequestId{1}, left, 2);
    token.knobs("fail C_Sign 32 0\ndelay C_Logout 200\n"); // CKR_DEVICE_REMOVED
    send_items(RequestId{1}, 0, 1);
    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);

    send_items(RequestId{1}, 1, 1);

    EXPECT_EQ(driver.lease_ended().status.code, Errc::token_absent);
}

TEST_F(Lanes, GiveNoPinToAnotherTokenThanTheOneThePersonWasShown) {
    auto prompt = driver.prompt(RequestId{1});
    ASSERT_EQ(list(prompt, ipc::Depth::certificates).tokens.size(), 2U);
    token.knobs("model 0 Another\n");

    EXPECT_EQ(unlock(prompt, left, user_pin).reply.status.code, Errc::token_absent);
    EXPECT_EQ(token.calls("C_Login"), 0U);

    token.knobs("");
    EXPECT_TRUE(unlock(prompt, left, user_pin).reply.status.ok);
}

TEST_F(Lanes, LogOutAgainWhereThePromptLeftDuringTheLogin) {
    auto prompt = driver.prompt(RequestId{1});
    token.knobs("delay C_Login 200\n");
    send_unlock(prompt, left, user_pin);
    EXPECT_EQ(token.calls_soon("C_Login", 1), 1U);

    prompt.close();

    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(Lanes, S28_AnswerEveryOneOf64RequestsInFlightWithItsOwnSignatures) {
    constexpr unsigned requests = 64;
    std::map<RequestId, ipc::Channel> prompts;
    for (unsigned i = 1; i <= requests; ++i) {
        auto const place = prompts.emplace(RequestId{i}, driver.prompt(RequestId{i})).first;
        send_unlock(place->second, i % 2 == 0 ? left : right, user_pin);
    }

    // Each is unlocked when the one before it on its token has logged out.
    std::set<RequestId> answered;
    for (unsigned i = 1; i <= requests; ++i) {
        RequestId const request{i};
        auto& prompt = prompts.at(request);
        ASSERT_TRUE(unlocked(prompt).reply.status.ok);
        ASSERT_TRUE(give(prompt, mandate(request)));
        auto const item = cms_item(certificate, document(request, 0));
        auto const signatures = driver.sign(request, {item});
        ASSERT_TRUE(signatures);
        EXPECT_TRUE(signing::verify_raw(certificate, item, signatures->at(0)));
        ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
        auto const ended = driver.lease_ended();
        EXPECT_TRUE(ended.status.ok);
        answered.insert(ended.request);
    }

    EXPECT_EQ(answered.size(), requests);
    EXPECT_EQ(token.calls("C_Login"), requests);
    EXPECT_EQ(token.calls("C_Logout"), requests);
}

TEST_F(OneLane, IsAllThatAModuleNotMadeForThreadsGets) {
    auto const first = open(RequestId{1}, left, 8);
    auto const second = open(RequestId{2}, right, 8);
    token.knobs("alone\ndelay C_Sign 10\n");

    send_items(RequestId{1}, 0, 8);
    send_items(RequestId{2}, 0, 8);
    std::set<RequestId> const signed_for{expect<ipc::Signatures>(driver.web).request,
                                         expect<ipc::Signatures>(driver.web).request};

    EXPECT_EQ(signed_for.size(), 2U);
    EXPECT_EQ(driver.list(ipc::Depth::certificates).tokens.size(), 2U);
}

TEST_F(Lanes, AreCalledByTwoThreadsAtOnceUnlessToldOtherwise) {
    auto const first = open(RequestId{1}, left);
    auto const second = open(RequestId{2}, right);
    token.knobs("alone\ndelay C_Sign 500\n");

    send_items(RequestId{1});
    send_items(RequestId{2});

    EXPECT_EQ(driver.web.receive(patience).error().code, Errc::channel_closed); // the knob above does notice
}

} // namespace
} // namespace tamga::test

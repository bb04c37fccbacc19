// How a PIN is spent and counted (docs/adr/0009-pin-attempts.md), over the fake module, which locks after three errors
// and whose spy counts what reached the token.
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

namespace tamga::test {
namespace {

using ipc::RequestId;

constexpr ipc::SlotId slot{0};
constexpr ipc::SlotId other_slot{1};
constexpr char const* wrong_pin = "00000000";

class PinAttempts : public ::testing::Test {
protected:
    PinAttempts()
        : certificate{make_key(folder, "rsa", KeyKind::rsa_2048)},
          token{folder,
                {fake_token_line("first"), fake_token_line("second") + " pinpad",
                 "certificate 0 01 " + (folder / "rsa.pem").string(),
                 "key 0 01 " + (folder / "rsa-key.pem").string()}} {}

    static ipc::TokenInfo seen(TokenDriver& driver, ipc::SlotId where) {
        for (auto const& found : driver.list(ipc::Depth::tokens).tokens) {
            if (found.slot == where) return found.info;
        }
        throw std::runtime_error{"no such token"};
    }

    Scratch folder;
    signing::Certificate certificate;
    FakeToken token;
};

TEST_F(PinAttempts, S9_AWrongPinIsOneLoginAtOneToken) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    auto const answer = unlock(prompt, slot, wrong_pin);

    EXPECT_EQ(answer.reply.status.code, Errc::pin_incorrect);
    EXPECT_EQ(answer.reply.info.wrong_tries_seen, 1U);
    EXPECT_EQ(seen(driver, other_slot).wrong_tries_seen, 0U);
    EXPECT_FALSE(seen(driver, other_slot).pin_count_low) << "the token of the other slot";
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

TEST_F(PinAttempts, S9_WrongPinsSeenHereAreRememberedByTheNextProcess) {
    {
        TokenDriver driver{folder.path()};
        auto prompt = driver.prompt(RequestId{1});
        unlock(prompt, slot, wrong_pin);
        unlock(prompt, slot, wrong_pin);
    }
    TokenDriver driver{folder.path()}; // the fake token has forgotten them meanwhile
    EXPECT_EQ(seen(driver, slot).wrong_tries_seen, 2U);

    auto prompt = driver.prompt(RequestId{1});
    EXPECT_EQ(unlock(prompt, slot, user_pin).reply.info.wrong_tries_seen, 0U);
    EXPECT_EQ(seen(driver, slot).wrong_tries_seen, 0U);
}

TEST_F(PinAttempts, S9_ALoginThatTookTheProcessDownIsCountedAndNotRepeated) {
    {
        TokenDriver driver{folder.path()};
        auto prompt = driver.prompt(RequestId{1});
        token.knobs("crash C_Login\n");
        send_unlock(prompt, slot, user_pin);
        EXPECT_EQ(prompt.receive(patience).error().code, Errc::channel_closed);
        driver.wait();
    }
    token.knobs("");
    TokenDriver driver{folder.path()};

    EXPECT_EQ(seen(driver, slot).wrong_tries_seen, 1U);
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

TEST_F(PinAttempts, S9_ABatchIsOneLogin) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
    std::vector<Bytes> digests;
    std::vector<Bytes> items;
    for (auto const* text : {"one", "two", "three"}) {
        digests.push_back(sha256(as_view(text)));
        items.push_back(cms_item(certificate, text));
    }
    ASSERT_TRUE(give(prompt, mandate_for(RequestId{1}, ipc::Form::cms, certificate, digests)));

    EXPECT_EQ(driver.sign(RequestId{1}, items)->size(), 3U);
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

TEST_F(PinAttempts, S9_NothingIsTypedByItself) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    driver.list(ipc::Depth::tokens);
    driver.list(ipc::Depth::certificates);

    EXPECT_EQ(token.calls("C_Login"), 0U);
}

TEST_F(PinAttempts, WhatTheTokenTellsOfThemIsPassedOn) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    EXPECT_EQ(seen(driver, slot).attempts_left, std::nullopt) << "nobody knows how many it is born with";

    unlock(prompt, slot, wrong_pin);
    EXPECT_EQ(unlock(prompt, slot, wrong_pin).reply.info.attempts_left, std::uint8_t{1});
    EXPECT_EQ(unlock(prompt, slot, wrong_pin).reply.info.attempts_left, std::uint8_t{0});
}

TEST_F(PinAttempts, ALockedTokenIsShownLockedAlsoWhereItsFlagsKeepSilentUntilARightPin) {
    token.knobs("fail C_Login 0xa4 0\n"); // CKR_PIN_LOCKED; the flags stay as they were
    {
        TokenDriver driver{folder.path()};
        auto prompt = driver.prompt(RequestId{1});
        auto const answer = unlock(prompt, slot, wrong_pin).reply;
        EXPECT_EQ(answer.status.code, Errc::pin_locked);
        EXPECT_TRUE(answer.info.pin_locked);
    }
    token.knobs("");
    TokenDriver driver{folder.path()};
    EXPECT_TRUE(seen(driver, slot).pin_locked);
    EXPECT_EQ(seen(driver, slot).attempts_left, std::nullopt) << "remembered, not told";
    EXPECT_FALSE(seen(driver, other_slot).pin_locked);

    auto prompt = driver.prompt(RequestId{1});
    EXPECT_FALSE(unlock(prompt, slot, user_pin).reply.info.pin_locked);
    EXPECT_FALSE(seen(driver, slot).pin_locked);
}

TEST_F(PinAttempts, AWrongPinThatWasTheLastOneShownIsALock) {
    token.knobs("flags 0 0x20000\nfail C_Login 0xa0 0\n"); // CKF_USER_PIN_FINAL_TRY, stale; CKR_PIN_INCORRECT
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    ASSERT_EQ(seen(driver, slot).attempts_left, std::uint8_t{1});

    auto const answer = unlock(prompt, slot, wrong_pin).reply;

    EXPECT_EQ(answer.status.code, Errc::pin_locked);
    EXPECT_TRUE(seen(driver, slot).pin_locked);
    EXPECT_EQ(seen(driver, slot).attempts_left, std::nullopt) << "not one any more";
}

TEST_F(PinAttempts, ALockIsForgottenWhenTheAdministratorSetANewPin) {
    token.knobs("fail C_Login 0xa4 0\n");
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    unlock(prompt, slot, wrong_pin);
    token.knobs("");
    ASSERT_TRUE(seen(driver, slot).pin_locked);

    auto pin = [](std::string text) {
        return *Pin::take({reinterpret_cast<unsigned char*>(text.data()), text.size()});
    };
    ASSERT_TRUE(prompt.send(ipc::UnblockPin{RequestId{1}, slot, pin("87654321"), pin("24681357")}));

    EXPECT_TRUE(expect<ipc::PinChanged>(prompt).status.ok);
    EXPECT_FALSE(seen(driver, slot).pin_locked);
}

TEST_F(PinAttempts, OnAReaderWithAKeypadAreMadeThere) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    EXPECT_TRUE(seen(driver, other_slot).pin_on_reader);
    ipc::Unlock without_pin;
    without_pin.slot = other_slot;

    ASSERT_TRUE(prompt.send(without_pin));

    EXPECT_TRUE(unlocked(prompt).reply.status.ok) << "the fake takes no PIN from a program there";
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

TEST_F(PinAttempts, WithThePinTheTokenWasDeliveredWithAreWarnedOfOnce) {
    folder.write("config/tamga/families.toml",
                 std::string{"[[family]]\nid = \"mine\"\nstorage = \"AKJaCartaStore\"\n"
                             "name = { kk = \"Токен\", ru = \"Токен\", en = \"Token\" }\n"
                             "tokens = [{ manufacturer = \"Tamga*\" }]\ndefault_pins = [\"1234\", \""} +
                     user_pin + "\"]\n");
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    EXPECT_FALSE(unlock(prompt, slot, wrong_pin).reply.factory_pin);
    EXPECT_EQ(token.calls("C_Login"), 1U) << "nothing but what was typed";

    EXPECT_TRUE(unlock(prompt, slot, user_pin).reply.factory_pin);
    EXPECT_FALSE(unlock(prompt, slot, user_pin).reply.factory_pin) << "the second time";
}

TEST_F(PinAttempts, WithAPinOfTheOwnersOwnAreNotWarnedOf) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    EXPECT_FALSE(unlock(prompt, slot, user_pin).reply.factory_pin);
}

TEST_F(PinAttempts, S28_ATokenIsListedAlthoughAnotherOneOfItsModuleHangs) {
    TokenDriver driver{folder.path()};
    token.knobs("hang C_GetTokenInfo 1\n");
    auto prompt = driver.prompt(RequestId{1});

    ASSERT_TRUE(prompt.send(ipc::ListKeys{1, ipc::Depth::certificates}));

    EXPECT_EQ(expect<ipc::TokenFound>(prompt).slot, slot);
    EXPECT_EQ(expect<ipc::CertificateFound>(prompt).der, certificate.der());
}

TEST_F(PinAttempts, S5_TamgaWebIsToldOfNoCertificateWithoutTheWindow) {
    TokenDriver driver{folder.path()};
    ASSERT_EQ(driver.list(ipc::Depth::certificates).certificates.size(), 1U) << "a window is told";

    ASSERT_TRUE(driver.web.send(ipc::ListKeys{1, ipc::Depth::certificates}));

    EXPECT_EQ(driver.web.receive(patience).error().code, Errc::channel_closed);
}

struct Answer {
    char const* knob;
    Errc code;
    std::uint32_t counted;
};

class PinAnswers : public PinAttempts, public ::testing::WithParamInterface<Answer> {};

TEST_P(PinAnswers, AreToldApartAndCountedWhereAnAttemptMayBeGone) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    token.knobs(GetParam().knob);

    auto const answer = unlock(prompt, slot, user_pin);

    EXPECT_EQ(answer.reply.status.code, GetParam().code);
    EXPECT_EQ(answer.reply.info.wrong_tries_seen, GetParam().counted);
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

INSTANTIATE_TEST_SUITE_P(Cryptoki, PinAnswers,
                         ::testing::Values(Answer{"fail C_Login a0\n", Errc::pin_incorrect, 1},
                                           Answer{"fail C_Login a2\n", Errc::pin_length, 0},
                                           Answer{"fail C_Login a3\n", Errc::pin_expired, 0},
                                           Answer{"fail C_Login a4\n", Errc::pin_locked, 1},
                                           Answer{"fail C_Login 50\n", Errc::user_cancelled, 0},
                                           Answer{"fail C_Login 5\n", Errc::token_failure, 1}));

} // namespace
} // namespace tamga::test

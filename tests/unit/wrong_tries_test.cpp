// pkcs11/wrong_tries.hpp: our own count of wrong PINs.
#include "pkcs11/wrong_tries.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

namespace tamga::pkcs11 {
namespace {

ipc::TokenInfo token_of(std::string serial, std::string model) {
    ipc::TokenInfo token;
    token.serial = std::move(serial);
    token.model = std::move(model);
    return token;
}

class WrongTriesTest : public ::testing::Test {
protected:
    void type(ipc::TokenInfo const& token, Result<void> const& outcome) const {
        m_tries.begin(token);
        m_tries.end(token, outcome);
    }

    test::Scratch const m_scratch;
    std::filesystem::path const m_folder = m_scratch.path() / "state/tamga/wrong-pins";
    WrongTries const m_tries{m_folder};
    ipc::TokenInfo const m_token = token_of("0001", "Laser");
};

TEST_F(WrongTriesTest, CountsUntilARightPin) {
    EXPECT_EQ(m_tries.seen(m_token), 0U);
    type(m_token, Errc::pin_incorrect);
    type(m_token, Errc::pin_incorrect);
    EXPECT_EQ(m_tries.seen(m_token), 2U);

    type(m_token, ok());

    EXPECT_EQ(m_tries.seen(m_token), 0U);
    EXPECT_TRUE(std::filesystem::is_empty(m_folder)) << "a token without wrong PINs leaves nothing behind";
}

TEST_F(WrongTriesTest, SurvivesARestart) {
    type(m_token, Errc::pin_incorrect);

    EXPECT_EQ(WrongTries{m_folder}.seen(m_token), 1U);
}

TEST_F(WrongTriesTest, CountsATryThatTookTheProcessDownWithIt) {
    m_tries.begin(m_token);

    EXPECT_EQ(WrongTries{m_folder}.seen(m_token), 1U);
}

TEST_F(WrongTriesTest, TakesBackWhatTheTokenDidNotLookAt) {
    type(m_token, Errc::pin_incorrect);
    for (auto const code : {Errc::token_absent, Errc::user_cancelled, Errc::pin_length, Errc::pin_expired})
        type(m_token, code);

    EXPECT_EQ(m_tries.seen(m_token), 1U);
}

TEST_F(WrongTriesTest, KeepsATryAfterAnUnclearAnswer) {
    type(m_token, Errc::token_failure);

    EXPECT_EQ(m_tries.seen(m_token), 1U);
}

TEST_F(WrongTriesTest, RememberALockUntilARightPin) {
    type(m_token, Errc::pin_locked);
    type(m_token, Errc::token_absent);
    type(m_token, Errc::pin_incorrect);
    EXPECT_TRUE(WrongTries{m_folder}.is_locked(m_token));
    EXPECT_EQ(m_tries.seen(m_token), 2U);

    type(m_token, ok());

    EXPECT_FALSE(m_tries.is_locked(m_token));
    EXPECT_TRUE(std::filesystem::is_empty(m_folder));
}

TEST_F(WrongTriesTest, TakeAWrongPinThatWasTheLastTheTokenWouldBearForALock) {
    auto last = m_token;
    last.pin_count_low = last.pin_final_try = true;
    type(last, Errc::pin_incorrect);

    EXPECT_TRUE(m_tries.is_locked(m_token));
    EXPECT_TRUE(m_tries.is_locked(last)) << "the flags are those of before the login";
}

TEST_F(WrongTriesTest, ForgetALockThatTheTokenItselfHasShownAndShowsNoLonger) {
    type(m_token, Errc::pin_locked);
    auto showing = m_token;
    showing.pin_locked = true;
    EXPECT_TRUE(m_tries.is_locked(showing));

    EXPECT_FALSE(m_tries.is_locked(m_token));
    EXPECT_EQ(m_tries.seen(m_token), 0U);
}

TEST_F(WrongTriesTest, ForgetALockWhereTheTokenSaysThatAttemptsRemain) {
    type(m_token, Errc::pin_locked);
    auto unlocked = m_token;
    unlocked.pin_count_low = true;

    EXPECT_FALSE(m_tries.is_locked(unlocked));
    EXPECT_FALSE(m_tries.is_locked(m_token));
}

TEST_F(WrongTriesTest, BelieveATokenThatShowsItsLockWithoutAnyRecord) {
    auto showing = m_token;
    showing.pin_locked = true;

    EXPECT_TRUE(m_tries.is_locked(showing));
    EXPECT_FALSE(m_tries.is_locked(m_token));
}

TEST_F(WrongTriesTest, CountsEveryTokenAndEveryAppletOfAStickByItself) {
    type(m_token, Errc::pin_incorrect);

    EXPECT_EQ(m_tries.seen(token_of("0001", "GOST")), 0U);
    EXPECT_EQ(m_tries.seen(token_of("0002", "Laser")), 0U);
}

TEST_F(WrongTriesTest, S24_IsForItsOwnerAlone) {
    type(m_token, Errc::pin_incorrect);

    struct ::stat state {};
    ASSERT_EQ(::stat(m_folder.c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0700U);
    for (auto const& file : std::filesystem::directory_iterator{m_folder}) {
        ASSERT_EQ(::stat(file.path().c_str(), &state), 0);
        EXPECT_EQ(state.st_mode & 0777, 0600U);
        EXPECT_EQ(file.path().string().find("0001"), std::string::npos) << "no serial number in its name";
    }
}

TEST_F(WrongTriesTest, TakesADamagedFileForNone) {
    type(m_token, Errc::pin_incorrect);
    for (auto const& file : std::filesystem::directory_iterator{m_folder})
        std::ofstream{file.path()} << "????";

    EXPECT_EQ(m_tries.seen(m_token), 0U);
}

TEST(WrongTries, WithoutAFolderKeepNothing) {
    WrongTries const tries{{}};
    tries.begin({});

    EXPECT_EQ(tries.seen({}), 0U);
}

} // namespace
} // namespace tamga::pkcs11

// What is known of the vendors' libraries and unlike the standard, or unlike the others: one test for each, on the fake
// module in the shape of that family (family_tokens.hpp).
#include "tests/softhsm/family_tokens.hpp"

#include <sys/wait.h>

#include <csignal>

namespace tamga::test {
namespace {

using ipc::Depth;
using ipc::Form;
using ipc::SlotId;

constexpr SlotId first{0};
constexpr SlotId second{1};
constexpr char const* wrong_pin = "00000000";

std::string outcome(Result<void> const& result) {
    return result ? "ok" : std::string{wire_name(result.error().code)};
}

TEST(JaCartaQuirk, HasTwentyOrThirtyTwoSlotsWhetherATokenIsInThemOrNot) {
    FamilyTokens tokens{jacarta, {KeyKind::rsa_2048}};
    TokenDriver driver{tokens.folder.path()};
    for (char const* slots : {"slots 20\n", "slots 32\n"}) {
        tokens.knobs(slots);
        EXPECT_EQ(driver.list(Depth::certificates).tokens.size(), 1U) << slots;
        tokens.knobs(slots + std::string{"absent 0\n"});
        EXPECT_EQ(driver.list(Depth::certificates).tokens.size(), 0U) << slots;
        tokens.knobs(slots);

        EXPECT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "ok") << slots;
    }
}

TEST(JaCartaQuirk, IsSeveralTokensOnOneStickEachWithItsOwnKeysAndPinAndAttempts) {
    FamilyTokens tokens{jacarta, {KeyKind::rsa_2048, KeyKind::gost2015_512}};
    std::string const applets = "model 0 JaCarta Laser\nmodel 1 JaCarta GOST 2.0\n";
    tokens.knobs(applets);
    TokenDriver driver{tokens.folder.path()};

    EXPECT_EQ(outcome(tokens.sign(driver, first, 0, wrong_pin, Form::cms)), "pin_incorrect");
    EXPECT_EQ(outcome(tokens.sign(driver, second, 1, user_pin, Form::cms)), "ok");
    auto const listed = driver.list(Depth::certificates);

    ASSERT_EQ(listed.tokens.size(), 2U);
    for (auto const& found : listed.tokens) {
        EXPECT_EQ(found.info.family, "jacarta");
        EXPECT_EQ(found.info.serial, listed.tokens.front().info.serial) << "they are one stick";
        EXPECT_EQ(found.info.wrong_tries_seen, found.slot == first ? 1U : 0U);
        EXPECT_EQ(found.certificates, 1U);
    }
}

TEST(JaCartaQuirk, HasADeveloperModeThatIsNotAskedFor) {
    FamilyTokens const tokens{jacarta, {KeyKind::ec_p256}};
    TokenDriver driver{tokens.folder.path()};

    driver.list(Depth::tokens);

    EXPECT_EQ(tokens.spy().calls("with 2"), 1U) << "CKF_OS_LOCKING_OK and no flag of a vendor";
}

TEST(KaztokenQuirk, KeepsItsFifteenSlotsWhenATokenLeavesAndShowsItWhenItIsBack) {
    FamilyTokens tokens{kaztoken, {KeyKind::rsa_2048}};
    TokenDriver driver{tokens.folder.path()};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(driver.list(Depth::certificates).tokens.size(), 1U);
        tokens.knobs("absent 0\n");
        EXPECT_EQ(driver.list(Depth::certificates).tokens.size(), 0U);
        EXPECT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "token_absent");
        tokens.knobs("");
    }

    EXPECT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "ok");
    EXPECT_EQ(tokens.spy().calls("C_Login"), 1U) << "none at a token that is not there";
}

TEST(KaztokenQuirk, MayCrashInGetTokenInfoWhileAnotherProgramUsesTheTokenWhichEndsItsProcessAlone) {
    FamilyTokens const tokens{kaztoken, {KeyKind::ec_p256}};
    {
        TokenDriver driver{tokens.folder.path()};
        ASSERT_EQ(driver.list(Depth::tokens).tokens.size(), 1U);
        tokens.knobs("crash C_GetTokenInfo segv\n");

        EXPECT_ANY_THROW(driver.list(Depth::tokens));

        EXPECT_EQ(WTERMSIG(driver.wait()), SIGSEGV);
    }
    tokens.knobs("");
    TokenDriver next{tokens.folder.path()};
    EXPECT_EQ(next.list(Depth::tokens).tokens.size(), 1U);
}

TEST(KaztokenQuirk, ListsGostKeysBesideRsaAndEachIsSignedWithByItsOwnMechanism) {
    FamilyTokens tokens{kaztoken, {KeyKind::rsa_2048}};
    auto const gost = make_key(tokens.folder, "gost", KeyKind::gost2015_512);
    tokens.certificates.push_back(gost);
    // Both pairs have the same CKA_ID, as programs that number keys for each kind write them.
    tokens.knobs("certificate 0 01 " + (tokens.folder / "gost.pem").string() + "\nkey 0 01 " +
                 (tokens.folder / "gost-key.pem").string() + '\n');
    TokenDriver driver{tokens.folder.path()};

    EXPECT_EQ(driver.list(Depth::certificates).certificates.size(), 2U);
    EXPECT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "ok");
    EXPECT_EQ(outcome(tokens.sign(driver, first, 1, user_pin, Form::cms)), "ok");
}

TEST(ETokenQuirk, SaysFlagsThatHaveNoMeaningHereAndIsTypedAtInTheWindowAllTheSame) {
    for (auto const& profile : {etoken_5110, etoken_5110_idprime}) {
        FamilyTokens tokens{profile, {KeyKind::rsa_2048}};
        TokenDriver driver{tokens.folder.path()};

        auto const info = driver.list(Depth::tokens).tokens.at(0).info;

        EXPECT_FALSE(info.pin_on_reader) << profile.family;
        EXPECT_FALSE(info.pin_locked || info.pin_final_try || info.pin_count_low) << "those are of the administrator";
        EXPECT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "ok") << profile.family;
    }
}

TEST(ETokenQuirk, IsATokenOf72KOrA5110OfTheSameMakerModelAndLibraryByItsReader) {
    FamilyTokens const tokens{etoken_5110, {KeyKind::ec_p256, KeyKind::ec_p256}};
    tokens.knobs("reader 1 Aladdin Token JC 00 00\n");
    TokenDriver driver{tokens.folder.path()};

    auto const found = driver.list(Depth::tokens).tokens;

    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].info.storage, "AKEToken5110Store");
    EXPECT_EQ(found[1].info.storage, "AKEToken72KStore");
}

TEST(ETokenQuirk, OfAModuleWhoseServiceIsNotRunningIsAnErrorAndNoEmptyListing) {
    FamilyTokens const tokens{etoken_72k, {KeyKind::ec_p256}};
    tokens.knobs("fail C_GetSlotList 30\n");
    TokenDriver driver{tokens.folder.path()};

    EXPECT_EQ(driver.list(Depth::tokens).status.error().code, Errc::token_failure);
    tokens.knobs("");
    EXPECT_EQ(driver.list(Depth::tokens).tokens.size(), 1U);
}

class EveryFamilyQuirk : public ::testing::TestWithParam<Profile> {};
INSTANTIATE_TEST_SUITE_P(Families, EveryFamilyQuirk, ::testing::ValuesIn(all_profiles));

TEST_P(EveryFamilyQuirk, LogsInForTheWholeTokenSoThatTheNextRequestIsAskedForItsPinAllTheSame) {
    FamilyTokens tokens{GetParam(), {KeyKind::ec_p256}};
    TokenDriver driver{tokens.folder.path()};
    ASSERT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "ok");

    EXPECT_EQ(outcome(tokens.sign(driver, first, 0, wrong_pin, Form::cms)), "pin_incorrect")
        << "nobody is left logged in";
}

TEST_P(EveryFamilyQuirk, HasAKeyThatWantsItsPinForEachSignatureAndGetsIt) {
    FamilyTokens tokens{GetParam(), {KeyKind::rsa_2048}, "always"};
    TokenDriver driver{tokens.folder.path()};

    EXPECT_EQ(outcome(tokens.sign(driver, first, 0, user_pin, Form::cms)), "ok");
    EXPECT_EQ(tokens.spy().calls("C_Login"), 2U);
}

} // namespace
} // namespace tamga::test

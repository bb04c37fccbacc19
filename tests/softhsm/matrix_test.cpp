// S26: every kind of token, with every kind of key, asked for every operation, ends in the same class of outcome.
// Nothing in the product may know a family beyond its row, nor a kind of key beyond its own.
#include "tests/softhsm/family_tokens.hpp"

#include <sys/wait.h>

#include <csignal>

namespace tamga::test {
namespace {

using ipc::Depth;
using ipc::Form;

constexpr ipc::SlotId slot{0};
constexpr char const* wrong_pin = "00000000";

class EveryToken : public ::testing::TestWithParam<std::tuple<Profile, KeyKind>> {
protected:
    EveryToken() : tokens{std::get<Profile>(GetParam()), {std::get<KeyKind>(GetParam())}} {}

    Result<void> sign(Form form, std::string_view signed_text = "document") {
        return tokens.sign(driver(), slot, 0, user_pin, form, signed_text);
    }
    Result<void> sign_where(std::string const& knobs) {
        tokens.knobs(knobs);
        auto result = sign(Form::cms);
        tokens.knobs("");
        return result;
    }
    Result<void> type(std::string const& pin) { return tokens.sign(driver(), slot, 0, pin, Form::cms); }
    ipc::TokenInfo seen() {
        auto const listed = driver().list(Depth::tokens);
        if (!listed.status || listed.tokens.size() != 1) throw std::runtime_error{"one token was expected"};
        return listed.tokens.front().info;
    }
    TokenDriver& driver() {
        if (!m_driver) m_driver.emplace(tokens.folder.path());
        return *m_driver;
    }
    int wait_for_the_end() {
        auto const status = driver().wait();
        m_driver.reset();
        return status;
    }

    FamilyTokens tokens;

private:
    std::optional<TokenDriver> m_driver;
};

/// "ok", or the word of the error.
std::string outcome(Result<void> const& result) {
    return result ? "ok" : std::string{wire_name(result.error().code)};
}

TEST_P(EveryToken, S26_IsListedByItsFamilyWithItsCertificateAndTheWordsForItsPin) {
    auto const listed = driver().list(Depth::certificates);

    ASSERT_EQ(listed.tokens.size(), 1U);
    auto const& info = listed.tokens.front().info;
    auto const& profile = std::get<Profile>(GetParam());
    EXPECT_EQ(info.family, profile.family);
    EXPECT_EQ(info.storage, profile.storage);
    EXPECT_FALSE(info.family_name.in(Language::kk).empty());
    EXPECT_FALSE(info.pin_on_reader);
    ASSERT_EQ(listed.certificates.size(), 1U);
    EXPECT_EQ(listed.certificates.front().der, tokens.certificates.front().der());
    EXPECT_EQ(tokens.spy().calls("C_Login"), 0U);
}

TEST_P(EveryToken, S26_SignsEachFormAndNothingThatWasNotAgreed) {
    EXPECT_EQ(outcome(sign(Form::cms)), "ok");
    EXPECT_EQ(outcome(sign(Form::xml)), "ok");
    EXPECT_EQ(outcome(sign(Form::raw)), "ok");
    EXPECT_EQ(outcome(sign(Form::cms, "another document")), "mandate_violated");
    EXPECT_EQ(tokens.spy().calls("C_Login"), 4U);
    EXPECT_EQ(tokens.spy().calls("C_Logout"), 4U);
}

TEST_P(EveryToken, S26_TellsPinsApartAndLocksWithoutAnAttemptMoreThanWasTyped) {
    EXPECT_EQ(outcome(sign_where("fail C_Login a2\n")), "pin_length");
    EXPECT_EQ(outcome(sign_where("fail C_Login a3\n")), "pin_expired");
    EXPECT_EQ(seen().wrong_tries_seen, 0U);
    EXPECT_EQ(outcome(type(wrong_pin)), "pin_incorrect");
    EXPECT_EQ(seen().wrong_tries_seen, 1U);
    EXPECT_EQ(outcome(type(wrong_pin)), "pin_incorrect");
    EXPECT_EQ(seen().attempts_left, std::uint8_t{1});
    EXPECT_EQ(outcome(type(wrong_pin)), "pin_locked");
    EXPECT_EQ(outcome(type(user_pin)), "pin_locked");
    EXPECT_TRUE(seen().pin_locked);
}

TEST_P(EveryToken, S26_FailsARequestAloneWhereItIsPulledOutOrItsModuleFails) {
    for (auto const& [knobs, word] : {std::pair{"vanish C_Sign\n", "token_absent"},
                                      {"vanish C_Login\n", "token_absent"},
                                      {"fail C_Sign 32\n", "token_absent"},
                                      {"fail C_Sign 30\n", "token_failure"},
                                      {"fail C_SignInit 80000042\n", "token_failure"},
                                      {"fail C_SignInit 70\n", "mechanism_unsupported"},
                                      {"fail C_SignInit 60\n", "key_not_found"},
                                      {"rubbish C_Sign\n", "token_failure"}}) {
        EXPECT_EQ(outcome(sign_where(knobs)), word) << knobs;
        EXPECT_EQ(outcome(sign(Form::cms)), "ok") << "after " << knobs;
    }
}

TEST_P(EveryToken, S26_IsLostWithTheProcessThatItsModuleEndsAndWorksInTheNext) {
    ASSERT_EQ(seen().wrong_tries_seen, 0U);
    tokens.knobs("crash C_Sign segv\n");

    EXPECT_EQ(outcome(sign(Form::cms)), "channel_closed") << "which tamga-web calls token_crashed";
    EXPECT_EQ(WTERMSIG(wait_for_the_end()), SIGSEGV);
    tokens.knobs("");

    EXPECT_EQ(outcome(sign(Form::cms)), "ok");
}

std::string name_of(::testing::TestParamInfo<std::tuple<Profile, KeyKind>> const& info) {
    constexpr char const* kinds[] = {"rsa", "ec", "gost512", "gost256"};
    std::string family = std::get<Profile>(info.param).family;
    std::ranges::replace(family, '-', '_');
    return family + '_' + kinds[static_cast<std::size_t>(std::get<KeyKind>(info.param))];
}
INSTANTIATE_TEST_SUITE_P(Families, EveryToken,
                         ::testing::Combine(::testing::ValuesIn(all_profiles),
                                            ::testing::Values(KeyKind::rsa_2048, KeyKind::ec_p256,
                                                              KeyKind::gost2015_512, KeyKind::gost2015_256)),
                         name_of);

/// A hang takes its deadline in real time, 2 s here: one kind of key for each family, in turn.
class EveryFamily : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Families, EveryFamily, ::testing::Range(std::size_t{0}, std::size(all_profiles)));

TEST_P(EveryFamily, S26_IsEndedAtItsDeadlineWhereItsModuleHangs) {
    constexpr KeyKind kinds[] = {KeyKind::rsa_2048, KeyKind::ec_p256, KeyKind::gost2015_512, KeyKind::gost2015_256};
    FamilyTokens tokens{all_profiles[GetParam()], {kinds[GetParam() % std::size(kinds)]}};
    TokenDriver driver{tokens.folder.path(), "0", {}, "tamga-token-hasty"};
    ASSERT_EQ(driver.list(Depth::tokens).tokens.size(), 1U);
    tokens.knobs("hang C_OpenSession\n");
    auto prompt = driver.prompt(ipc::RequestId{1000});

    EXPECT_EQ(unlock(prompt, slot, user_pin).reply.status.code, Errc::token_timeout);

    driver.wait();
    EXPECT_EQ(tokens.spy().calls("C_Login"), 0U);
}

} // namespace
} // namespace tamga::test

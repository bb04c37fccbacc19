// When an owner is reminded that a certificate ends, and when not.
#include "policy/reminders.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace tamga::policy {
namespace {

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::int64_t end = 2'000'000'000;

signing::Certificate certificate(test::CertificateSpec spec) {
    spec.key = test::KeyKind::ec_p256;
    auto parsed = signing::Certificate::parse(test::make_certificate(spec).certificate);
    EXPECT_TRUE(parsed);
    return *parsed;
}
signing::Certificate ends_at(std::int64_t not_after) {
    return certificate({.not_after = not_after});
}
std::vector<int> stages(std::vector<Reminder> const& reminders) {
    std::vector<int> found;
    for (auto const& reminder : reminders)
        found.push_back(reminder.days);
    return found;
}

TEST(ReminderStage, IsTheFewestDaysThatAreNotOverYet) {
    EXPECT_EQ(reminder_stage(end, end - 30 * day - 1), std::nullopt);
    EXPECT_EQ(reminder_stage(end, end - 30 * day), 30);
    EXPECT_EQ(reminder_stage(end, end - 14 * day - 1), 30);
    EXPECT_EQ(reminder_stage(end, end - 14 * day), 14);
    EXPECT_EQ(reminder_stage(end, end - 3 * day - 1), 14);
    EXPECT_EQ(reminder_stage(end, end - 3 * day), 3);
    EXPECT_EQ(reminder_stage(end, end), 3);
    EXPECT_EQ(reminder_stage(end, end + 1), std::nullopt) << "too late to renew";
}

class Reminders : public testing::Test {
protected:
    [[nodiscard]] std::filesystem::path path() const { return m_scratch / "state/reminders.toml"; }
    [[nodiscard]] std::vector<Reminder> due(std::vector<signing::Certificate> const& all, std::int64_t now) const {
        return ReminderBook::load(path()).due(all, now);
    }
    void give(std::vector<signing::Certificate> const& all, std::int64_t now) const {
        auto book = ReminderBook::load(path());
        for (auto const& reminder : book.due(all, now))
            ASSERT_TRUE(book.note(reminder, now));
    }
    test::Scratch m_scratch;
};

TEST_F(Reminders, AreGivenOnceForEachStageWhateverHowOftenTheyAreLookedFor) {
    std::vector const all{ends_at(end)};
    std::vector<int> given;
    for (auto now = end - 40 * day; now < end + 5 * day; now += day / 4) {
        for (auto const stage : stages(due(all, now)))
            given.push_back(stage);
        give(all, now);
    }
    EXPECT_EQ(given, (std::vector{30, 14, 3}));
}

TEST_F(Reminders, OfAComputerThatWasOffAreNotMadeUpFor) {
    std::vector const all{ends_at(end)};

    give(all, end - 2 * day);

    EXPECT_TRUE(due(all, end - 2 * day).empty());
    EXPECT_TRUE(due(all, end - 20 * day).empty()) << "a clock that was set back";
}

TEST_F(Reminders, SpeakOfNoCertificateThatHasASuccessor) {
    auto const old = ends_at(end);
    auto const renewed = ends_at(end + 365 * day);
    auto const of_somebody_else = certificate({.iin = "123456789012", .not_after = end + 365 * day});
    auto const for_the_organisation = certificate({.bin = "123456789013", .not_after = end + 365 * day});
    auto const to_sign_in = certificate({.extended_key_usages = {"1.3.6.1.5.5.7.3.2"}, .not_after = end + 365 * day});

    EXPECT_TRUE(due({old, renewed}, end - day).empty());
    EXPECT_EQ(due({old, of_somebody_else}, end - day).size(), 1U);
    EXPECT_EQ(due({old, for_the_organisation}, end - day).size(), 1U);
    EXPECT_EQ(due({old, to_sign_in}, end - day).size(), 1U);
}

TEST_F(Reminders, SayHowManyDaysAreLeftTheShortestFirst) {
    auto const of_somebody_else = certificate({.iin = "123456789012", .not_after = end - 10 * day});
    auto const reminders = due({ends_at(end), of_somebody_else}, end - 12 * day);

    ASSERT_EQ(reminders.size(), 2U);
    EXPECT_EQ(reminders[0].days_left, 2);
    EXPECT_EQ(reminders[1].days_left, 12);
}

TEST_F(Reminders, AreGivenAgainWhereTheFileIsDamagedAndItIsForItsOwnerAlone) {
    std::vector const all{ends_at(end)};
    give(all, end - day);
    struct stat info {};
    ASSERT_EQ(::stat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);

    m_scratch.write("state/reminders.toml", "[[[");

    EXPECT_EQ(due(all, end - day).size(), 1U);
    give(all, end - day);
    EXPECT_TRUE(due(all, end - day).empty());
}

TEST_F(Reminders, ForgetCertificatesThatHaveEnded) {
    auto const old = ends_at(end);
    give({old}, end - day);
    give({ends_at(end + 20 * day)}, end + day);

    EXPECT_EQ(m_scratch.read("state/reminders.toml").find(to_hex(old.fingerprint())), std::string::npos);
}

} // namespace
} // namespace tamga::policy

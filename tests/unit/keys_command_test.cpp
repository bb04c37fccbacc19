// What `tamga keys` does without a daemon: lists and reminders from the journal, and what is told when a token is lost.
#include "base/base64.hpp"
#include "cli/keys.hpp"
#include "journal/book.hpp"
#include "signing/certificate.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <sstream>

namespace tamga::cli {
namespace {

constexpr std::int64_t day = 24 * 60 * 60;

class KeysTest : public testing::Test {
protected:
    KeysTest() {
        m_settings.language = Language::en;
        m_settings.journal = m_scratch / "journal.db";
        m_settings.agrees = [this](std::string const& question) {
            m_questions += question + '\n';
            return m_agrees;
        };
    }
    void know(test::CertificateSpec spec) {
        spec.key = test::KeyKind::ec_p256;
        auto const certificate = *signing::Certificate::parse(test::make_certificate(spec).certificate);
        auto book = journal::Book::open(m_settings.journal, {});
        ASSERT_TRUE(book);
        ASSERT_TRUE(book->note({to_hex(certificate.fingerprint()), to_base64(certificate.der()), m_now}));
    }
    [[nodiscard]] int list(KeysListing const& wanted = {}) {
        return list_keys(m_settings, wanted, m_out, m_complaints);
    }
    int remind_now(Notify const& notify, std::int64_t now) {
        return remind(m_settings, m_scratch / "state/reminders.toml", notify, now, m_out, m_complaints);
    }

    test::Scratch const m_scratch;
    std::int64_t const m_now = std::time(nullptr);
    KeysSettings m_settings;
    std::ostringstream m_out;
    std::ostringstream m_complaints;
    std::string m_questions;
    bool m_agrees = false;
};

TEST_F(KeysTest, ListsWhatWasUsedHereWithItsStateAndSaysWhatCannotBeKnown) {
    know({.common_name = "ТЕСТОВ БУДУЩИЙ"});
    know({.common_name = "ТЕСТОВ СКОРО", .not_after = m_now + 10 * day});
    know({.common_name = "ТЕСТОВ БЫЛ", .not_after = m_now - 10 * day});

    EXPECT_EQ(list(), 0);

    auto const words = m_out.str();
    EXPECT_NE(words.find("ТЕСТОВ БУДУЩИЙ"), std::string::npos) << words;
    EXPECT_NE(words.find("ends soon"), std::string::npos);
    EXPECT_NE(words.find("has ended"), std::string::npos);
    EXPECT_NE(m_complaints.str().find("tamga keys list --pin"), std::string::npos);
}

TEST_F(KeysTest, ListsThoseOfOneStateForPrograms) {
    know({.common_name = "ТЕСТОВ БУДУЩИЙ"});
    know({.common_name = "ТЕСТОВ БЫЛ", .not_after = m_now - 10 * day});
    m_settings.form = ReportForm::json;
    KeysListing wanted;
    wanted.state = "expired";

    EXPECT_EQ(list(wanted), 0);

    EXPECT_NE(m_out.str().find("ТЕСТОВ БЫЛ"), std::string::npos);
    EXPECT_EQ(m_out.str().find("ТЕСТОВ БУДУЩИЙ"), std::string::npos);
}

TEST_F(KeysTest, SaysThatNobodyRunsWhereTheTokenIsToBeAsked) {
    m_settings.socket = m_scratch / "nobody.sock";
    KeysListing wanted;
    wanted.on_token = true;

    EXPECT_EQ(list(wanted), 5);
}

TEST_F(KeysTest, RemindsOfEachStageOnceAndAgainWhereNobodyCouldBeTold) {
    know({.common_name = "ТЕСТОВ СКОРО", .not_after = m_now + 10 * day});
    std::vector<std::string> told;
    Notify const tells = [&](std::string const& summary, std::string const& body) {
        told.push_back(summary + body);
        return ok();
    };
    Notify const fails = [](std::string const&, std::string const&) {
        return Result<void>{Error{Errc::system, "no desktop"}};
    };

    EXPECT_EQ(remind_now(fails, m_now), 1);
    EXPECT_EQ(remind_now(tells, m_now), 0);
    EXPECT_EQ(remind_now(tells, m_now), 0);
    EXPECT_EQ(remind_now(tells, m_now + 8 * day), 0);

    ASSERT_EQ(told.size(), 2U);
    EXPECT_NE(told[0].find("in 10 days"), std::string::npos) << told[0];
    EXPECT_NE(told[0].find("ТЕСТОВ СКОРО"), std::string::npos);
    EXPECT_NE(m_complaints.str().find("no desktop"), std::string::npos);
}

TEST_F(KeysTest, TellsWhoLostATokenWhatToDoAndWhichCertificatesItWasAbout) {
    know({.common_name = "ТЕСТОВ ПОТЕРЯН"});

    EXPECT_EQ(tell_of_lost_keys(m_settings, m_out, m_complaints), 0);

    EXPECT_NE(m_out.str().find("registration centre"), std::string::npos);
    EXPECT_NE(m_out.str().find("ТЕСТОВ ПОТЕРЯН"), std::string::npos);
}

TEST_F(KeysTest, RevokesNothingWithoutAReasonThatIsKnownOrAgainstTheWordOfThePerson) {
    know({});
    Revocation wanted;
    wanted.reason = "boredom";
    EXPECT_EQ(revoke_keys(m_settings, wanted, m_out, m_complaints), 1);

    wanted.reason = "compromised";
    EXPECT_EQ(revoke_keys(m_settings, wanted, m_out, m_complaints), 4);
    EXPECT_NE(m_questions.find("cannot be taken back"), std::string::npos);
}

TEST_F(KeysTest, RecommendsToRevokeTheCertificateForSigningInFirst) {
    auto const sign_in =
        test::make_certificate({.key = test::KeyKind::ec_p256, .extended_key_usages = {"1.3.6.1.5.5.7.3.2"}});
    auto const sign = test::make_certificate({.key = test::KeyKind::ec_p256});
    m_scratch.write("in.cer", sign_in.certificate);
    m_scratch.write("sign.cer", sign.certificate);
    Revocation wanted;
    wanted.reason = "changed";

    wanted.files = {m_scratch / "in.cer", m_scratch / "sign.cer"};
    EXPECT_EQ(revoke_keys(m_settings, wanted, m_out, m_complaints), 4);
    EXPECT_EQ(m_complaints.str().find("recommended"), std::string::npos);
    wanted.files = {m_scratch / "sign.cer", m_scratch / "in.cer"};
    EXPECT_EQ(revoke_keys(m_settings, wanted, m_out, m_complaints), 4);
    EXPECT_NE(m_complaints.str().find("recommended"), std::string::npos) << "any order is obeyed, after a warning";
}

TEST_F(KeysTest, AsksAboutEachApplicationAndSignsNoneThatWasNotConfirmed) {
    m_scratch.write("one.txt", "application of the first");
    m_scratch.write("two.txt", "application of the second\x1b[2J");
    Decision wanted;
    wanted.approves = true;
    wanted.applications = {m_scratch / "one.txt", m_scratch / "two.txt"};
    m_settings.yes = true; // is no answer to these

    EXPECT_EQ(decide_applications(m_settings, wanted, m_out, m_complaints), 4);

    EXPECT_NE(m_complaints.str().find("application of the first"), std::string::npos);
    EXPECT_EQ(m_complaints.str().find('\x1b'), std::string::npos) << "what a terminal would obey is not printed";
    EXPECT_NE(m_questions.find("one.txt"), std::string::npos);
    EXPECT_NE(m_questions.find("two.txt"), std::string::npos);
    m_scratch.write("one.txt", std::string_view{"\xff\xfe binary"});
    EXPECT_EQ(decide_applications(m_settings, wanted, m_out, m_complaints), 1);
}

} // namespace
} // namespace tamga::cli

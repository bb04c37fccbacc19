// Applications for new certificates on disk: what is found again, and what a broken file costs.
#include "daemon/applications.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

namespace tamga::daemon {
namespace {

namespace fs = std::filesystem;

Application an_application(std::string number) {
    static auto const present = test::make_certificate({.key = test::KeyKind::ec_p256}).certificate;
    Application application;
    application.number = std::move(number);
    application.created = application.changed = 1'790'000'000;
    application.email = "person@example.test";
    application.token = {"AKKaztokenStore", "kaztoken", "Тестовый \"токен\"\n[x]", "0123456789"};
    application.keys = {{KeyUse::authentication, signing::KeyAlgorithm::rsa, present, {1, 2}, {}, {}, {}},
                        {KeyUse::signature, signing::KeyAlgorithm::gost2015_512, present, {3, 4}, {}, {}, {}}};
    return application;
}

/// With everything that the states up to this one bring.
Application at(ApplicationState state, std::string number = "20261123-ABCDEF") {
    auto application = an_application(std::move(number));
    application.state = state;
    unsigned char next = 10;
    for (auto& key : application.keys) {
        if (state >= ApplicationState::keys_generated) key.public_key = {next++, 1};
        if (state >= ApplicationState::request_built) key.request = {next++, 2};
        if (state >= ApplicationState::issued) key.certificate = {next++, 3};
    }
    if (state >= ApplicationState::signed_) application.signed_application = {9, 9, 9};
    return application;
}

class ApplicationsTest : public testing::Test {
protected:
    [[nodiscard]] fs::path folder() const { return m_scratch / "tamga/applications"; }
    [[nodiscard]] Applications applications() const { return Applications{folder()}; }
    test::Scratch const m_scratch;
};

TEST_F(ApplicationsTest, AreFoundAgainInEveryState) {
    for (auto const state : {ApplicationState::begun, ApplicationState::keys_generated, ApplicationState::request_built,
                             ApplicationState::signed_, ApplicationState::submitted, ApplicationState::issued,
                             ApplicationState::installed}) {
        auto const application = at(state);

        ASSERT_TRUE(applications().save(application));

        auto const loaded = applications().load(application.number);
        ASSERT_TRUE(loaded) << name_of(state) << ' ' << loaded.error().detail;
        EXPECT_EQ(*loaded, application) << name_of(state);
    }
}

TEST_F(ApplicationsTest, S24AreForTheirOwnerAloneWhateverTheUmask) {
    auto const before = ::umask(0);
    ASSERT_TRUE(applications().save(at(ApplicationState::begun)));
    ::umask(before);

    struct stat info {};
    ASSERT_EQ(::stat((folder() / "20261123-ABCDEF.toml").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    for (auto const& each : {folder(), folder().parent_path()}) {
        ASSERT_EQ(::stat(each.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0700U) << each;
    }
}

TEST_F(ApplicationsTest, AreListedLatestFirstAndABrokenOneHidesNoOther) {
    auto later = at(ApplicationState::signed_, "20261124-BBBBBB");
    later.created += 1;
    ASSERT_TRUE(applications().save(at(ApplicationState::begun)));
    ASSERT_TRUE(applications().save(later));
    m_scratch.write("tamga/applications/20261125-CCCCCC.toml", "number = [[[");
    m_scratch.write("tamga/applications/20261126-DDDDDD.toml",
                    "number = \"20261126-DDDDDD\"\nstate = \"dreamt of\"\n# the end\n");
    m_scratch.write("tamga/applications/20261123-ABCDEF.toml.new", "half of");

    auto const listing = applications().list();

    ASSERT_EQ(listing.applications.size(), 2U);
    EXPECT_EQ(listing.applications[0].number, "20261124-BBBBBB");
    ASSERT_EQ(listing.unreadable.size(), 2U);
    for (auto const& unreadable : listing.unreadable)
        EXPECT_EQ(unreadable.error.code, Errc::application_damaged) << unreadable.error.detail;
    EXPECT_NE(listing.unreadable[1].error.detail.find("state"), std::string::npos) << "says what is wrong";
}

TEST_F(ApplicationsTest, ThatWereCutOffAtAnyOctetAreAnErrorOrWhole) {
    auto const whole = at(ApplicationState::issued);
    ASSERT_TRUE(applications().save(whole));
    auto const text = m_scratch.read("tamga/applications/20261123-ABCDEF.toml");
    for (std::size_t size = 0; size < text.size(); size += 7) {
        m_scratch.write("tamga/applications/20261123-ABCDEF.toml", std::string_view{text}.substr(0, size));

        auto const loaded = applications().load(whole.number);

        if (loaded)
            EXPECT_EQ(*loaded, whole) << size;
        else
            EXPECT_EQ(loaded.error().code, Errc::application_damaged) << size;
    }
}

TEST_F(ApplicationsTest, ThatClaimAStateWithoutWhatItNeedsAreDamaged) {
    for (auto const state : {ApplicationState::keys_generated, ApplicationState::request_built,
                             ApplicationState::signed_, ApplicationState::issued}) {
        auto application = an_application("20261123-ABCDEF");
        application.state = state;
        ASSERT_TRUE(applications().save(application));

        EXPECT_EQ(applications().load(application.number).error().code, Errc::application_damaged) << name_of(state);
    }
}

TEST_F(ApplicationsTest, AreNoWayToOtherFiles) {
    m_scratch.write("tamga/secret.toml", "number = \"../secret\"");
    for (auto const* number : {"../secret", "", ".", "a", "20261123-ABCDEF/../../secret", "-X", "A\0B"})
        EXPECT_EQ(applications().load(number).error().code, Errc::application_unknown) << number;
    EXPECT_EQ(applications().forget("../secret").error().code, Errc::application_unknown);
    EXPECT_TRUE(fs::exists(m_scratch / "tamga/secret.toml"));
}

TEST_F(ApplicationsTest, AreFoundByTheKeyTheyWaitFor) {
    auto const key = test::make_certificate({.key = test::KeyKind::ec_p256});
    auto const certificate = *signing::Certificate::parse(key.certificate);
    auto application = at(ApplicationState::signed_);
    application.keys[1].public_key = signing::public_key_of(certificate).der;
    ASSERT_TRUE(applications().save(application));

    auto waiting = applications().waiting_for(signing::public_key_of(certificate));

    ASSERT_TRUE(waiting);
    EXPECT_EQ(waiting->number, application.number);
    EXPECT_EQ(key_for(*waiting, signing::public_key_of(certificate))->use, KeyUse::signature);
    auto const other =
        *signing::Certificate::parse(test::make_certificate({.key = test::KeyKind::ec_p256}).certificate);
    EXPECT_EQ(applications().waiting_for(signing::public_key_of(other)).error().code, Errc::application_unknown);
}

TEST_F(ApplicationsTest, GetNumbersThatAPersonCanReadOutAndThatDiffer) {
    auto const now = 1'795'456'800; // 2026-11-23
    auto const one = applications().new_number(now);
    auto const other = applications().new_number(now);

    EXPECT_NE(one, other);
    EXPECT_TRUE(one.starts_with("20261123-")) << one;
    EXPECT_EQ(one.size(), 15U);
    EXPECT_EQ(one.find_first_of("01ILO", 9), std::string::npos) << one;
}

TEST_F(ApplicationsTest, AreGoneOnceForgotten) {
    ASSERT_TRUE(applications().save(at(ApplicationState::installed)));

    EXPECT_TRUE(applications().forget("20261123-ABCDEF"));

    EXPECT_EQ(applications().load("20261123-ABCDEF").error().code, Errc::application_unknown);
    EXPECT_EQ(applications().forget("20261123-ABCDEF").error().code, Errc::application_unknown);
    EXPECT_TRUE(applications().list().applications.empty());
}

} // namespace
} // namespace tamga::daemon

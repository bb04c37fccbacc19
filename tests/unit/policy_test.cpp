// policy/: who may ask, what the configuration says, what the person answered before.
#include "policy/consent.hpp"
#include "policy/web_config.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <sys/stat.h>

#include <ctime>

namespace tamga::policy {
namespace {

namespace fs = std::filesystem;

OriginRules const portals{.allow = {"egov.kz", "idp.egov.kz", "esf.gov.kz:8443", "knp.kgd.gov.kz"}, .deny = {"bad.kz"}};

OriginRules strict(OriginRules rules) {
    rules.strict = true;
    return rules;
}

class PolicyFiles : public testing::Test {
protected:
    [[nodiscard]] fs::path path(std::string const& name) const { return m_scratch / name; }
    fs::path write(std::string const& name, std::string_view text) const {
        m_scratch.write(name, text);
        return path(name);
    }
    Result<WebConfig> load(std::string_view computer, std::string_view person) const {
        return load_web_config({{}, write("etc.toml", computer), write("home.toml", person)});
    }

    test::Scratch m_scratch;
};

std::string content_of(fs::path const& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

// Origins.

TEST(Origin, ListedHttpsHostsAreAllowedAndDeniedExactly) {
    EXPECT_EQ(judge(portals, "https://egov.kz"), Verdict::allowed);
    EXPECT_EQ(judge(portals, "https://esf.gov.kz:8443"), Verdict::allowed);
    EXPECT_EQ(judge(portals, "https://esf.gov.kz"), Verdict::ask);
    EXPECT_EQ(judge(portals, "https://bad.kz"), Verdict::denied);
    EXPECT_EQ(judge(portals, "https://portal.example"), Verdict::ask);
    EXPECT_EQ(judge(strict(portals), "https://portal.example"), Verdict::denied);
    EXPECT_EQ(judge(strict(portals), "https://egov.kz"), Verdict::allowed);
}

TEST(Origin, DenialWinsOverPermission) {
    OriginRules const both{.allow = {"egov.kz"}, .deny = {"egov.kz"}};

    EXPECT_EQ(judge(both, "https://egov.kz"), Verdict::denied);
}

TEST(Origin, S1DeniesWhatIsNoSecureWebPage) {
    for (char const* header : {"",
                               "null",
                               "file://",
                               "file:///home/x.html",
                               "http://egov.kz",
                               "http://localhost:8080",
                               "ws://egov.kz",
                               "chrome-extension://abcdef",
                               "https://",
                               "https:/egov.kz",
                               "egov.kz",
                               "https://egov.kz/",
                               "https://egov.kz/path",
                               "https://egov.kz?x",
                               "https://user@egov.kz",
                               "https://egov.kz:443",
                               "https://egov.kz:",
                               "https://egov.kz:0",
                               "https://egov.kz:08443",
                               "https://egov.kz:65536",
                               "https://egov.kz:1x",
                               "https://егов.kz",
                               "https://egov..kz",
                               "https://.egov.kz",
                               "https://egov.kz https://x.kz",
                               "https://egov.kz\n",
                               "HTTPS://egov.kz",
                               "https://[::1",
                               "https://[::1]x",
                               "https://*.egov.kz",
                               "https://egov.kz%00.evil.tld"}) {
        EXPECT_EQ(judge(portals, header), Verdict::denied) << header;
    }
    EXPECT_EQ(judge(portals, "https://" + std::string(300, 'a')), Verdict::denied);
}

TEST(Origin, AsksAboutLoopbackPagesInDevelopmentOnly) {
    OriginRules development;
    development.development = true;

    for (char const* header : {"http://localhost", "http://localhost:3000", "http://127.0.0.1:8080"}) {
        EXPECT_EQ(judge(development, header), Verdict::ask) << header;
        EXPECT_EQ(judge(strict(development), header), Verdict::denied) << header;
        EXPECT_EQ(judge({}, header), Verdict::denied) << header;
    }
    EXPECT_EQ(judge(development, "http://localhost.evil.tld"), Verdict::denied);
}

TEST(Origin, S1MarksLookAlikesAsksAboutThemAndDeniesThemInStrictMode) {
    struct LookAlike {
        char const* origin;
        char const* of;
    };
    for (auto const& [origin, of] : {
             LookAlike{"https://egov.kz.evil.tld", "egov.kz"}, LookAlike{"https://xegov.kz", "egov.kz"},
             LookAlike{"https://egov.kz.", "egov.kz"}, LookAlike{"https://EGOV.KZ", "egov.kz"},
             LookAlike{"https://Egov.kz", "egov.kz"}, LookAlike{"https://egov.kz:8443", "egov.kz"},
             LookAlike{"https://esf.gov.kz", "esf.gov.kz:8443"}, LookAlike{"https://egov-kz.com", "egov.kz"},
             LookAlike{"https://login-egov-kz.example", "egov.kz"}, LookAlike{"https://egov.kz-login.com", "egov.kz"},
             LookAlike{"https://egav.kz", "egov.kz"}, LookAlike{"https://geov.kz", "egov.kz"},
             LookAlike{"https://eg0v.kz", "egov.kz"}, LookAlike{"https://knp.kgd.qov.kz", "knp.kgd.gov.kz"},
             LookAlike{"https://xn--gov-qdd.kz", "egov.kz"},  // Cyrillic е
             LookAlike{"https://xn--v-etbf1b.kz", "egov.kz"}, // Cyrillic е, г, о
             LookAlike{"https://xn--eov-psa.kz", "egov.kz"},  // ġ
         }) {
        EXPECT_EQ(judge(portals, origin), Verdict::ask) << origin;
        EXPECT_EQ(judge(strict(portals), origin), Verdict::denied) << origin;
        EXPECT_EQ(resembles(origin, portals.allow), of) << origin;
    }
}

TEST(Origin, MarksNeitherKnownHostsNorTheirSubdomainsNorStrangers) {
    for (char const* origin :
         {"https://egov.kz", "https://idp.egov.kz", "https://new.service.egov.kz", "https://esf.gov.kz:8443",
          "https://portal.example", "https://nov.kz", "https://kgd.gov.kz", "https://edu.gov.kz",
          "https://xn--e1afmkfd.example", "https://xn--.kz", "null"}) {
        EXPECT_EQ(resembles(origin, portals.allow), "") << origin;
    }
}

TEST(ShippedOrigins, AreExactHostsWithTheirSources) {
    auto const config = load_web_config({TAMGA_SOURCE_DIR "/policy/origins.toml", {}, {}});

    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(judge(config->origins, "https://egov.kz"), Verdict::allowed);
    std::istringstream lines{content_of(TAMGA_SOURCE_DIR "/policy/origins.toml")};
    std::string before;
    for (std::string line; std::getline(lines, line); before = line) {
        EXPECT_TRUE(!line.starts_with("  \"") || before.starts_with("  #")) << line << " names no source";
    }
}

// Configuration.

TEST_F(PolicyFiles, SayNothingWhereTheyAreMissing) {
    auto const config = load_web_config({path("none"), path("none"), path("none")});

    ASSERT_TRUE(config);
    EXPECT_EQ(config->frame_bytes, 268435456U);
    EXPECT_EQ(config->buffered_bytes, 536870912U);
    EXPECT_EQ(config->prompt_seconds, 120U);
    EXPECT_FALSE(config->origins.strict);
}

TEST_F(PolicyFiles, AddUp) {
    auto const config = load(
        "[origins]\nallow = [\"a.kz\"]\ndeny = [\"x.kz\"]\n",
        "[origins]\nallow = [\"b.kz:8443\"]\ndeny = [\"y.kz\"]\ndevelopment = true\n[limits]\nprompt_seconds = 60\n");

    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->origins.allow, (std::set<std::string>{"a.kz", "b.kz:8443"}));
    EXPECT_EQ(config->origins.deny, (std::set<std::string>{"x.kz", "y.kz"}));
    EXPECT_TRUE(config->origins.development);
    EXPECT_EQ(config->prompt_seconds, 60U);
}

TEST_F(PolicyFiles, OfThePersonCannotLoosenWhatTheComputerFixed) {
    auto const config = load("[origins]\nstrict = true\nuser_origins = false\ndevelopment = false\ndeny = "
                             "[\"x.kz\"]\n[limits]\nframe_bytes = 1048576\n",
                             "[origins]\nstrict = false\ndevelopment = true\nallow = [\"b.kz\", "
                             "\"x.kz\"]\n[limits]\nframe_bytes = 2097152\n");

    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_TRUE(config->origins.strict);
    EXPECT_FALSE(config->origins.development);
    EXPECT_TRUE(config->origins.allow.empty());
    EXPECT_EQ(judge(config->origins, "https://x.kz"), Verdict::denied);
    EXPECT_EQ(config->frame_bytes, 1048576U);
}

TEST_F(PolicyFiles, NameFileAndKeyOfWhatIsWrong) {
    for (auto const& [text, key] :
         {std::pair{"[origins]\nalow = []\n", "origins.alow"}, std::pair{"[window]\n", "window"},
          std::pair{"strict = true\n", "strict"}, std::pair{"[origins]\nstrict = \"yes\"\n", "origins.strict"},
          std::pair{"[origins]\nallow = \"a.kz\"\n", "origins.allow"},
          std::pair{"[origins]\nallow = [\"*.kz\"]\n", "origins.allow"},
          std::pair{"[origins]\nallow = [\"https://a.kz\"]\n", "origins.allow"},
          std::pair{"[origins]\nallow = [\"A.kz\"]\n", "origins.allow"},
          std::pair{"[origins]\nallow = [\"a.kz:443\"]\n", "origins.allow"},
          std::pair{"[limits]\nframe_bytes = -1\n", "limits.frame_bytes"},
          std::pair{"[limits]\nprompt_seconds = 1\n", "limits.prompt_seconds"},
          std::pair{"[limits]\nbuffered_bytes = 1048576\n", "limits.buffered_bytes"},
          std::pair{"[origins]\nuser_origins = true\n", "home.toml: origins.user_origins: belongs into"},
          std::pair{"[origins]\nuser_origins = false\n", "home.toml: origins.user_origins: belongs into"},
          std::pair{"[origins\n", "home.toml: line 1"}}) {
        auto const config = load("", text);
        ASSERT_FALSE(config) << text;
        EXPECT_EQ(config.error().code, Errc::config_invalid);
        EXPECT_NE(config.error().detail.find(key), std::string::npos) << config.error().detail;
    }
}

TEST_F(PolicyFiles, AreNotBelievedWhereOthersMayWriteThem) {
    auto const file = write("etc.toml", "");
    fs::permissions(file, fs::perms{0666});

    auto const config = load_web_config({{}, file, {}});

    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::file_untrusted);
}

// What the person answered.

TEST_F(PolicyFiles, RememberAnswersTheNoIncluded) {
    auto book = ConsentBook::load(path("state/tamga/sites.toml"));
    EXPECT_EQ(book.lookup("https://a.kz"), std::nullopt);

    ASSERT_TRUE(book.remember("https://a.kz", Answer::allow));
    ASSERT_TRUE(book.remember("https://b.kz:8443", Answer::deny));
    ASSERT_TRUE(book.remember("https://a.kz", Answer::deny));

    auto again = ConsentBook::load(path("state/tamga/sites.toml"));
    EXPECT_EQ(again.lookup("https://a.kz"), Answer::deny);
    EXPECT_EQ(again.lookup("https://b.kz:8443"), Answer::deny);
    EXPECT_EQ(again.lookup("https://c.kz"), std::nullopt);
}

TEST_F(PolicyFiles, S24KeepAnswersReadableByTheirOwnerAloneWhateverTheUmask) {
    for (mode_t const mask : {mode_t{0}, mode_t{0777}}) {
        fs::remove_all(path("tamga"));
        auto const before = ::umask(mask);
        auto const remembered = ConsentBook::load(path("tamga/sites.toml")).remember("https://a.kz", Answer::allow);
        ::umask(before);

        ASSERT_TRUE(remembered) << remembered.error().detail;
        EXPECT_EQ(fs::status(path("tamga/sites.toml")).permissions(), fs::perms{0600});
        EXPECT_EQ(fs::status(path("tamga")).permissions(), fs::perms{0700});
    }
}

TEST_F(PolicyFiles, ReplaceAnswersAsAWhole) {
    auto book = ConsentBook::load(path("sites.toml"));
    ASSERT_TRUE(book.remember("https://a.kz", Answer::allow));
    struct stat first {};
    ASSERT_EQ(::stat(path("sites.toml").c_str(), &first), 0);
    write("sites.toml.new", "half a fi");

    ASSERT_TRUE(book.remember("https://b.kz", Answer::allow));

    struct stat second {};
    ASSERT_EQ(::stat(path("sites.toml").c_str(), &second), 0);
    EXPECT_NE(first.st_ino, second.st_ino) << "written in place";
    EXPECT_FALSE(fs::exists(path("sites.toml.new")));
    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://a.kz"), Answer::allow);
}

TEST_F(PolicyFiles, SetDamagedAnswersAsideAndAskAgain) {
    for (std::string_view const text :
         {"[\"https://a.kz\"]\nanswer = \"allow\"\nat = 1\n[\"https",
          "[\"https://a.kz\"]\nanswer = \"maybe\"\nat = 1\n", "a = 1\n", "[\"https://a.kz\"]\nanswer = \"allow\"\n"}) {
        fs::remove(path("sites.toml.damaged"));
        write("sites.toml", text);

        testing::internal::CaptureStderr();
        auto book = ConsentBook::load(path("sites.toml"));

        EXPECT_NE(testing::internal::GetCapturedStderr().find("sites_set_aside"), std::string::npos) << text;
        EXPECT_EQ(book.lookup("https://a.kz"), std::nullopt) << text;
        EXPECT_EQ(m_scratch.read("sites.toml.damaged"), text);
        EXPECT_FALSE(fs::exists(path("sites.toml")));
    }
}

/// An answer as it was written `days` ago.
std::string written(std::string const& origin, std::string const& answer, std::int64_t days_ago,
                    std::optional<std::int64_t> used_days_ago = {}) {
    constexpr std::int64_t day = 24 * 60 * 60;
    auto const now = static_cast<std::int64_t>(std::time(nullptr));
    auto text =
        "[\"" + origin + "\"]\nanswer = \"" + answer + "\"\nat = " + std::to_string(now - days_ago * day) + '\n';
    if (used_days_ago) text += "used = " + std::to_string(now - *used_days_ago * day) + '\n';
    return text;
}

TEST_F(PolicyFiles, EndAPermissionThatWasNotUsedForLongAndNoRefusal) {
    write("sites.toml", written("https://old.kz", "allow", 31) + written("https://used.kz", "allow", 400, 29) +
                            written("https://never.kz", "deny", 400) + written("https://new.kz", "allow", 29));
    auto book = ConsentBook::load(path("sites.toml"), std::chrono::days{30});

    EXPECT_EQ(book.lookup("https://old.kz"), std::nullopt);
    EXPECT_EQ(book.lookup("https://used.kz"), Answer::allow);
    EXPECT_EQ(book.lookup("https://new.kz"), Answer::allow);
    EXPECT_EQ(book.lookup("https://never.kz"), Answer::deny);
    EXPECT_EQ(book.all().size(), 3U);
    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://old.kz"), Answer::allow) << "without a lifetime";
}

TEST_F(PolicyFiles, CountAPermissionFromItsLastUseAndWriteThatOnceADay) {
    write("sites.toml", written("https://a.kz", "allow", 29) + written("https://never.kz", "deny", 29));
    auto book = ConsentBook::load(path("sites.toml"), std::chrono::days{30});

    ASSERT_TRUE(book.note_use("https://a.kz") && book.note_use("https://never.kz") && book.note_use("https://b.kz"));

    auto const grants = ConsentBook::load(path("sites.toml"), std::chrono::days{30}).all();
    ASSERT_EQ(grants.size(), 2U);
    EXPECT_LT(std::time(nullptr) - grants[0].used, 60);
    EXPECT_EQ(grants[0].ends, grants[0].used + 30 * 24 * 60 * 60);
    EXPECT_EQ(grants[1].ends, 0);
    ASSERT_TRUE(book.note_use("https://a.kz"));
    struct stat before {};
    ::stat(path("sites.toml").c_str(), &before);
    ASSERT_TRUE(book.note_use("https://a.kz"));
    struct stat after {};
    ::stat(path("sites.toml").c_str(), &after);
    EXPECT_EQ(before.st_ino, after.st_ino) << "written again";
}

TEST_F(PolicyFiles, KeepAnAnswerThatWasTakenBackApartFromNone) {
    auto book = ConsentBook::load(path("sites.toml"));
    ASSERT_TRUE(book.remember("https://a.kz", Answer::ask) && book.remember("https://b.kz", Answer::deny));

    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://a.kz"), Answer::ask);
    EXPECT_EQ(book.forget("https://b.kz").value(), true);
    EXPECT_EQ(book.forget("https://b.kz").value(), false);
    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://b.kz"), std::nullopt);
}

TEST_F(PolicyFiles, SeeWhatAnotherProcessAnsweredMeanwhile) {
    auto daemon = ConsentBook::load(path("sites.toml"));
    auto command = ConsentBook::look_at(path("sites.toml"), std::nullopt);
    ASSERT_TRUE(daemon.remember("https://a.kz", Answer::allow));
    ASSERT_TRUE(command.remember("https://a.kz", Answer::ask) && command.remember("https://b.kz", Answer::deny));

    EXPECT_EQ(daemon.lookup("https://a.kz"), Answer::ask);
    ASSERT_TRUE(daemon.remember("https://c.kz", Answer::allow));
    EXPECT_EQ(command.all().size(), 3U);
}

TEST_F(PolicyFiles, LeaveADamagedFileToThePersonWhereACommandLooksAtIt) {
    write("sites.toml", "half a fi");
    auto const book = ConsentBook::look_at(path("sites.toml"), std::nullopt);

    EXPECT_EQ(book.refused()->code, Errc::config_invalid);
    EXPECT_EQ(m_scratch.read("sites.toml"), "half a fi");
}

TEST_F(PolicyFiles, TakeTheShorterLifeOfAPermissionAndTheComputersWordOfTheJournal) {
    auto const config = load("[origins]\ngrant_days = 90\n[journal]\nentries = 500\n",
                             "[origins]\ngrant_days = 200\n[journal]\nentries = 0\n");

    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->grant_days, 90);
    EXPECT_EQ(config->journal_entries, 500);
    EXPECT_EQ(load("", "[journal]\nentries = 0\n")->journal_entries, 0);
    EXPECT_EQ(load("", "")->grant_days, 365);
    EXPECT_FALSE(load("", "[origins]\ngrant_days = 0\n"));
    EXPECT_FALSE(load("[journal]\nlines = 5\n", ""));
}

TEST_F(PolicyFiles, DoNotBelieveAnswersOthersMayHaveWritten) {
    write("sites.toml", "[\"https://a.kz\"]\nanswer = \"allow\"\nat = 1\n");
    fs::permissions(path("sites.toml"), fs::perms{0622});

    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://a.kz"), std::nullopt);
}

TEST_F(PolicyFiles, NameTheServicesAndTheComputersWordIsFinal) {
    auto const config = load("[timestamp]\nurl = \"http://tsa.example:8080/stamp\"\nseconds = 30\n"
                             "[certificates]\ncrls = []\nuser_authorities = false\n",
                             "[timestamp]\nurl = \"http://other.example/\"\nseconds = 5\npolicy = \"\"\n"
                             "[certificates]\nstrict = true\n[network]\nproxy = \"http://127.0.0.1:3128\"\n");

    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->timestamp_url.authority(), "tsa.example:8080");
    EXPECT_EQ(config->timestamp_url.path, "/stamp");
    EXPECT_EQ(config->timestamp_seconds, 5U);
    EXPECT_EQ(config->timestamp_policy, "");
    EXPECT_TRUE(config->crl_urls.empty());
    EXPECT_TRUE(config->strict_certificates);
    EXPECT_FALSE(config->user_authorities);
    EXPECT_EQ(config->proxy->port, "3128");
}

TEST_F(PolicyFiles, AskTheNcaWhereNobodySaysOtherwise) {
    auto const config = load("", "");

    ASSERT_TRUE(config);
    EXPECT_EQ(config->timestamp_url.authority() + config->timestamp_url.path, "tsp.pki.gov.kz/");
    EXPECT_EQ(config->ocsp_url.authority(), "ocsp.pki.gov.kz");
    EXPECT_EQ(config->crl_urls.size(), 2U);
    EXPECT_FALSE(config->timestamp_policy);
    EXPECT_FALSE(config->proxy);
}

TEST_F(PolicyFiles, S23RefuseAddressesThatAreNone) {
    for (auto const* url :
         {"https://tsa.example/", "tsa.example", "http://", "http://user@tsa.example/", "http://tsa.example:0/",
          "http://tsa.example:99999/", "http://tsa.example/a b", "http://[::1]/", "file:///etc/passwd"}) {
        auto const config = load("[timestamp]\nurl = \"" + std::string{url} + "\"\n", "");
        ASSERT_FALSE(config) << url;
        EXPECT_EQ(config.error().code, Errc::config_invalid);
    }
    EXPECT_FALSE(load("[timestamp]\npolicy = \"policy\"\n", ""));
    EXPECT_FALSE(load("[timestamp]\nseconds = 0\n", ""));
    EXPECT_FALSE(load("", "[certificates]\nuser_authorities = true\n")) << "not the person's to say";
}

TEST_F(PolicyFiles, LetTheComputerRefuseWhatIsUnclassifiedAndCataloguesOfThePerson) {
    EXPECT_FALSE(load("", "")->strict_services);
    EXPECT_TRUE(load("", "")->user_catalogues);
    EXPECT_TRUE(load("", "[services]\nstrict = true\n")->strict_services);
    EXPECT_TRUE(load("[services]\nstrict = true\n", "[services]\nstrict = false\n")->strict_services);
    EXPECT_FALSE(load("[services]\nuser_catalogues = false\n", "")->user_catalogues);
    EXPECT_FALSE(load("", "[services]\nuser_catalogues = true\n")) << "not the person's to say";
    EXPECT_FALSE(load("", "[services]\ncatalogue = \"x\"\n"));
}

TEST_F(PolicyFiles, TakeAnEditedAnswerBackWithoutANewStart) {
    auto book = ConsentBook::load(path("sites.toml"));
    ASSERT_TRUE(book.remember("https://a.kz", Answer::deny));
    ASSERT_TRUE(book.remember("https://b.kz", Answer::deny));

    write("sites.toml", "[\"https://b.kz\"]\nanswer = \"deny\"\nat = 1\n");
    EXPECT_EQ(book.lookup("https://a.kz"), std::nullopt);
    EXPECT_EQ(book.lookup("https://b.kz"), Answer::deny);

    fs::remove(path("sites.toml"));
    EXPECT_EQ(book.lookup("https://b.kz"), std::nullopt);
}

TEST_F(PolicyFiles, AreNotOverwrittenByAnswersFromBeforeAnEdit) {
    auto book = ConsentBook::load(path("sites.toml"));
    ASSERT_TRUE(book.remember("https://a.kz", Answer::deny));
    write("sites.toml", "");

    ASSERT_TRUE(book.remember("https://b.kz", Answer::allow));

    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://a.kz"), std::nullopt);
    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://b.kz"), Answer::allow);
}

TEST_F(PolicyFiles, KeepTheLastGoodAnswersWhileAnEditCannotBeRead) {
    auto book = ConsentBook::load(path("sites.toml"));
    ASSERT_TRUE(book.remember("https://a.kz", Answer::deny));
    auto const half = "[\"https://b.kz\"]\nanswer = \"allow";
    write("sites.toml", half);

    testing::internal::CaptureStderr();
    EXPECT_EQ(book.lookup("https://a.kz"), Answer::deny);
    EXPECT_EQ(book.lookup("https://a.kz"), Answer::deny);
    auto const log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find("line 2"), std::string::npos) << log;
    EXPECT_EQ(log.find("sites_refused"), log.rfind("sites_refused")) << "said once: " << log;

    ASSERT_TRUE(book.remember("https://c.kz", Answer::allow));
    EXPECT_EQ(m_scratch.read("sites.toml.damaged"), half) << "what was typed is not lost";
    EXPECT_EQ(ConsentBook::load(path("sites.toml")).lookup("https://a.kz"), Answer::deny);
}

} // namespace
} // namespace tamga::policy

// The real window under a virtual display, driven by keyboard. Each test leaves a screenshot in the build directory.
#include "tests/support/scratch.hpp"
#include "tests/window/window_fixture.hpp"

char const* const tamga::testing::prompt_program = TAMGA_PROMPT_PROGRAM;

namespace tamga {
namespace {

using testing::make_certificate;
using testing::WindowTest;

TEST_F(WindowTest, APinAndReturnSignAndTheWindowGoesWhenDone) {
    m_request.language = Language::kk;
    open();
    type("1234");
    picture("text-kk");

    press("Return");
    auto const accepted = hear<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_key);
    ASSERT_TRUE(m_prompt->web.send(ipc::Progress{1, 3}));
    picture("waiting-kk");
    ASSERT_TRUE(m_prompt->web.send(ipc::RequestDone{ipc::Status::from(ok())}));

    EXPECT_EQ(m_prompt->wait(), 0);
    EXPECT_EQ(unlocks(), 1U);
}

TEST_F(WindowTest, AWrongPinIsSaidAndTheRightOneTakenInTheSameWindow) {
    m_request.language = Language::ru;
    open();
    type("1111");
    press("Return");
    ::usleep(300'000);
    picture("wrong-pin-ru");
    EXPECT_EQ(unlocks(), 1U);

    type("1234");
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_EQ(unlocks(), 2U);
}

TEST_F(WindowTest, S19_ReturnAndEscapeRightAfterTheWindowBecameActiveDoNothing) {
    open();
    type("1234");

    m_display.run("xdotool windowfocus " + m_display.root() + " sleep 0.3 windowfocus " + m_window +
                  " key --delay 5 Return Escape");

    EXPECT_EQ(hear<ipc::PromptEnded>(std::chrono::seconds{2}).error().code, Errc::timeout);
    EXPECT_EQ(unlocks(), 0U);
    press("Return");
    EXPECT_TRUE(hear<ipc::Accepted>()) << "but later they do";
}

TEST_F(WindowTest, EscapeCancels) {
    open();
    press("Escape");

    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

TEST_F(WindowTest, S19_TheWindowGoesWhenThePageDoes) {
    open();
    m_prompt->web.close();

    EXPECT_EQ(m_prompt->wait(), 0);
}

TEST_F(WindowTest, ABatchIsAListOfWhichEachDocumentCanBeRead) {
    m_documents = {document("First request\n\nof three."), document("Second request"), Bytes(5000, 0x00)};
    m_request.language = Language::ru;
    m_readable.clear();
    open();
    picture("batch-ru");

    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

TEST_F(WindowTest, ANewSiteThatLooksLikeAKnownOneIsMarkedAndCanBeRefusedByKeyboard) {
    m_request.origin = "https://egov-kz.example";
    m_request.resembles = "egov.kz";
    m_request.site_is_new = true;
    open();
    picture("look-alike-en");

    press("alt+n");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::site_refused);
}

TEST_F(WindowTest, OfThreeKeysTheOneThePersonPointsAtIsUsed) {
    auto const employee = make_certificate(m_employee);
    m_readable = {m_key, employee, make_certificate({.usage = "clientAuth"}), make_certificate({.valid_days = -30})};
    m_request.language = Language::ru;
    open();
    picture("keys-ru");
    press("Down Down");
    press("alt+a"); // nothing is typed yet: only shows the field
    picture("keys-chosen-ru");

    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
    EXPECT_EQ(unlocks(), 0U);
}

/// What must be understood before something is lost, in every language.
class WarningTest : public WindowTest, public ::testing::WithParamInterface<Language> {
protected:
    WarningTest() { m_request.language = GetParam(); }
    void picture_of(std::string const& name) const {
        constexpr char const* suffixes[] = {"-en", "-kk", "-ru"};
        picture(name + suffixes[static_cast<std::size_t>(GetParam())]);
    }
};
INSTANTIATE_TEST_SUITE_P(Languages, WarningTest, ::testing::Values(Language::kk, Language::ru, Language::en));

TEST_P(WarningTest, TheLastAttemptIsConfirmedInTheWindow) {
    m_token.info.pin_final_try = true;
    m_token.attempts_left = 1;
    open();
    type("1234");
    press("Return");
    picture_of("last-attempt");
    EXPECT_EQ(unlocks(), 0U);

    press("Tab space");
    EXPECT_TRUE(hear<ipc::Accepted>());
}

TEST_P(WarningTest, S9_WrongPinsSeenHereAreSaidBeforeTypingAndTheThirdIsConfirmed) {
    m_token.info.wrong_tries_seen = 2;
    open();
    type("1234");
    picture_of("wrong-tries");
    press("Return");
    picture_of("risky-attempt");
    EXPECT_EQ(unlocks(), 0U);

    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>(std::chrono::seconds{1}).error().code, Errc::timeout) << "back to the question";
    type("1234");
    press("Return");
    press("Tab space");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_EQ(unlocks(), 1U);
}

TEST_P(WarningTest, TheServiceItsClassificationAndThePrincipalAreShown) {
    constexpr char const* names[] = {"Licence for a pharmacy (sample)", "Фармацевтикалық қызметке лицензия (үлгі)",
                                     "Лицензия на фармацевтическую деятельность (образец)"};
    constexpr char const* bodies[] = {"Sample body", "Үлгі орган", "Орган-образец"};
    auto const language = static_cast<std::size_t>(GetParam());
    m_request.service = {ipc::Classified::eds, false, names[language], bodies[language]};
    m_request.principal = {"ТОО \"ТЕСТОВАЯ ОРГАНИЗАЦИЯ\"", "123456789021", "Доверенность № 1 <b>\u202Eот 01.01.2026"};
    m_request.filter.roles = {"1.2.398.3.3.4.1.2.1"};
    auto head = m_employee;
    head.usage = "emailProtection,1.2.398.3.3.4.1.2,1.2.398.3.3.4.1.2.1";
    m_readable = {make_certificate(head), m_key};
    open();
    picture_of("service");

    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

TEST_P(WarningTest, AnUnclassifiedRequestSaysSo) {
    m_request.service.classified = ipc::Classified::unclassified;
    open();
    picture_of("unclassified");

    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

TEST_F(WindowTest, KeysOfSeveralTokensAreToldApartByOwnerAndToken) {
    m_request.language = Language::kk;
    auto const employee = make_certificate(m_employee);
    testing::FakeToken applet{m_events, "5678", {employee}};
    testing::FakeToken hidden{m_events, "9012", {}};
    applet.info.family_name = {"JaCarta", "JaCarta", "JaCarta"};
    applet.info.label = "Жұмыс";
    applet.readable = {employee};
    hidden.info.family_name = applet.info.family_name;
    hidden.info.label = "JaCarta GOST 2.0";
    m_tokens = {&m_token, &applet, &hidden};
    open();
    picture("several-tokens-kk");
    press("Down Down Tab");
    type("5678");
    picture("several-tokens-chosen-kk");
    press("Return");

    auto const accepted = hear<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->module, ipc::ModuleIndex{1});
    EXPECT_EQ(accepted->certificate, employee);
    m_prompt->web.close();
    m_prompt.reset();
    applet.stop();
    hidden.stop();
    m_tokens = {&m_token};
}

TEST_F(WindowTest, ATokenThatKeepsSilentIsWaitedForInTheWindowOfAnother) {
    testing::FakeToken silent{m_events, "5678", {}};
    silent.keeps_silent = true;
    m_tokens = {&m_token, &silent};
    open();
    press("Down Tab");
    type("1234");
    picture("still-looking-en");
    silent.answer_now();
    picture("found-later-en");
    press("Return"); // what was typed is still there

    EXPECT_TRUE(hear<ipc::Accepted>());
    m_prompt->web.close();
    m_prompt.reset();
    silent.stop();
    m_tokens = {&m_token};
}

TEST_F(WindowTest, ATokenThatIsPluggedInWhileFilesAreOfferedIsShownAndTakesItsPin) {
    m_token.plugged_in = false;
    m_request.language = Language::ru;
    open();
    picture("no-token-ru");
    m_token.plugged_in = true;
    m_token.tell_of_change();
    picture("plugged-in-ru");
    type("1234");
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
}

TEST_F(WindowTest, WhatIsTypedStaysWhereAChangeConcernsAnotherReader) {
    open();
    type("12");
    m_token.tell_of_change();
    ::usleep(900'000);
    type("34");
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_EQ(m_events.count("unlock 1234"), 1U);
}

TEST_F(WindowTest, WhatWasTypedForATokenThatIsPulledOutGoesToNoOther) {
    m_token.readable = m_token.keys;
    open();
    type("12");
    m_token.plugged_in = false;
    m_token.tell_of_change();
    picture("pulled-out-en");
    m_token.plugged_in = true;
    m_token.tell_of_change();
    picture("plugged-in-again-en");
    type("1234");
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>()) << "two characters more would have made it a wrong PIN";
}

TEST_F(WindowTest, WhereNoTokenAnswersTheWindowSaysSoUntilOneDoes) {
    m_token.keeps_silent = true;
    m_request.language = Language::ru;
    open();
    picture("waiting-for-tokens-ru");
    m_token.answer_now();
    picture("answered-ru");
    type("1234");
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
}

TEST_P(WarningTest, ThePinItWasDeliveredWithIsWarnedOfWhenAllIsDone) {
    m_token.factory_pin = true;
    open();
    type("1234");
    press("Return");
    ASSERT_TRUE(hear<ipc::Accepted>());
    ASSERT_TRUE(m_prompt->web.send(ipc::RequestDone{ipc::Status::from(ok())}));
    picture_of("factory-pin");

    press("Return");
    EXPECT_EQ(m_prompt->wait(), 0);
}

TEST_F(WindowTest, ALockedPinIsSaidAndReportedOnceRead) {
    m_token.attempts_left = 1;
    m_request.language = Language::kk;
    open();
    type("1111");
    press("Return");
    picture("locked-kk");

    press("Return");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::pin_locked);
}

TEST_F(WindowTest, ASiteAloneIsAskedAboutWithoutDocumentKeyOrPin) {
    m_request.purpose = ipc::Purpose::site;
    m_request.site_is_new = true;
    m_request.origin = "https://portal.example.kz";
    m_documents.clear();
    open();
    picture("site-en");

    press("alt+a");
    EXPECT_TRUE(hear<ipc::Accepted>());
}

TEST_F(WindowTest, S10_HostileTextStaysInsideItsPlace) {
    auto const hostile = make_certificate({.name = "<b>ADMIN</b>\u202Egnp.exe &amp; \n second line"});
    m_readable = {hostile};
    m_request.origin = "https://" + std::string(240, 'a') + ".еgov.kz";
    m_documents = {document(std::string(3000, 'W') + "\u202Etxt\u200B <script>alert(1)</script>\x01\n")};
    open();
    picture("hostile-en");

    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

TEST_F(WindowTest, WithoutADisplayItSaysSoInsteadOfCrashing) {
    m_prompt = std::make_unique<testing::RealPrompt>("", m_tokens);
    testing::send_request(m_prompt->web, m_request, m_documents);

    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::prompt_unavailable);
    EXPECT_EQ(m_prompt->wait(), 0);
}

/// A person with key files, in each language.
class ChooserTest : public WindowTest, public ::testing::WithParamInterface<Language> {
protected:
    ChooserTest() {
        m_home = (m_folder / "home").string();
        for (char const* name : {"GOST512_9f2c10ab.p12", "AUTH_RSA256_77aa.p12", "RSA256_77aa.p12",
                                 "Құжаттар/көшірме.p12", "Documents/old.pfx", "letter.txt"})
            m_folder.write(std::string{"home/"} + name, std::string(3300, 'x'));
        m_folder.write("home/.local/state/tamga/recent-key-files", m_home + "/Құжаттар/көшірме.p12\n");
        m_request.language = GetParam();
        m_request.storages = {"PKCS12"};
        m_tokens.clear();
        m_file.slot = ipc::SlotId{0};
        m_file.info.storage = ipc::key_file_storage;
    }
    [[nodiscard]] std::string in_language(std::string const& name) const {
        return name + (GetParam() == Language::kk ? "-kk" : GetParam() == Language::ru ? "-ru" : "-en");
    }
    void TearDown() override {
        WindowTest::TearDown();
        m_file.stop();
    }

    test::Scratch m_folder;
    testing::FakeToken m_file{m_events, "Qwerty12", {m_key, make_certificate(m_employee)}};
};

TEST_P(ChooserTest, AKeyFileIsFoundAndOpenedByKeyboard) {
    open();
    picture(in_language("file-chooser"));
    press("Return"); // the recent one is selected
    m_prompt->introduce(m_file);
    ::usleep(900'000);
    type("Qwerty12");
    picture(in_language("file-password"));
    EXPECT_EQ(unlocks(), 0U);

    press("Return");
    ::usleep(600'000);
    picture(in_language("file-keys"));
    EXPECT_EQ(unlocks(), 1U);
    EXPECT_EQ(m_events.count("unlock Qwerty12"), 1U);
}

TEST_P(ChooserTest, ADocumentIsFoundInAFolderOfTheHome) {
    m_request.purpose = ipc::Purpose::choose_file;
    m_request.storages.clear();
    m_documents.clear();
    open();
    press("Home");
    picture(in_language("document-chooser"));

    press("End Return"); // the last file by name
    auto packet = m_prompt->web.receive(std::chrono::seconds{20});
    ASSERT_TRUE(packet);
    EXPECT_TRUE(packet->is<ipc::Accepted>());
    EXPECT_EQ(packet->descriptors.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Languages, ChooserTest, ::testing::Values(Language::kk, Language::ru, Language::en));

TEST_F(WindowTest, AFileCanBeAskedForInThePlaceOfAToken) {
    open();
    picture("token-or-file-en");
    press("alt+f");
    picture("file-instead-en");

    press("Escape"); // back to the tokens
    type("1234");
    press("Return");
    EXPECT_TRUE(hear<ipc::Accepted>());
}

} // namespace
} // namespace tamga

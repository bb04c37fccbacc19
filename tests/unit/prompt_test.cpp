// prompt/: the conversation, with a script instead of a person and both other processes played here.
#include "prompt/conversation.hpp"
#include "prompt/visible.hpp"
#include "signing/pkcs10.hpp"
#include "signing/to_be_signed.hpp"
#include "tests/support/prompt_peers.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/scripted_screen.hpp"

#include <openssl/sha.h>

#include <set>
#include <sstream>

namespace tamga::prompt {
namespace {

using testing::make_certificate;

Bytes bytes_of(std::string_view text) {
    return to_bytes(as_view(text));
}

/// One prompt: the conversation runs in a thread, the test is tamga-web.
class PromptTest : public ::testing::Test {
protected:
    Bytes const m_key = make_certificate({});
    Bytes const m_other_key = make_certificate({.name = "ҮЛГІ ҮЛГІ", .iin = "123456789012"});
    Bytes const m_sign_in_key = make_certificate({.usage = "clientAuth"});
    testing::Events m_events;
    testing::FakeToken m_token{m_events, "1234", {m_key, m_other_key, m_sign_in_key}};
    testing::FakeToken m_second_token{m_events, "5678", {m_other_key}}; ///< of module 1
    bool m_has_second_token = false;
    testing::FakeToken m_file{m_events, "password", {m_key, m_other_key}}; ///< tamga-token --file
    bool m_no_file_token = false;                                          ///< the launcher cannot start it
    test::Scratch m_folder;
    ipc::PromptRequest m_request = testing::sign_request();
    std::vector<Bytes> m_documents{bytes_of("first"), bytes_of("second")};
    std::vector<Bytes> m_readable{m_key};
    ipc::Channel m_web;

    void start(std::string const& script) {
        auto web = ipc::make_pair();
        m_web = std::move(web->first);
        testing::send_request(m_web, m_request, m_documents);
        m_token.readable = m_readable;
        Ends ends;
        ends.web = std::move(web->second);
        auto control = ipc::make_pair();
        ends.control = std::move(control->second);
        m_launcher = std::thread{[this, end = std::move(control->first)]() mutable { play_launcher(end); }};
        ends.tokens[ipc::ModuleIndex{0}].channel = introduce(m_token);
        if (m_has_second_token) ends.tokens[ipc::ModuleIndex{1}].channel = introduce(m_second_token);
        m_thread = std::thread{[this, script, ends = std::move(ends)]() mutable {
            std::istringstream commands{script};
            ScriptedScreen screen{commands, [this](auto const& line) { m_events.add(line); }};
            m_outcome = Conversation{std::move(ends), screen}.run();
        }};
    }

    /// Introduces the process of a key file, where one is wanted; until the prompt is gone.
    void play_launcher(ipc::Channel& control) {
        while (auto packet = control.receive()) {
            if (!packet->is<ipc::FileTokenWanted>()) return m_events.add("the launcher heard something else");
            m_events.add("file token wanted");
            auto pair = ipc::make_pair();
            if (m_no_file_token) {
                EXPECT_TRUE(control.send(ipc::FileTokenChannel{m_request.request}));
                continue;
            }
            m_file.serve(std::move(pair->first));
            EXPECT_TRUE(control.send(ipc::FileTokenChannel{m_request.request}, {pair->second.fd()}));
        }
    }
    /// The path of a new file in a folder of the test's.
    std::string file_of(std::string const& name, std::string_view content = "content") const {
        m_folder.write(name, content);
        return (m_folder / name).string();
    }

    /// As receive_ends does it.
    static ipc::Channel introduce(testing::FakeToken& token) {
        auto pair = ipc::make_pair();
        EXPECT_TRUE(ipc::say_hello(pair->second, ipc::Role::prompt));
        EXPECT_TRUE(pair->second.send(ipc::ListKeys{listing_query, ipc::Depth::certificates}));
        token.serve(std::move(pair->first));
        return std::move(pair->second);
    }

    template <class M>
    Result<M> hear() {
        auto packet = m_web.receive(std::chrono::seconds{10});
        return packet ? packet->as<M>() : packet.error();
    }
    Errc ended_with() {
        auto const ended = hear<ipc::PromptEnded>();
        return ended ? ended->status.code : Errc::internal;
    }

    /// Everything is over when this returns.
    void finish() {
        if (m_web) (void)m_web.send(ipc::RequestDone{ipc::Status::from(ok())});
        if (m_thread.joinable()) m_thread.join();
        if (m_launcher.joinable()) m_launcher.join();
        m_file.stop();
        m_token.stop();
        m_second_token.stop();
    }
    void TearDown() override {
        m_web.close();
        finish();
    }

    /// The kinds of events, in order: show, ask, unlock, mandate ...
    std::vector<std::string> kinds() const {
        std::vector<std::string> kinds;
        for (auto const& event : m_events.all()) {
            auto const start = event.starts_with("{") ? std::string_view{event}.substr(10) : std::string_view{event};
            auto const kind = std::string{start.substr(0, start.find_first_of("\" "))};
            if (kind != "wait" && kind != "pin") kinds.push_back(kind);
        }
        return kinds;
    }
    void await_event(std::string_view start) const {
        while (!m_events.any_starts_with(start))
            std::this_thread::yield();
    }
    /// Until the last question has this many keys.
    void await_shown(std::size_t keys) const {
        auto const count = [this] {
            auto const events = m_events.all();
            auto const last = std::find_if(events.rbegin(), events.rend(),
                                           [](auto const& event) { return event.starts_with(R"({"event":"ask")"); });
            std::size_t found = 0;
            for (auto at = last->find(R"({"name":)"); at != last->npos; at = last->find(R"({"name":)", at + 1))
                ++found;
            return found;
        };
        while (count() != keys)
            std::this_thread::yield();
    }
    std::size_t unlocks() const {
        auto const all = kinds();
        return static_cast<std::size_t>(std::count(all.begin(), all.end(), "unlock"));
    }
    bool was_shown(std::string_view words) const {
        auto const all = m_events.all();
        return std::any_of(all.begin(), all.end(), [&](auto const& event) { return event.find(words) != event.npos; });
    }

    PromptTest() {
        m_file.slot = ipc::SlotId{0};
        m_file.info.storage = ipc::key_file_storage;
        // Where the list of recent files lies.
        ::setenv("XDG_STATE_HOME", (m_folder / "state").c_str(), 1);
    }

    Result<void> m_outcome;
    std::thread m_thread;
    std::thread m_launcher;
};

using Kinds = std::vector<std::string>;

TEST_F(PromptTest, ReadableCertificatesAreChosenBeforeTheOnePin) {
    start("key first\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_key);
    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "unlock", "mandate", "token"}));
    EXPECT_TRUE(m_outcome);
}

TEST_F(PromptTest, HiddenCertificatesAreChosenAfterTheOnePin) {
    m_readable.clear();
    start("key subject=ҮЛГІ\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_other_key);
    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "unlock", "ask", "mandate", "token"}));
}

TEST_F(PromptTest, S9_AWrongPinIsOneUnlockAndIsAskedAgainInTheSameWindow) {
    start("key first\npin 1111\npin 2222\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    EXPECT_TRUE(accepted);
    EXPECT_EQ(unlocks(), 3U);
    EXPECT_TRUE(was_shown(R"("error":"The PIN is wrong.)"));
    EXPECT_EQ(m_events.all().at(0).substr(0, 15), R"({"event":"show")");
}

TEST_F(PromptTest, S9_TheLastAttemptIsNotMadeWithoutASecondConfirmation) {
    m_token.info.pin_final_try = true;
    m_token.attempts_left = 1;
    start("key first\npin 1111\ndecline_last_attempt");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "confirm", "ask", "token"}));
}

TEST_F(PromptTest, S9_TheLastAttemptIsMadeOnceConfirmed) {
    m_token.info.pin_final_try = true;
    m_token.attempts_left = 1;
    start("key first\npin 1234");

    EXPECT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "confirm", "unlock", "mandate", "token"}));
}

TEST_F(PromptTest, S9_AfterTwoWrongPinsSeenHereTheNextIsConfirmedWhereTheTokenDoesNotTellItsNumber) {
    m_token.info.wrong_tries_seen = 2;
    start("key first\npin 1111\ndecline_last_attempt");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "confirm", "ask", "token"}));
    EXPECT_TRUE(was_shown("Wrong PINs typed here: 2. Fewer attempts than usual may remain."));
    EXPECT_FALSE(was_shown("Attempts left")) << "our count says nothing about how many are left";
}

TEST_F(PromptTest, S9_TheAttemptsThatATokenTellsAreShownBeforeTypingAndNeedNoConfirmation) {
    m_token.info.attempts_left = 5;
    m_token.info.wrong_tries_seen = 4;
    start("key first\npin 1234");

    EXPECT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_TRUE(was_shown(R"("pin":"Attempts left: 5.")"));
    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "unlock", "mandate", "token"}));
}

TEST_F(PromptTest, S9_AWrongPinIsNotTriedAtAnotherToken) {
    m_has_second_token = true;
    m_second_token.readable = {m_other_key};
    m_readable = {m_key};
    start("key subject=ҮЛГІ\npin 1234"); // right for the first token, typed for the second

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_EQ(unlocks(), 1U);
    EXPECT_EQ(m_token.unlocks, 0);
    EXPECT_EQ(m_second_token.unlocks, 1);
}

TEST_F(PromptTest, S9_ThePinReachesTheTokenWhoseKeyWasShownAndNoOther) {
    m_has_second_token = true;
    m_second_token.readable = {m_other_key};
    start("key subject=ҮЛГІ\npin 5678");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->module, ipc::ModuleIndex{1});
    EXPECT_EQ(accepted->certificate, m_other_key);
    EXPECT_EQ(m_token.unlocks, 0);
}

TEST_F(PromptTest, AWebProcessThatSpeaksOfTokensEndsTheWindowWithoutAnUnlock) {
    start("wait_ms 10000\nkey first\npin 1234");
    while (!m_events.any_starts_with(R"({"event":"ask")"))
        std::this_thread::yield();

    ipc::TokenInfo lie;
    lie.label = "Another token";
    ASSERT_TRUE(m_web.send(ipc::TokenFound{listing_query, ipc::SlotId{5}, lie}));
    m_thread.join();
    m_token.stop();

    EXPECT_EQ(m_outcome.error().code, Errc::channel_closed);
    EXPECT_EQ(unlocks(), 0U);
    EXPECT_FALSE(was_shown("Another token"));
}

TEST_F(PromptTest, ThePinThatTheTokenWasDeliveredWithIsWarnedOfOnceAllIsDone) {
    m_token.factory_pin = true;
    start("key first\npin 1234");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_FALSE(was_shown(R"({"event":"advise")"));
    finish();

    EXPECT_TRUE(was_shown(R"({"event":"advise","words":"Your token still has the PIN it was delivered with)"));
}

TEST_F(PromptTest, OnAReaderWithAKeypadNoPinIsTakenInTheWindow) {
    m_token.info.pin_on_reader = true;
    start("key first");

    EXPECT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_TRUE(was_shown(R"("pin":"The PIN will be typed on the keypad of the reader.")"));
    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "unlock", "mandate", "token"}));
    EXPECT_EQ(m_events.count("unlock "), 1U) << "an empty PIN";
}

TEST_F(PromptTest, ALockedPinComesWithWhatHelpsForThatFamilyOfTokens) {
    m_token.info.pin_locked = true;
    m_token.info.unblocking = Unblocking::issuer;
    start("cancel");

    EXPECT_EQ(ended_with(), Errc::pin_locked);
    finish();

    EXPECT_TRUE(
        was_shown("The PIN is locked after too many wrong attempts. The PIN can be unlocked only where the card"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, OfALockThatIsRememberedItSaysHowToShowThatThereIsNoneAnyMore) {
    m_token.info.pin_locked = true; // and no word of attempts: the token itself tells nothing
    m_token.info.unblocking = Unblocking::so_pin;
    start("pin 1234");

    EXPECT_EQ(ended_with(), Errc::pin_locked);
    finish();

    EXPECT_EQ(unlocks(), 0U);
    EXPECT_TRUE(
        was_shown("Or here: tamga keys unblock. If it was unlocked already, change it once: tamga pin change."));
}

TEST_F(PromptTest, WithoutATokenItSaysSoAboveTheFilesThatItOffersInstead) {
    m_token.plugged_in = false;
    start("cancel");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_TRUE(was_shown("No token is plugged in."));
    EXPECT_TRUE(was_shown("tamga doctor says what is wrong"));
}

TEST_F(PromptTest, WithoutATokenItEndsWithoutAWindow) {
    m_token.plugged_in = false;
    m_request.storages = {"AKKaztokenStore"};
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::token_absent);
    finish();

    EXPECT_EQ(kinds(), (Kinds{"token"}));
}

TEST_F(PromptTest, ATokenOfAnotherStorageThanTheSiteWantsIsNone) {
    m_request.storages = {"AKJaCartaStore"};
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::token_absent);
}

TEST_F(PromptTest, S5_ANewSiteIsAskedAboutBeforeItLearnsThatThereIsNoToken) {
    m_token.plugged_in = false;
    m_request.storages = {"AKKaztokenStore"};
    m_request.site_is_new = true;
    start("accept");

    auto const ended = hear<ipc::PromptEnded>();
    finish();

    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status.code, Errc::token_absent);
    EXPECT_TRUE(ended->site_allowed);
    EXPECT_TRUE(was_shown("The site wants to use the tokens of this computer."));
}

TEST_F(PromptTest, S5_ANewSiteThatIsRefusedDoesNotLearnThatThereIsNoToken) {
    m_token.plugged_in = false;
    m_request.storages = {"AKKaztokenStore"};
    m_request.site_is_new = true;
    start("refuse_site");

    auto const ended = hear<ipc::PromptEnded>();

    EXPECT_EQ(ended->status.code, Errc::site_refused);
    EXPECT_FALSE(ended->site_allowed);
}

TEST_F(PromptTest, ATokenThatKeepsSilentDoesNotKeepTheWindowOfAnotherFromOpening) {
    m_has_second_token = true;
    m_second_token.keeps_silent = true;
    start("key first\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_key);
    EXPECT_TRUE(was_shown(R"("chosen":null)")) << "the only one so far is not chosen silently";
}

TEST_F(PromptTest, ATokenThatAnswersLateIsAddedBehindTheOthers) {
    m_has_second_token = true;
    m_second_token.readable = {m_other_key};
    m_second_token.keeps_silent = true;
    start("key subject=ҮЛГІ\npin 5678");
    while (!m_events.any_starts_with(R"({"event":"ask")"))
        std::this_thread::yield();
    EXPECT_FALSE(was_shown("ҮЛГІ"));

    m_second_token.answer_now();
    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_other_key);
    EXPECT_TRUE(was_shown(R"("keys":[{"name":"ТЕСТОВ)"));
}

TEST_F(PromptTest, ATokenThatIsPluggedInWhileTheWindowIsOpenIsAddedBehindTheOthers) {
    m_has_second_token = true;
    m_second_token.readable = {m_other_key};
    m_second_token.plugged_in = false;
    start("await_tokens\nkey subject=ҮЛГІ\npin 5678");
    await_event(R"({"event":"ask")");
    EXPECT_FALSE(was_shown("ҮЛГІ"));

    m_second_token.plugged_in = true;
    m_second_token.tell_of_change();
    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_other_key);
    EXPECT_TRUE(was_shown(R"("keys":[{"name":"ТЕСТОВ)"));
}

TEST_F(PromptTest, AKeyWhoseTokenIsPulledOutGoesFromTheListAndComesBackWithIt) {
    m_has_second_token = true;
    m_second_token.readable = {m_other_key};
    start("await_tokens\nkey subject=NOBODY");
    await_event(R"({"event":"ask")");
    m_second_token.plugged_in = false;
    m_second_token.tell_of_change();
    await_shown(1);
    m_second_token.plugged_in = true;
    m_second_token.tell_of_change();
    await_shown(2);

    m_web.close();
    finish();
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, APinTypedForATokenThatWasPulledOutMeanwhileIsNotSent) {
    start("wait_ms 500\nkey first\npin 1234");
    await_event(R"({"event":"ask")");
    m_token.plugged_in = false;
    m_token.tell_of_change();

    EXPECT_EQ(ended_with(), Errc::user_cancelled); // of the question which file it shall be
    finish();

    EXPECT_EQ(unlocks(), 0U);
    EXPECT_TRUE(was_shown("No token is plugged in."));
}

TEST_F(PromptTest, APinTypedForATokenInWhosePlaceAnotherIsNowIsNotSent) {
    start("wait_ms 500\nkey first\npin 1234");
    await_event(R"({"event":"ask")");
    m_token.is_replaced = true;
    m_token.tell_of_change();

    EXPECT_EQ(ended_with(), Errc::user_cancelled); // its script knows no second PIN
    finish();

    EXPECT_EQ(unlocks(), 0U);
    EXPECT_TRUE(was_shown("The token you had chosen was pulled out."));
}

TEST_F(PromptTest, WhoHasNoTokenInIsShownTheOneTheyPlugIn) {
    m_token.plugged_in = false;
    start("await_tokens\nkey first\npin 1234");
    await_event(R"({"event":"files")");

    m_token.plugged_in = true;
    m_token.tell_of_change();
    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_key);
}

TEST_F(PromptTest, WhereNoTokenAnswersTheWindowSaysSoAndCanBeCancelled) {
    m_token.keeps_silent = true;
    start("cancel_while_looking");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_TRUE(was_shown("Still waiting for the tokens to answer"));
}

TEST_F(PromptTest, ATokenProcessThatDiesWhileItIsLookedForIsReported) {
    m_token.crashes_at_listing = true;
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::token_crashed);
}

TEST_F(PromptTest, ALockedPinIsToldInWordsAndThenReported) {
    m_token.attempts_left = 1;
    start("key first\npin 1111\npin 1234");

    EXPECT_EQ(ended_with(), Errc::pin_locked);
    finish();

    EXPECT_EQ(unlocks(), 1U);
    EXPECT_TRUE(was_shown(R"({"event":"tell","words":"The PIN is locked)"));
}

TEST_F(PromptTest, ACrashOfTheTokenProcessIsToldAndReported) {
    m_token.crashes_at_unlock = true;
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::token_crashed);
    finish();
    EXPECT_TRUE(was_shown(R"({"event":"tell","words":"The token's driver stopped)"));
}

TEST_F(PromptTest, TheMandateHoldsTheDigestsOfWhatWasShown) {
    m_documents.clear();
    for (int i = 0; i < 1300; ++i)
        m_documents.push_back(bytes_of("document " + std::to_string(i)));
    start("key first\npin 1234");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();

    std::vector<Bytes> digests;
    for (auto const& mandate : m_token.mandates) {
        digests.insert(digests.end(), mandate.digests.begin(), mandate.digests.end());
        EXPECT_EQ(mandate.certificate, signing::Certificate::parse(m_key)->fingerprint());
        EXPECT_EQ(mandate.request, ipc::RequestId{7});
    }
    ASSERT_EQ(digests.size(), m_documents.size());
    for (std::size_t i = 0; i < digests.size(); ++i) {
        Bytes expected(SHA256_DIGEST_LENGTH);
        ::SHA256(m_documents[i].data(), m_documents[i].size(), expected.data());
        EXPECT_EQ(digests[i], expected) << i;
    }
}

TEST_F(PromptTest, ADigestFromTheSiteIsMandatedAsItIs) {
    m_request.digested = true;
    m_documents = {Bytes(32, 0xAB)};
    start("key first\npin 1234");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_EQ(m_token.mandates.at(0).digests.at(0), m_documents[0]);
}

TEST_F(PromptTest, ADigestOfAnotherLengthSuitsNoKey) {
    m_request.digested = true;
    m_documents = {Bytes(20, 0xAB)};
    start("cancel");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();
    EXPECT_TRUE(was_shown("does not suit this key"));
}

TEST_F(PromptTest, OfSeveralKeysNoneIsChosenSilently) {
    m_readable = {m_key, m_other_key};
    start("pin 1234");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_TRUE(was_shown(R"("chosen":null)"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, AKeyThatDoesNotFitCannotBeChosen) {
    m_readable = {m_sign_in_key, m_key};
    start("key misfit\npin 1234");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_TRUE(was_shown("The key is for another use"));
    EXPECT_EQ(unlocks(), 0U);
}

Bytes written(ipc::DocumentLabel const& label) {
    ipc::Writer writer;
    writer(label);
    return to_bytes(writer.bytes());
}

TEST_F(PromptTest, ADocumentThatWasTooLargeToBeKeptIsShownAndMandatedByItsDigests) {
    ipc::NamedDigest const sha256{signing::name_of(signing::DigestAlgorithm::sha256).oid, Bytes(32, 0xAB)};
    m_request.labelled = true;
    m_documents = {Bytes{}, written({"video.mp4", "video/mp4", {sha256}, 5'000'000'000})};
    start("key first\npin 1234");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_EQ(m_token.mandates.at(0).digests.at(0), sha256.value);
    EXPECT_TRUE(was_shown("Sign one document: video.mp4"));
    EXPECT_TRUE(was_shown("video/mp4"));
    EXPECT_TRUE(was_shown("SHA-256: abab"));
}

TEST_F(PromptTest, ADocumentWithoutTheDigestOfAKeySuitsNoSuchKey) {
    ipc::NamedDigest const other{signing::name_of(signing::DigestAlgorithm::streebog512).oid, Bytes(64, 0xAB)};
    m_request.labelled = true;
    m_documents = {Bytes{}, written({"", "", {other}, 5'000'000'000})};
    start("cancel");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();
    EXPECT_TRUE(was_shown("does not suit this key"));
}

TEST_F(PromptTest, LabelsThatDoNotGoWithTheirDocumentsAreMalformed) {
    ipc::NamedDigest const sha256{signing::name_of(signing::DigestAlgorithm::sha256).oid, Bytes(32, 0xAB)};
    m_request.labelled = true;
    m_documents = {bytes_of("here after all"), written({"", "", {sha256}, 14})};
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::message_malformed);
}

TEST_F(PromptTest, ASignInToAnotherSiteThanTheWindowNamesIsRefusedWithoutAWindow) {
    m_request.purpose = ipc::Purpose::sign_in;
    m_request.form = ipc::Form::authenticate;
    m_documents = {*signing::sign_in_request({"https://other.test", Bytes(16)})};
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::message_malformed);
    finish();
    EXPECT_FALSE(m_events.any_starts_with(R"({"event":"show")"));
}

TEST_F(PromptTest, ASignInIsMandatedByTheRequestThatNamesTheSite) {
    m_request.purpose = ipc::Purpose::sign_in;
    m_request.form = ipc::Form::authenticate;
    m_documents = {*signing::sign_in_request({m_request.origin, Bytes(16)})};
    start("key first\npin 1234");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_EQ(m_token.mandates.at(0).form, ipc::Form::authenticate);
    EXPECT_EQ(m_token.mandates.at(0).digests.at(0), signing::sha256(m_documents.front()));
}

TEST_F(PromptTest, ACommandOfThisComputerIsNamedAsOne) {
    m_request.origin.clear();
    start("key first\npin 1234");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_TRUE(was_shown("A command on this computer"));
}

TEST_F(PromptTest, SigningInTakesTheOnlyKeyThereIsAfterAWarning) {
    m_request.purpose = ipc::Purpose::sign_in;
    m_request.filter.extended_key_usages = {std::string{signing::eku_client_auth}};
    start("key first\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->certificate, m_key);
    EXPECT_TRUE(was_shown("it is the only one here"));
}

TEST_F(PromptTest, S21_AKeyForDocumentsSignsNobodyInBesideAnotherKey) {
    m_request.purpose = ipc::Purpose::sign_in;
    m_request.filter.extended_key_usages = {std::string{signing::eku_client_auth}};
    m_readable = {m_key, m_sign_in_key};
    start("key misfit\npin 1234");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();

    EXPECT_TRUE(was_shown("The key is for another use"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, S21_AKeyForDocumentsSignsNobodyInWhileAnotherTokenMayHoldTheRightOne) {
    m_request.purpose = ipc::Purpose::sign_in;
    m_request.filter.extended_key_usages = {std::string{signing::eku_client_auth}};
    m_request.storages = {m_token.info.storage}; // as a page may, to leave the other aside
    m_has_second_token = true;
    m_second_token.info.storage = "AKJaCartaStore";
    m_second_token.readable = {m_sign_in_key};
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();

    EXPECT_TRUE(was_shown("The key is for another use"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, S21_AKeyForDocumentsSignsNobodyInInStrictMode) {
    m_request.purpose = ipc::Purpose::sign_in;
    m_request.filter.extended_key_usages = {std::string{signing::eku_client_auth}};
    m_request.strict = true;
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();

    EXPECT_TRUE(was_shown("The key is for another use"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, AKeyWithoutTheRoleOfTheServiceCannotBeChosenAndThePersonIsToldWhomToAsk) {
    m_request.filter.roles = {"1.2.398.3.3.4.1.2.1", "1.2.398.3.3.4.1.2.2"};
    start("key misfit\npin 1234");

    EXPECT_EQ(ended_with(), Errc::role_missing);
    finish();

    EXPECT_TRUE(was_shown("The key does not give its owner the role"));
    EXPECT_TRUE(was_shown("Ask the owner of the portal's system who may sign"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, AKeyWithOneOfTheRolesOfTheServiceSigns) {
    m_request.filter.roles = {"1.2.398.3.3.4.1.2.1", "1.2.398.3.3.4.1.1"};
    auto const key = make_certificate({.usage = "emailProtection,1.2.398.3.3.4.1.1"});
    m_readable = {m_key, key};
    start("key first\npin 1234");

    // The token has no private half of it here; that it was asked to unlock for this one is what matters.
    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();

    EXPECT_EQ(unlocks(), 1U);
}

TEST_F(PromptTest, WithoutAServiceNothingIsSaidOfOne) {
    EXPECT_EQ(service_words({m_request, {}}), "");
    EXPECT_EQ(principal_words({m_request, {}}), "");
}

TEST_F(PromptTest, EveryClassificationIsSaidInEveryLanguageWithTheNameOfItsService) {
    m_request.service.name = "Мекенжай анықтамасы";
    m_request.service.body = "Үлгі орган";
    for (auto const language : {Language::kk, Language::ru, Language::en}) {
        m_request.language = language;
        std::set<std::string> said;
        for (std::uint8_t i = 1; i < enumerator_count(ipc::Classified{}); ++i) {
            m_request.service.classified = static_cast<ipc::Classified>(i);
            auto const words = service_words({m_request, {}});
            bool const is_service = i >= static_cast<std::uint8_t>(ipc::Classified::eds);
            EXPECT_EQ(words.find("Мекенжай анықтамасы. ") != std::string::npos, is_service) << words;
            EXPECT_EQ(words.find("Үлгі орган.") != std::string::npos, is_service) << words;
            said.insert(words);
        }
        EXPECT_EQ(said.size(), enumerator_count(ipc::Classified{}) - 1U);
    }
}

TEST_F(PromptTest, S10_WhatASiteSaysOfThePrincipalCannotPassForWordsOfTheWindow) {
    m_request.principal = {"ТОО \u202Eкод\u202C\nЗаявитель проверен", "<b>123456789021</b>", std::string(100'000, 'A')};

    auto const words = principal_words({m_request, {}});

    EXPECT_TRUE(words.starts_with("The site says, and nobody has verified it, that you act on behalf of: ")) << words;
    EXPECT_EQ(words.find('\n'), std::string::npos);
    EXPECT_EQ(words.find("\u202E"), std::string::npos);
    EXPECT_NE(words.find("‹U+202E›"), std::string::npos);
    EXPECT_NE(words.find("<b>123456789021</b>"), std::string::npos) << "labels show plain text";
    EXPECT_LT(words.size(), 1000U);
}

TEST_F(PromptTest, AKeyWithoutItsPrivatePartIsNotFound) {
    auto const stray = make_certificate({.name = "ТЕСТОВ БЕЗ КЛЮЧА"});
    m_readable = {stray};
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
}

TEST_F(PromptTest, S19_TheWindowGoesWhenThePageDoes) {
    start("hang");

    m_web.close();
    m_thread.join();
    m_token.stop();

    EXPECT_EQ(m_outcome.error().code, Errc::channel_closed);
    EXPECT_EQ(m_events.count("token sees the end"), 1U);
}

TEST_F(PromptTest, CancellingWhileTheTokenSignsClosesTheLease) {
    start("key first\npin 1234\ncancel_while_waiting");

    // A token that answers at once has the mandate before there is anything to wait for.
    auto packet = m_web.receive(std::chrono::seconds{5});
    if (packet && packet->is<ipc::Accepted>()) packet = m_web.receive(std::chrono::seconds{5});
    ASSERT_TRUE(packet);
    auto const ended = packet->as<ipc::PromptEnded>();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status.code, Errc::user_cancelled);
    finish();
    EXPECT_EQ(m_events.count("token sees the end"), 1U);
}

TEST_F(PromptTest, ProgressIsShownAndAFailureTold) {
    start("key first\npin 1234");
    ASSERT_TRUE(hear<ipc::Accepted>());

    ASSERT_TRUE(m_web.send(ipc::Progress{1, 2}));
    ASSERT_TRUE(m_web.send(ipc::RequestDone{ipc::Status::from(Errc::token_absent)}));
    m_thread.join();

    EXPECT_TRUE(was_shown("Waiting for the token ... 1/2"));
    EXPECT_TRUE(was_shown(R"({"event":"tell","words":"The token is not plugged in.)"));
}

TEST_F(PromptTest, S5_ANewSiteIsAskedAboutAloneWithoutKeyOrPin) {
    m_request.purpose = ipc::Purpose::site;
    m_request.site_is_new = true;
    m_documents.clear();
    start("accept");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->certificate.empty());
    EXPECT_EQ(unlocks(), 0U);
    EXPECT_TRUE(was_shown(R"("keys":[])"));
}

TEST_F(PromptTest, S5_ANewSiteCanBeRefusedForGood) {
    m_request.site_is_new = true;
    start("refuse_site");

    EXPECT_EQ(ended_with(), Errc::site_refused);
}

TEST_F(PromptTest, S5_ASiteNotAllowedYetDoesNotLearnThatNoKeyFits) {
    m_request.site_is_new = true;
    m_readable = {m_sign_in_key};
    start("cancel");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
}

TEST_F(PromptTest, AReadableCertificateIsGivenWithoutAPin) {
    m_request.purpose = ipc::Purpose::choose_key;
    m_documents.clear();
    start("key first");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    EXPECT_EQ(accepted->certificate, m_key);
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(PromptTest, ATokenThatTurnsOutToBeEmptyBehindItsPinIsSaidToHaveNoKey) {
    m_readable.clear();
    m_token.keys.clear();
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();

    EXPECT_EQ(unlocks(), 1U);
}

TEST_F(PromptTest, AHiddenCertificateIsGivenAfterThePinAndLeavesNothingUnlocked) {
    m_request.purpose = ipc::Purpose::choose_key;
    m_documents.clear();
    m_readable.clear();
    start("key subject=ҮЛГІ\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    EXPECT_EQ(accepted->certificate, m_other_key);
    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "unlock", "ask", "token"}));
}

TEST_F(PromptTest, ARequestToSignNothingIsMalformed) {
    m_documents.clear();
    start("key first\npin 1234");

    EXPECT_EQ(ended_with(), Errc::message_malformed);
}

TEST(PromptEnds, S12_ATokenProcessThatIsGoneAlreadyIsHeardOfWithoutEndingThePrompt) {
    auto control = ipc::make_pair();
    auto gone = ipc::make_pair();
    auto web = ipc::make_pair();
    gone->first.close();
    ASSERT_TRUE(ipc::say_hello(control->first, ipc::Role::launcher));
    ASSERT_TRUE(control->first.send(ipc::TokenChannel{ipc::ModuleIndex{3}}, {gone->second.fd()}));
    ASSERT_TRUE(control->first.send(ipc::WebChannel{ipc::RequestId{7}}, {web->second.fd()}));
    ASSERT_TRUE(ipc::say_hello(web->first, ipc::Role::web));

    auto ends = receive_ends(std::move(control->second));

    ASSERT_TRUE(ends);
    EXPECT_TRUE(ends->web);
    EXPECT_EQ(ends->tokens.at(ipc::ModuleIndex{3}).channel.receive(std::chrono::seconds{10}).error().code,
              Errc::channel_closed);
}

TEST(Words, WhatIsNotKnownOfAnyOfSeveralKeysIsSaidOnce) {
    Question question;
    question.choices.resize(3);
    question.choices[0].warning = question.choices[1].warning = "The issuer is missing.";
    question.choices[2].obstacle = Obstacle{Errc::key_not_found, "It has expired."};
    EXPECT_EQ(common_warning(question), "The issuer is missing.");

    question.choices[1].warning = "Another one.";
    EXPECT_EQ(common_warning(question), "");
    question.choices.erase(question.choices.begin() + 1);
    EXPECT_EQ(common_warning(question), "") << "of one key it stands under that key";
}

TEST(Visible, S10_HostileCharactersBecomeVisible) {
    EXPECT_EQ(visible_line("exe\u202Egpj\x01"), "exe‹U+202E›gpj‹U+0001›");
    EXPECT_EQ(visible_line("a\u200Bb\uFEFF\u2028\u061C"), "a‹U+200B›b‹U+FEFF›‹U+2028›‹U+061C›");
    EXPECT_EQ(visible_line("a\uFFA0b\u2800c\U0001D173"), "a‹U+FFA0›b‹U+2800›c‹U+1D173›");
    EXPECT_EQ(visible_line("two\nlines"), "two‹U+000A›lines");
    EXPECT_EQ(visible_line("\xFFok\xC3"), "‹FF›ok‹C3›");
    EXPECT_EQ(visible_line("әңғүұқөһі <b>&amp;"), "әңғүұқөһі <b>&amp;");
}

TEST(Visible, KeepsTheLinesOfADocumentAndNothingElse) {
    EXPECT_EQ(visible_text("a\r\nb\tc\rd\u202E", 100), "a\nb\tc‹U+000D›d‹U+202E›");
    EXPECT_EQ(visible_text("әңғү", 2), "әң");
}

TEST(Visible, S10_AnOriginIsPrintableAsciiOrEscaped) {
    EXPECT_EQ(visible_origin("https://еgov.kz"), "https://‹U+0435›gov.kz");
    EXPECT_EQ(visible_origin("https://xn--gov-pza.kz:8443"), "https://xn--gov-pza.kz:8443");
}

TEST(Visible, KnowsUtf8FromWhatLooksLikeIt) {
    EXPECT_TRUE(is_utf8("таңба 𝟙"));
    for (char const* text : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"})
        EXPECT_FALSE(is_utf8(text));
}

Documents documents_of(std::vector<View> const& items) {
    auto const sealed = seal_items(items);
    return Documents{std::move(*SealedItems::open(*sealed, 100)), false};
}

TEST(Documents, WithANulOrOutsideUtf8AreNotText) {
    auto const documents = documents_of({as_view(std::string_view{"a\0b", 3}), as_view("\xFF"), as_view("text")});

    EXPECT_FALSE(documents.text(0));
    EXPECT_FALSE(documents.text(1));
    EXPECT_EQ(documents.text(2), "text");
}

TEST(Documents, OverSixteenMebibytesTogetherAreNotShown) {
    std::string const half(max_shown_size / 2, 'a');

    EXPECT_TRUE(documents_of({as_view(half), as_view(half)}).text(0));
    EXPECT_FALSE(documents_of({as_view(half), as_view(half), as_view("a")}).text(2));
}

TEST(Documents, SayThatOnlyTheBeginningIsShown) {
    std::string const whole(max_shown_characters, 'a');
    auto const longer = whole + "b";
    auto const documents = documents_of({as_view(whole), as_view(longer)});

    EXPECT_FALSE(documents.is_cut(0));
    EXPECT_TRUE(documents.is_cut(1));
    EXPECT_EQ(documents.text(1), whole);
}

TEST(Explain, SaysEveryErrorWithANextStepInEveryLanguage) {
    for (std::size_t i = 0; i < errc_count; ++i) {
        for (auto const language : {Language::en, Language::kk, Language::ru}) {
            auto const words = explain(language, static_cast<Errc>(i));
            EXPECT_TRUE(words.ends_with(".")) << wire_name(static_cast<Errc>(i));
            EXPECT_NE(words.find_first_of(".;"), words.size() - 1) << words << ": no next step";
        }
    }
}

// ---- files ----

TEST_F(PromptTest, AKeyFileIsChosenThenItsPasswordThenItsKey) {
    m_request.storages = {"PKCS12"};
    start("file " + file_of("мой ключ.p12") + "\nkey subject=ҮЛГІ\npin password");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->module, ipc::key_file_module);
    EXPECT_EQ(accepted->certificate, m_other_key);
    EXPECT_TRUE(was_shown(R"x("name":"мой ключ.p12 (key file)")x"));
    EXPECT_TRUE(m_events.any_starts_with("open 1"));
    EXPECT_EQ(unlocks(), 1U);
    EXPECT_EQ(m_folder.read("state/tamga/recent-key-files"), (m_folder / "мой ключ.p12").string() + "\n");
}

TEST_F(PromptTest, AFileIsOfferedWhereNoStorageIsNamedAndNoTokenIsThere) {
    m_token.plugged_in = false;
    start("file " + file_of("key.p12") + "\nkey first\npin password");

    EXPECT_TRUE(hear<ipc::Accepted>());
}

TEST_F(PromptTest, AFileIsNotOfferedInThePlaceOfATokenThatFailed) {
    m_token.crashes_at_listing = true;
    start("file " + file_of("key.p12"));

    EXPECT_EQ(ended_with(), Errc::token_crashed);
    finish();
    EXPECT_FALSE(m_events.any_starts_with(R"({"event":"files")"));
}

TEST_F(PromptTest, AFileCanBeChosenInThePlaceOfAToken) {
    start("from_file\nfile " + file_of("key.p12") + "\nkey first\npin password");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->module, ipc::key_file_module);
    EXPECT_TRUE(m_events.any_starts_with("unlock password"));
}

TEST_F(PromptTest, WhoCancelsTheChooserIsBackAtTheTokens) {
    start("from_file\nkey first\npin 1234");

    auto const accepted = hear<ipc::Accepted>();
    finish();

    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->module, ipc::ModuleIndex{0});
}

TEST_F(PromptTest, WhatIsNoKeyFileIsSaidAndAnotherOneChosen) {
    m_request.storages = {"PKCS12"};
    m_file.malformed_file = true;
    auto const file = file_of("key.p12");
    start("file " + m_folder.path().string() + "\nfile " + file + "\nfile " + file + "\nkey first\npin password");

    EXPECT_TRUE(hear<ipc::Accepted>());
    finish();

    EXPECT_EQ(m_events.count("file token wanted"), 1U);
    EXPECT_TRUE(was_shown(R"("event":"files","error":"This is not a key file)"));
}

TEST_F(PromptTest, AFileWhoseKeysAllBelongToOthersSaysSo) {
    m_request.storages = {"PKCS12"};
    m_request.filter.iin = "000000000000";
    start("file " + file_of("key.p12") + "\npin password");

    EXPECT_EQ(ended_with(), Errc::key_not_found);
    finish();

    EXPECT_TRUE(was_shown("No key in this file fits. Choose another file."));
}

TEST_F(PromptTest, WithoutAProcessForTheFileTheRequestFails) {
    m_request.storages = {"PKCS12"};
    m_no_file_token = true;
    start("file " + file_of("key.p12") + "\nkey first\npin password");

    EXPECT_EQ(ended_with(), Errc::token_crashed);
}

TEST_F(PromptTest, S5_ANewSiteCanBeRefusedInTheChooser) {
    m_request.storages = {"PKCS12"};
    m_request.site_is_new = true;
    start("refuse_site");

    EXPECT_EQ(ended_with(), Errc::site_refused);
}

TEST_F(PromptTest, S13_ASiteGetsAnOpenedDocumentAndNothingElse) {
    m_request.purpose = ipc::Purpose::choose_file;
    m_documents.clear();
    start("file " + file_of("document.txt", "Өтініш"));

    auto packet = m_web.receive(std::chrono::seconds{10});
    ASSERT_TRUE(packet);
    auto const accepted = packet->as<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->certificate.empty());
    ASSERT_EQ(packet->descriptors.size(), 1U);
    char content[64] = "";
    EXPECT_EQ(::read(packet->descriptors.front().get(), content, sizeof content), 12);
    finish();
    EXPECT_EQ(unlocks(), 0U);
}

// ---- a sign-in that is remembered ----

class RememberTest : public PromptTest {
protected:
    RememberTest() {
        m_request.purpose = ipc::Purpose::sign_in;
        m_request.form = ipc::Form::authenticate;
        m_request.filter.extended_key_usages = {std::string{signing::eku_client_auth}};
        m_documents = {*signing::sign_in_request({m_request.origin, Bytes(16)})};
        m_readable = {m_sign_in_key};
        m_token.info.remember_s = 900;
        m_token.info.remember_unused_s = 300;
    }
    /// What tamga-web is told, when all is over.
    ipc::Accepted accepted_after(std::string const& script) {
        start(script);
        auto const accepted = hear<ipc::Accepted>();
        finish();
        return accepted.value();
    }
    [[nodiscard]] bool token_was_asked() const { return m_events.any_starts_with("remember"); }
};

TEST_F(RememberTest, IsAskedOfTheTokenForThisSiteAfterTheMandate) {
    EXPECT_TRUE(accepted_after("remember\nkey first\npin 1234").remembered);
    EXPECT_EQ(kinds(), (Kinds{"show", "ask", "unlock", "mandate", "remember", "token"}));
    EXPECT_EQ(m_events.count("remember " + m_request.origin), 1U);
}

TEST_F(RememberTest, IsNotAskedUnlessThePersonWantsIt) {
    EXPECT_FALSE(accepted_after("key first\npin 1234").remembered);
    EXPECT_FALSE(token_was_asked());
}

TEST_F(RememberTest, IsNeverAskedForADocument) {
    m_request.purpose = ipc::Purpose::sign;
    m_request.form = ipc::Form::cms;
    m_request.filter.extended_key_usages = {};
    m_documents = {bytes_of("document")};
    EXPECT_FALSE(accepted_after("remember\nkey first\npin 1234").remembered);
    EXPECT_FALSE(token_was_asked());
}

TEST_F(RememberTest, IsNotAskedForASiteThatWasNewAMomentAgo) {
    m_request.site_is_new = true;
    EXPECT_FALSE(accepted_after("remember\nkey first\npin 1234").remembered);
    EXPECT_FALSE(token_was_asked());
}

TEST_F(RememberTest, IsNotAskedWhereConfigurationForbidsIt) {
    m_token.info.remember_s = 0;
    EXPECT_FALSE(accepted_after("remember\nkey first\npin 1234").remembered);
    EXPECT_FALSE(token_was_asked());
}

TEST_F(RememberTest, ThatTheTokenRefusesIsSaidAfterTheSignIn) {
    m_token.remembers = false;
    EXPECT_FALSE(accepted_after("remember\nkey first\npin 1234").remembered);
    EXPECT_TRUE(was_shown("could not be remembered"));
}

// ---- work on keys ----

class KeyWorkPrompt : public PromptTest {
protected:
    KeyWorkPrompt() {
        m_documents.clear();
        m_readable = {m_key};
        m_request.origin.clear(); // a command asks
        m_request.purpose = ipc::Purpose::key_work;
        m_request.filter = {};
        m_token.info.serial = "0001";
        m_token.info.family = "kaztoken";
    }
    static Bytes new_id() {
        auto id = bytes_of(ipc::made_here);
        id.resize(ipc::pair_id_size, 7);
        return id;
    }
    [[nodiscard]] Bytes info_of(Bytes const& der) const {
        return signing::public_key_of(*signing::Certificate::parse(der)).der;
    }
    [[nodiscard]] Bytes subject() const {
        auto const present = *signing::Certificate::parse(m_key);
        return signing::renewal_of(present, signing::public_key_of(present)).subject;
    }
};

TEST_F(KeyWorkPrompt, ShowsEveryOperationAndTellsTheTokenExactlyThose) {
    m_request.operations = {ipc::GeneratePair{ipc::PairKind::gost2015_512, ipc::PairUse::sign, new_id(), "New key"},
                            ipc::SignCertificationRequest{new_id(), subject(), "test@example.kz", "1.2.398.3.3.5.1.1"},
                            ipc::StoreCertificate{m_other_key, true}, ipc::ListPairs{}};
    start("pin 1234\naccept\n");

    auto const accepted = hear<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->serial, "0001");
    EXPECT_EQ(accepted->family, "kaztoken");
    finish();

    for (auto const* words :
         {"GOST 34.10-2015, 512 bits", "for signing documents", "New key", "123456789011", "test@example.kz",
          "1.2.398.3.3.5.1.1", "123456789012", "try whether the key signs", "those without a certificate too"}) {
        EXPECT_TRUE(was_shown(words)) << words;
    }
    ASSERT_EQ(m_token.key_mandates.size(), 1U);
    EXPECT_EQ(m_token.key_mandates.front().operations, m_request.operations);
    EXPECT_EQ(m_token.key_mandates.front().request, m_request.request);
    EXPECT_EQ(m_events.count("unlock_for_work 1234"), 1U);
}

TEST_F(KeyWorkPrompt, AsksAgainAfterAWrongPinAndSendsEachOnce) {
    m_request.operations = {ipc::ListPairs{}};
    start("pin 0000\npin 1234\naccept\n");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();
    EXPECT_EQ(m_events.count("unlock_for_work 0000"), 1U);
    EXPECT_EQ(m_events.count("unlock_for_work 1234"), 1U);
}

TEST_F(KeyWorkPrompt, DeletesNothingBeforeTheWordWasTyped) {
    m_request.operations = {ipc::DeletePair{{1}, info_of(m_key)}};
    start("pin 1234\ntype delete\naccept\n"); // cancels when it is asked again

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();
    EXPECT_EQ(unlocks(), 0U);
    EXPECT_EQ(m_events.count("key_mandate"), 0U);
    EXPECT_TRUE(was_shown("Type the word DELETE"));
}

TEST_F(KeyWorkPrompt, SaysOfAPairToBeDeletedWhatTheTokenSaysOfIt) {
    m_request.operations = {ipc::DeletePair{{1}, info_of(m_key)}};
    start("pin 1234\naccept\n");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();
    EXPECT_TRUE(was_shown("Delete a key pair from the token, for ever"));
    EXPECT_TRUE(was_shown("123456789011")) << "of the certificate on the token";
}

TEST_F(KeyWorkPrompt, LetsNoPageAskForWhatCommandsAloneMayDo) {
    m_request.origin = "https://egov.kz";
    m_request.operations = {ipc::ListPairs{}, ipc::DeletePair{{1}, info_of(m_key)}};
    start("pin 1234\naccept\n");

    EXPECT_EQ(ended_with(), Errc::key_work_denied);
    finish();
    EXPECT_EQ(m_events.count("key_mandate"), 0U);
}

TEST_F(KeyWorkPrompt, TakesNoOtherTokenThanTheOneThatIsMeant) {
    m_request.operations = {ipc::ListPairs{}};
    m_request.token_serial = "0002";
    start("key misfit\npin 1234\naccept\n");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();
    EXPECT_TRUE(was_shown("another token than the one that is meant"));
    EXPECT_EQ(unlocks(), 0U);
}

TEST_F(KeyWorkPrompt, IsCancelledLikeEveryOther) {
    m_request.operations = {ipc::ListPairs{}};
    start("cancel\n");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
}

TEST_F(KeyWorkPrompt, RefusesWhatCannotBeShown) {
    m_request.operations = {ipc::SignCertificationRequest{new_id(), bytes_of("no name"), {}, {}}};
    start("accept\n");

    EXPECT_EQ(ended_with(), Errc::message_malformed);
}

TEST_F(KeyWorkPrompt, SaysHowFarTheTokenIs) {
    m_request.operations = {ipc::ListPairs{}, ipc::ListPairs{}};
    start("pin 1234\naccept\n");
    ASSERT_TRUE(hear<ipc::Accepted>());

    ASSERT_TRUE(m_web.send(ipc::Progress{1, 2, ipc::Stage::key_work}));
    finish();

    EXPECT_TRUE(was_shown("step 2 of 2"));
}

TEST_F(KeyWorkPrompt, ChangesAPinBetweenThePersonAndTheToken) {
    m_request.purpose = ipc::Purpose::change_pin;
    start("pin 9999\npin 1234\nnew_pin new-pin-1\naccept\n");

    auto const accepted = hear<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    finish();
    EXPECT_EQ(m_events.count("change 9999 to new-pin-1"), 1U);
    EXPECT_EQ(m_events.count("change 1234 to new-pin-1"), 1U);
    EXPECT_EQ(unlocks(), 0U) << "no login beside it";
    EXPECT_TRUE(was_shown("The new PIN holds from now on."));
}

TEST_F(KeyWorkPrompt, ChangesThePinOfATokenWhoseLockIsRememberedAfterASecondQuestion) {
    m_request.purpose = ipc::Purpose::change_pin;
    m_token.info.pin_locked = true;
    start("pin 1234\nnew_pin new-pin-1\naccept\n");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();
    EXPECT_EQ(m_events.count("change 1234 to new-pin-1"), 1U);
    EXPECT_TRUE(was_shown("was locked when it was typed last"));
}

TEST_F(KeyWorkPrompt, ChangesNoPinWhereTheTokenItselfSaysItIsLocked) {
    m_request.purpose = ipc::Purpose::change_pin;
    m_token.info.pin_locked = true;
    m_token.info.attempts_left = 0;
    start("pin 1234\nnew_pin new-pin-1\naccept\ncancel");

    EXPECT_EQ(ended_with(), Errc::user_cancelled);
    finish();
    EXPECT_FALSE(m_events.any_starts_with("change "));
}

TEST_F(KeyWorkPrompt, UnblocksALockedTokenAfterASecondQuestion) {
    m_request.purpose = ipc::Purpose::unblock_pin;
    m_token.info.pin_locked = true;
    start("pin 9999\npin 1234\nnew_pin new-pin-1\naccept\n");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();
    EXPECT_EQ(m_events.count("unblock 1234 to new-pin-1"), 1U);
    EXPECT_TRUE(was_shown("can never be unlocked again"));
    EXPECT_TRUE(was_shown("The administrator PIN is wrong"));
}

TEST_F(KeyWorkPrompt, ChangesThePasswordOfAFileInItsPlace) {
    m_request.purpose = ipc::Purpose::change_pin;
    auto const file = file_of("key.p12", "under the old password");
    start("from_file\nfile " + file + "\npin wrong\npin password\nnew_pin New-Password1\naccept\n");

    ASSERT_TRUE(hear<ipc::Accepted>());
    finish();
    EXPECT_EQ(m_events.count("change wrong to New-Password1"), 1U);
    EXPECT_EQ(m_folder.read("key.p12"), "under the new password");
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_TRUE(was_shown("The new password holds from now on."));
}

TEST_F(KeyWorkPrompt, LeavesAFileAsItIsWhoseFolderTakesNoOther) {
    m_request.purpose = ipc::Purpose::change_pin;
    m_token.plugged_in = false;
    auto const file = (m_folder / "key.p12").string();
    std::filesystem::create_symlink("/proc/self/cmdline", file); // can be read; nothing can be written beside it

    start("file " + file + "\npin password\nnew_pin New-Password1\naccept\n");

    EXPECT_EQ(ended_with(), Errc::system);
    finish();
    EXPECT_TRUE(was_shown("The new key file could not be written"));
}

} // namespace
} // namespace tamga::prompt

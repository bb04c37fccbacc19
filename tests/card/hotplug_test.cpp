// What the real tamga-token does with what the watcher tells it: OpenSC and a card below, the test above.
#include "tests/card/virtual_readers.hpp"
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace tamga::test {
namespace {

using ipc::RequestId;

class HotPlug : public ::testing::Test {
protected:
    HotPlug() { readers.format(0); }

    /// The slot of the card, as a listing gives it; fails where not exactly one card is listed.
    static ipc::SlotId only_slot(TokenDriver& driver) {
        auto const listing = driver.list(ipc::Depth::certificates);
        if (listing.tokens.size() != 1) throw std::runtime_error{std::to_string(listing.tokens.size()) + " tokens"};
        return listing.tokens.front().slot;
    }
    /// Logs in for `request`. @return the certificate of the first key.
    static signing::Certificate log_in(TokenDriver& driver, ipc::Channel& prompt) {
        auto const unlocked = unlock(prompt, only_slot(driver), VirtualReaders::pin);
        if (!unlocked.reply.status.ok) throw std::runtime_error{std::string{wire_name(unlocked.reply.status.code)}};
        return *signing::Certificate::parse(unlocked.certificates.at(0));
    }
    static Result<void> give_mandate(ipc::Channel& prompt, RequestId request, signing::Certificate const& certificate) {
        return give(prompt, mandate_for(request, ipc::Form::cms, certificate, {sha256(as_view("document"))}));
    }
    static void expect_signature(TokenDriver& driver, RequestId request) {
        auto prompt = driver.prompt(request);
        auto const certificate = log_in(driver, prompt);
        ASSERT_TRUE(give_mandate(prompt, request, certificate));
        EXPECT_TRUE(driver.sign(request, {cms_item(certificate, "document")}));
        ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
        EXPECT_TRUE(driver.lease_ended().status.ok);
    }

    Scratch folder;
    VirtualReaders readers{folder};
};

TEST_F(HotPlug, ALostCardServiceEndsTheLeaseWithItsOwnErrorAndTheModuleIsInitialisedAnew) {
    TokenDriver driver{folder.path()};
    auto watcher = driver.watcher();
    auto prompt = driver.prompt(RequestId{1});
    auto const certificate = log_in(driver, prompt);
    ASSERT_TRUE(give_mandate(prompt, RequestId{1}, certificate));

    readers.say("pcscd kill");
    ASSERT_TRUE(watcher.send(ipc::CardService{false}));
    EXPECT_EQ(driver.lease_ended().status.code, Errc::card_service_lost);
    EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 0U);
    readers.say("pcscd start");
    readers.wait_for_cards();
    ASSERT_TRUE(watcher.send(ipc::CardService{true}));

    expect_signature(driver, RequestId{2});
}

TEST_F(HotPlug, APromptWhoseLeaseBrokeOffLearnsWhyWhenItGivesTheMandate) {
    TokenDriver driver{folder.path()};
    auto watcher = driver.watcher();
    auto prompt = driver.prompt(RequestId{1});
    auto const certificate = log_in(driver, prompt);

    ASSERT_TRUE(watcher.send(ipc::CardService{false}));
    driver.list(ipc::Depth::tokens); // after it the watcher's words are heard

    EXPECT_EQ(give_mandate(prompt, RequestId{1}, certificate).error().code, Errc::card_service_lost);
}

TEST_F(HotPlug, APromptWhoseLeaseBreaksOffInTheMomentItGivesTheMandateLearnsWhy) {
    TokenDriver driver{folder.path()};
    auto watcher = driver.watcher();
    auto prompt = driver.prompt(RequestId{1});
    auto const certificate = log_in(driver, prompt);

    // Both are there when it wakes: the mandate is on its way to the token when the service is lost.
    ::kill(driver.pid(), SIGSTOP);
    ASSERT_TRUE(prompt.send(mandate_for(RequestId{1}, ipc::Form::cms, certificate, {sha256(as_view("document"))})));
    ASSERT_TRUE(watcher.send(ipc::CardService{false}));
    ::kill(driver.pid(), SIGCONT);

    EXPECT_EQ(expect<ipc::MandateReply>(prompt).status.code, Errc::card_service_lost);
}

TEST_F(HotPlug, ACardThatIsPulledOutEndsItsLeaseAtOnceAndNoOther) {
    TokenDriver driver{folder.path()};
    auto watcher = driver.watcher();
    auto prompt = driver.prompt(RequestId{1});
    auto const certificate = log_in(driver, prompt);
    ASSERT_TRUE(give_mandate(prompt, RequestId{1}, certificate));

    ASSERT_TRUE(watcher.send(ipc::ReaderState{VirtualReaders::second, false, {}}));
    EXPECT_TRUE(driver.sign(RequestId{1}, {cms_item(certificate, "document")}));
    readers.say("remove 0");
    ASSERT_TRUE(watcher.send(ipc::ReaderState{VirtualReaders::first, false, {}}));
    auto const ended = driver.lease_ended();

    EXPECT_EQ(ended.status.code, Errc::token_absent);
    EXPECT_EQ(ended.status.detail, "pulled out");
}

TEST_F(HotPlug, ACardThatIsPulledOutWhileItsLoginIsUnderWayIsNotLoggedInAfterwards) {
    TokenDriver driver{folder.path()};
    auto watcher = driver.watcher();
    auto prompt = driver.prompt(RequestId{1});
    auto const slot = only_slot(driver);

    // It is out and in again before anybody is told that the PIN was right, and the module has noticed nothing.
    ::kill(driver.pid(), SIGSTOP);
    send_unlock(prompt, slot, VirtualReaders::pin);
    ASSERT_TRUE(watcher.send(ipc::ReaderState{VirtualReaders::first, false, {}}));
    ASSERT_TRUE(watcher.send(ipc::ReaderState{VirtualReaders::first, true, {}}));
    ::kill(driver.pid(), SIGCONT);

    EXPECT_EQ(expect<ipc::UnlockReply>(prompt).status.code, Errc::token_absent);
    expect_signature(driver, RequestId{2});
}

TEST(HotPlugOfOthers, AModuleInSoftwareDoesNotCareAboutTheCardService) {
    Scratch const folder;
    SoftToken const token{folder};
    auto const certificate = make_key(folder, "rsa", KeyKind::rsa_2048);
    token.add_key("rsa", "01");
    token.add_certificate("rsa", "01");
    TokenDriver driver{folder.path()};
    auto watcher = driver.watcher();
    auto const slot = driver.list(ipc::Depth::tokens).tokens.at(0).slot;
    auto prompt = driver.prompt(RequestId{1});
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
    ASSERT_TRUE(give(prompt, mandate_for(RequestId{1}, ipc::Form::cms, certificate, {sha256(as_view("document"))})));

    ASSERT_TRUE(watcher.send(ipc::CardService{false}));
    driver.list(ipc::Depth::tokens);

    EXPECT_TRUE(driver.sign(RequestId{1}, {cms_item(certificate, "document")}));
}

} // namespace
} // namespace tamga::test

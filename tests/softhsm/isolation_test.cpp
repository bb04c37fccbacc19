// Whatever a module does, it costs its own process at most, and whoever waits hears of it.
#include "tests/softhsm/fake_tokens.hpp"

#include <sys/wait.h>

namespace tamga::test {
namespace {

using ipc::RequestId;
using std::chrono::steady_clock;

class Isolation : public FakeTokens {
protected:
    /// The module ends the process in C_Sign: the web process sees it at once. @return what waitpid(2) says.
    int crash(std::string const& how) {
        auto const prompt = open(RequestId{1}, left);
        token.knobs("crash C_Sign " + how + "\n");
        auto const before = steady_clock::now();

        send_items(RequestId{1});

        EXPECT_EQ(driver.web.receive(patience).error().code, Errc::channel_closed);
        EXPECT_LT(steady_clock::now() - before, std::chrono::seconds{2});
        return driver.wait();
    }
    std::size_t count_in_proc(char const* folder_name) const {
        auto const place = std::filesystem::path{"/proc"} / std::to_string(driver.pid()) / folder_name;
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{place}, {}));
    }
};

class ContextLogin : public FakeTokens {
protected:
    explicit ContextLogin(std::string const& reader = "") : FakeTokens{{.token = reader, .key = "always"}} {}
};
class ContextLoginOnReader : public ContextLogin {
protected:
    ContextLoginOnReader() : ContextLogin{"pinpad"} {}
};

/// A module with readers, which the test says are empty or not: the module itself notices nothing.
class InReaders : public FakeTokens {
protected:
    explicit InReaders(std::string const& key = "") : FakeTokens{{.key = key}} {
        token.knobs(in_readers);
        put_in(first_reader);
        put_in(second_reader);
        wait_until_heard(2);
    }
    void pull_out(std::string const& reader) { say(reader, false); }
    void put_in(std::string const& reader) { say(reader, true); }

    /// Of the changes: tamga-web is told of each.
    void wait_until_heard(unsigned changes) {
        for (unsigned i = 0; i < changes; ++i)
            EXPECT_NO_THROW(expect<ipc::TokensChanged>(driver.web));
    }

    static inline std::string const first_reader = "Reader 00 00";
    static inline std::string const second_reader = "Reader 01 00";
    static inline std::string const in_readers =
        "card_client\nreader 0 " + first_reader + "\nreader 1 " + second_reader + "\n";

private:
    void say(std::string const& reader, bool present) {
        ASSERT_TRUE(watcher.send(ipc::ReaderState{reader, present, {}}));
    }
    ipc::Channel watcher{driver.watcher()};
};
class InReadersWithContextLogin : public InReaders {
protected:
    InReadersWithContextLogin() : InReaders{"always"} {}
};

constexpr char const* every_function[] = {
    "C_GetSlotList", "C_GetTokenInfo",    "C_OpenSession",      "C_CloseSession",      "C_Login",    "C_Logout",
    "C_FindObjects", "C_FindObjectsInit", "C_FindObjectsFinal", "C_GetAttributeValue", "C_SignInit", "C_Sign"};

TEST_F(Isolation, S12_EndsTheProcessOfAModuleThatSegfaults) {
    EXPECT_EQ(WTERMSIG(crash("segv")), SIGSEGV);
}

TEST_F(Isolation, EndsTheProcessOfAModuleThatAborts) {
    EXPECT_EQ(WTERMSIG(crash("abort")), SIGABRT);
}

TEST_F(Isolation, EndsTheProcessOfAModuleThatExits) {
    EXPECT_TRUE(WIFEXITED(crash("exit")));
}

TEST_F(Isolation, LetsAModulePrint) {
    token.knobs("print C_GetTokenInfo\nprint C_Sign\n");
    auto const prompt = open(RequestId{1}, left);

    EXPECT_TRUE(driver.sign(RequestId{1}, items(RequestId{1}, 0, 1)));
    EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 2U);
}

TEST_F(Isolation, SurvivesRubbishFromEveryFunction) {
    std::uint64_t request = 0;
    for (char const* function : every_function) {
        SCOPED_TRACE(function);
        token.knobs(std::string{"rubbish "} + function + "\n");
        driver.list(ipc::Depth::certificates);
        auto prompt = driver.prompt(RequestId{++request});
        if (unlock(prompt, left, user_pin).reply.status.ok && give(prompt, mandate(RequestId{request}))) {
            static_cast<void>(driver.sign(RequestId{request}, items(RequestId{request}, 0, 1)));
        }
        token.knobs("");
        prompt.close();

        EXPECT_EQ(driver.list(ipc::Depth::certificates).certificates.size(), 2U);
    }
}

TEST_F(Isolation, TellsAWordForResultsOnlyTheVendorKnows) {
    std::uint64_t request = 0;
    for (char const* function : every_function) {
        SCOPED_TRACE(function);
        token.knobs(std::string{"fail "} + function + " 0x80000042\n");
        auto prompt = driver.prompt(RequestId{++request});
        auto const reply = unlock(prompt, left, user_pin).reply;
        if (!reply.status.ok) {
            EXPECT_EQ(reply.status.code, Errc::token_failure);
        }
        if (reply.status.ok && give(prompt, mandate(RequestId{request}))) {
            auto const made = driver.sign(RequestId{request}, items(RequestId{request}, 0, 1));
            if (!made) {
                EXPECT_EQ(made.error().code, Errc::token_failure);
            }
        }
        token.knobs("");
        prompt.close();

        // A logout that failed leaves the token logged in; the next login notices and makes up for it.
        auto again = driver.prompt(RequestId{++request});
        if (!unlock(again, left, user_pin).reply.status.ok) {
            EXPECT_TRUE(unlock(again, left, user_pin).reply.status.ok);
        }
    }
}

TEST_F(Isolation, KeepsNoThreadForSlotsWithoutAToken) {
    auto const before = count_in_proc("task");
    for (unsigned slots : {20U, 32U}) {
        token.knobs("slots " + std::to_string(slots) + "\n");

        EXPECT_EQ(driver.list(ipc::Depth::certificates).tokens.size(), 2U);
        EXPECT_LE(count_in_proc("task"), before + 3); // the front lane and those of two tokens
    }
}

TEST_F(Isolation, S29FailsARequestWhoseTokenIsPulledOutAndSignsWhenItIsBack) {
    constexpr unsigned cycles = 20;
    std::size_t descriptors = 0;
    for (unsigned i = 1; i <= cycles; ++i) {
        RequestId const request{i};
        auto const prompt = open(request, left);
        token.knobs("vanish C_Sign 0\n");
        auto const before = steady_clock::now();

        EXPECT_EQ(driver.sign(request, items(request, 0, 1)).error().code, Errc::token_absent);
        EXPECT_LT(steady_clock::now() - before, std::chrono::seconds{2});
        EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 1U);
        token.knobs("");
        EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 2U);
        if (i == 1) descriptors = count_in_proc("fd");
    }
    EXPECT_LE(count_in_proc("fd"), descriptors);
    EXPECT_EQ(token.calls("C_Login"), cycles);
}

TEST_F(Isolation, EndsTheProcessOfAModuleThatTakesMoreMemoryThanAnyNeeds) {
    token.knobs("leak C_GetTokenInfo 1100\n");

    EXPECT_THROW(driver.list(ipc::Depth::tokens), std::runtime_error) << "no answer: the process is gone";
    EXPECT_NE(driver.wait(), 0);
}

TEST_F(Isolation, LetsAModuleTakeWhatALargeOneNeeds) {
    token.knobs("leak C_GetTokenInfo 100\n");

    EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 2U);
}

// ---- a card that is pulled out ----

TEST_F(InReaders, ATokenThatFailsBecauseItWasPulledOutIsAbsentAlsoWhereTheReaderSaysSoLater) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs(in_readers + "fail C_Sign 0x30\n"); // CKR_DEVICE_ERROR
    send_items(RequestId{1});
    ASSERT_EQ(token.calls_soon("C_Sign", 1), 1U);

    pull_out(first_reader);

    EXPECT_EQ(driver.lease_ended().status.code, Errc::token_absent);
}

TEST_F(InReaders, ATokenThatFailsInItsPlaceHasFailed) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs(in_readers + "fail C_Sign 0x30\n");
    send_items(RequestId{1});
    ASSERT_EQ(token.calls_soon("C_Sign", 1), 1U);

    pull_out(second_reader);

    EXPECT_EQ(driver.lease_ended().status.code, Errc::token_failure);
}

TEST_F(InReaders, S9_NoPinGoesToACardThatWasPutInSinceTheOneThatWasShown) {
    auto prompt = driver.prompt(RequestId{1});
    ASSERT_EQ(list(prompt, ipc::Depth::certificates).tokens.size(), 2U);
    pull_out(first_reader);
    put_in(first_reader);
    wait_until_heard(2);

    EXPECT_EQ(unlock(prompt, left, user_pin).reply.status.code, Errc::token_absent);
    EXPECT_EQ(token.calls("C_Login"), 0U);

    EXPECT_TRUE(unlock(prompt, right, user_pin).reply.status.ok) << "the other was never away";
    ASSERT_EQ(list(prompt, ipc::Depth::certificates).tokens.size(), 2U);
    EXPECT_TRUE(unlock(prompt, left, user_pin).reply.status.ok) << "shown anew";
}

TEST_F(InReadersWithContextLogin, S9_ThePinOfAKeyGoesToNoCardThatWasPutInSinceTheLogin) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs(in_readers + "delay C_SignInit 1000\n");
    send_items(RequestId{1});
    ASSERT_EQ(token.calls_soon("C_SignInit", 1), 1U);

    pull_out(first_reader);
    put_in(first_reader);

    EXPECT_EQ(driver.lease_ended().status.code, Errc::token_absent);
    EXPECT_EQ(driver.end(), 0); // what it was at is done
    EXPECT_EQ(token.calls("C_Login"), 1U) << "that of the person";
}

TEST_F(ContextLogin, IsMadeForEachSignatureOfAKeyThatWantsOne) {
    auto const prompt = open(RequestId{1}, left, 3);

    EXPECT_EQ(driver.sign(RequestId{1}, items(RequestId{1}, 0, 3))->size(), 3U);
    EXPECT_EQ(token.calls("C_Login"), 1U + 3U);
}

TEST_F(ContextLogin, IsNotTriedAgainWhereItFails) {
    auto const prompt = open(RequestId{1}, left, 3);
    token.knobs("fail C_Login 0xa0\n");

    EXPECT_EQ(driver.sign(RequestId{1}, items(RequestId{1}, 0, 3)).error().code, Errc::pin_incorrect);
    EXPECT_EQ(token.calls("C_Login"), 1U + 1U);
}

TEST_F(ContextLogin, S9_IsCountedAsAWrongPinWhereItIsOne) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs("fail C_Login 0xa0\n");
    EXPECT_EQ(driver.sign(RequestId{1}, items(RequestId{1}, 0, 1)).error().code, Errc::pin_incorrect);

    auto const tokens = driver.list(ipc::Depth::tokens).tokens;

    ASSERT_EQ(tokens.size(), 2U);
    for (auto const& found : tokens)
        EXPECT_EQ(found.info.wrong_tries_seen, found.slot == left ? 1U : 0U);
}

TEST_F(ContextLoginOnReader, AsksForTheReadersKeypad) {
    auto prompt = driver.prompt(RequestId{1});
    send_unlock_on_reader(prompt, left);
    ASSERT_TRUE(unlocked(prompt).reply.status.ok);
    ASSERT_TRUE(give(prompt, mandate(RequestId{1}, 2)));

    EXPECT_EQ(driver.sign(RequestId{1}, items(RequestId{1}, 0, 2))->size(), 2U);
    EXPECT_EQ(token.calls("C_Login"), 1U + 2U);
}

} // namespace
} // namespace tamga::test

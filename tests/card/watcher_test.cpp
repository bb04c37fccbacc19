// tamga-token --watch with a real pcscd, and the test in the place of tamgad and of a token process.
#include "pkcs11/readers.hpp"
#include "tests/card/virtual_readers.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace tamga::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Bytes const kaztoken{0x3b, 0x88, 0x01, 0x4b, 0x41, 0x5a, 0x54, 0x4f, 0x4b, 0x45, 0x4e, 0x82};
Bytes const rutoken{0x3b, 0x8b, 0x01, 0x52, 0x75, 0x74, 0x6f, 0x6b, 0x65, 0x6e, 0x20, 0x44, 0x53, 0x20, 0xc1};

/// A token process as the watcher sees it.
class Listener {
public:
    Listener(TokenDriver& watcher, std::uint8_t module) {
        auto pair = ipc::make_pair();
        if (!pair || !watcher.control.send(ipc::TokenChannel{ipc::ModuleIndex{module}}, {pair->second.fd()})) {
            throw std::runtime_error{"the watcher takes no channel"};
        }
        m_channel = std::move(pair->first);
        static_cast<void>(ipc::say_hello(m_channel, ipc::Role::token));
        if (!ipc::await_hello(m_channel, ipc::Role::watcher, patience)) throw std::runtime_error{"no hello"};
    }

    bool service() { return expect<ipc::CardService>(m_channel).available; }
    ipc::ReaderState state() { return expect<ipc::ReaderState>(m_channel); }
    /// The states of both readers, however they are ordered.
    std::map<std::string, Bytes> both() {
        pkcs11::Readers readers;
        readers.update(state());
        readers.update(state());
        return readers.cards();
    }
    bool is_silent_for(std::chrono::milliseconds time) {
        auto const packet = m_channel.receive(time);
        return !packet && packet.error().code == Errc::timeout;
    }

private:
    ipc::Channel m_channel;
};

std::map<std::string, Bytes> const both_cards{{VirtualReaders::first, kaztoken}, {VirtualReaders::second, rutoken}};

TEST(Watcher, TellsAtFirstEveryCardThatIsIn) {
    Scratch const folder;
    VirtualReaders const readers{folder};
    TokenDriver watcher{folder.path(), "--watch"};
    Listener listener{watcher, 0};

    EXPECT_TRUE(listener.service());
    EXPECT_EQ(listener.both(), both_cards);
}

TEST(Watcher, TellsWithinASecondThatACardWentAndCame) {
    Scratch const folder;
    VirtualReaders readers{folder};
    TokenDriver watcher{folder.path(), "--watch"};
    Listener listener{watcher, 0};
    ASSERT_TRUE(listener.service());
    listener.both();

    auto const began = Clock::now();
    readers.say("remove 1");
    auto const gone = listener.state();
    auto const after_removal = Clock::now() - began;
    readers.say("insert 1");
    auto const back = listener.state();

    EXPECT_EQ(gone.name, VirtualReaders::second);
    EXPECT_FALSE(gone.present);
    EXPECT_LT(after_removal, 1400ms); // 0.4 s of them are pcscd's own
    EXPECT_EQ(back.name, VirtualReaders::second);
    EXPECT_EQ(back.atr, rutoken);
}

TEST(Watcher, TellsATokenProcessThatComesLaterHowThingsStand) {
    Scratch const folder;
    VirtualReaders readers{folder};
    TokenDriver watcher{folder.path(), "--watch"};
    Listener first{watcher, 0};
    ASSERT_TRUE(first.service());
    first.both();
    readers.say("remove 0");
    ASSERT_FALSE(first.state().present);

    Listener second{watcher, 1};

    EXPECT_TRUE(second.service());
    EXPECT_EQ(second.state().name, VirtualReaders::second);
    EXPECT_TRUE(second.is_silent_for(200ms));
}

TEST(Watcher, TellsThatTheServiceStoppedAndCameBackWithItsReaders) {
    Scratch const folder;
    VirtualReaders readers{folder};
    TokenDriver watcher{folder.path(), "--watch"};
    Listener listener{watcher, 0};
    ASSERT_TRUE(listener.service());
    listener.both();

    for (auto const* end : {"pcscd stop", "pcscd kill"}) {
        readers.say(end);
        EXPECT_FALSE(listener.service()) << end;
        readers.say("pcscd start");
        EXPECT_TRUE(listener.service()) << end;
        EXPECT_EQ(listener.both(), both_cards) << end;
    }
}

TEST(Watcher, WaitsForAServiceWhoseFolderIsNotThereYet) {
    Scratch const folder;
    ::setenv("PCSCLITE_CSOCK_NAME", (folder / "pcscd/pcscd.comm").c_str(), 1);
    TokenDriver watcher{folder.path(), "--watch"};
    Listener listener{watcher, 0};
    ASSERT_FALSE(listener.service());

    VirtualReaders const readers{folder};

    EXPECT_TRUE(listener.service());
    EXPECT_EQ(listener.both(), both_cards);
}

/// How often the threads of a process went to sleep.
unsigned long sleeps_of(::pid_t pid) {
    unsigned long sum = 0;
    for (auto const& thread : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/task"}) {
        std::ifstream status{thread.path() / "status"};
        std::string const key = "voluntary_ctxt_switches:";
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with(key)) sum += std::stoul(line.substr(key.size()));
        }
    }
    return sum;
}

TEST(Watcher, SleepsWhileNothingHappens) {
    Scratch const folder;
    VirtualReaders const readers{folder};
    TokenDriver watcher{folder.path(), "--watch"};
    Listener listener{watcher, 0};
    ASSERT_TRUE(listener.service());
    listener.both();
    EXPECT_TRUE(listener.is_silent_for(2500ms)); // the second look of a second is over

    auto const before = sleeps_of(watcher.pid());
    EXPECT_TRUE(listener.is_silent_for(2000ms));

    EXPECT_EQ(sleeps_of(watcher.pid()), before);
}

} // namespace
} // namespace tamga::test

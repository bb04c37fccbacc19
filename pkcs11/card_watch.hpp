// The part of the watcher that waits for the card service: its thread, which tells the loop what it sees.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"
#include "pkcs11/pcsc.hpp"

#include <chrono>
#include <map>

namespace tamga::pkcs11 {

/// SCardGetStatusChange blocks and looks at no descriptor of ours: so a thread of its own. It owns everything it uses
/// and says CardService and ReaderState on a pair, as they go to the token processes.
class CardWatch {
public:
    explicit CardWatch(ipc::Channel out) : m_out{std::move(out)} {}

    /// For ever, or until the other end of the channel is closed. Sleeps without a timer while no card and no reader
    /// comes or goes and the service stays as it is.
    void run();

private:
    struct Known {
        DWORD state = SCARD_STATE_UNAWARE;
        bool present = false;
    };

    void wait_for_service();
    void watch(CardContext const& context);
    Result<void> watch_readers(CardContext const& context);
    Result<bool> list(CardContext const& context);
    Result<CardContext::Woken> look(CardContext const& context, DWORD timeout_ms);
    void note(std::string const& name, Known& known, ::SCARD_READERSTATE const& seen);
    void say_available(bool available);
    template <class M>
    void say(M const& message);

    ipc::Channel m_out;
    bool m_heard = true; ///< somebody is at the other end
    std::unique_ptr<CardContext> m_context;
    std::map<std::string, Known> m_readers;
};

} // namespace tamga::pkcs11

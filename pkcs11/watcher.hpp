// tamga-token --watch: the only one of our processes that speaks with the card service (PC/SC), and the only source of
// hot-plug. It loads no module.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"
#include "pkcs11/readers.hpp"

#include <map>

namespace tamga::pkcs11 {

/// The loop: passes on to every token process what the thread (card_watch.hpp) says, and tells one that comes later
/// how things stand.
class Watcher {
public:
    explicit Watcher(ipc::Channel control) : m_control{std::move(control)} {}

    /// Until the control channel closes. Blocking. The thread may still wait for the card service then: the caller ends
    /// the process. Errors: build_mismatch, message_malformed, system.
    Result<void> run();

private:
    struct Token {
        ipc::Channel channel;
        bool greeted = false;
    };

    Result<void> start_thread();
    Result<void> turn();
    Result<void> serve_control();
    Result<void> serve_thread();
    void serve_token(ipc::ModuleIndex module);
    void welcome(Token& token) const;
    template <class M>
    void tell_all(M const& message);

    ipc::Channel m_control;
    bool m_greeted = false;
    ipc::Channel m_thread;
    std::map<ipc::ModuleIndex, Token> m_tokens;
    std::optional<ipc::CardService> m_service; ///< not known before the thread's first word
    Readers m_readers;
};

} // namespace tamga::pkcs11

#include "pkcs11/watcher.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"
#include "pkcs11/card_watch.hpp"

#include <poll.h>

#include <cerrno>
#include <thread>

namespace tamga::pkcs11 {

namespace {

/// Never waits: a token process whose buffer is full does not read, and is left to its deadlines.
template <class M>
void tell(ipc::Channel& channel, M const& message) {
    auto const sent = channel.try_send(message);
    if (sent || sent.error().code == Errc::channel_closed) return;
    log::warning("channel", {{"error", wire_name(sent.error().code)}, {"detail", sent.error().detail}});
    channel.hang_up();
}

} // namespace

Result<void> Watcher::run() {
    if (auto said = ipc::say_hello(m_control, ipc::Role::watcher); !said) return said;
    auto served = start_thread();
    while (served)
        served = turn();
    return served.error().code == Errc::channel_closed ? ok() : served;
}

/// Detached: it waits inside libpcsclite, from where nothing calls it back but the end of the process.
Result<void> Watcher::start_thread() {
    auto pair = ipc::make_pair();
    if (!pair) return pair.error();
    m_thread = std::move(pair->first);
    std::thread{[watch = CardWatch{std::move(pair->second)}]() mutable { watch.run(); }}.detach();
    return ok();
}

/// Sleep until somebody speaks, then hear everybody who does.
Result<void> Watcher::turn() {
    std::vector<::pollfd> ends{{m_control.fd(), POLLIN, 0}, {m_thread.fd(), POLLIN, 0}};
    std::vector<ipc::ModuleIndex> modules;
    for (auto const& [module, token] : m_tokens) {
        modules.push_back(module);
        ends.push_back({token.channel.fd(), POLLIN, 0});
    }
    if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return system_error("poll", errno);

    for (std::size_t i = 0; i < modules.size(); ++i) {
        if (ends[i + 2].revents != 0) serve_token(modules[i]);
    }
    if (ends[1].revents != 0) {
        if (auto served = serve_thread(); !served) return served;
    }
    return ends[0].revents != 0 ? serve_control() : ok();
}

Result<void> Watcher::serve_control() {
    auto packet = m_control.try_receive();
    if (!packet) return packet.error();
    if (!*packet) return ok();
    if (!m_greeted) {
        m_greeted = true;
        return ipc::check_hello(**packet, ipc::Role::launcher);
    }
    auto const token = (*packet)->as<ipc::TokenChannel>();
    if (!token) return token.error();
    if ((*packet)->descriptors.size() != 1) return Error{Errc::message_malformed, "a channel without its descriptor"};
    auto& place = m_tokens[token->module];
    place = Token{ipc::Channel{std::move((*packet)->descriptors.front())}};
    welcome(place);
    return ok();
}

/// How things stand, as far as it is known.
void Watcher::welcome(Token& token) const {
    tell(token.channel, ipc::Hello::from(ipc::Role::watcher));
    if (!m_service) return;
    tell(token.channel, *m_service);
    for (auto const& [name, atr] : m_readers.cards())
        tell(token.channel, ipc::ReaderState{name, true, atr});
}

Result<void> Watcher::serve_thread() {
    auto packet = m_thread.try_receive();
    if (!packet) return packet.error();
    if (!*packet) return ok();
    if (auto const service = (*packet)->as<ipc::CardService>()) {
        m_service = *service;
        m_readers.clear();
        tell_all(*service);
        return ok();
    }
    auto const state = (*packet)->as<ipc::ReaderState>();
    if (!state) return state.error();
    log::debug("reader", {{"name", state->name}, {"card", state->present ? to_hex(state->atr) : "none"}});
    m_readers.update(*state);
    tell_all(*state);
    return ok();
}

/// A token process says Hello and nothing else. One that is gone, or of another build, is the launcher's to see.
void Watcher::serve_token(ipc::ModuleIndex module) {
    auto const place = m_tokens.find(module);
    auto& token = place->second;
    auto packet = token.channel.try_receive();
    if (packet && !*packet) return;
    bool const is_hello = packet && !token.greeted && ipc::check_hello(**packet, ipc::Role::token);
    token.greeted = true;
    if (!is_hello) m_tokens.erase(place);
}

template <class M>
void Watcher::tell_all(M const& message) {
    for (auto& [module, token] : m_tokens)
        tell(token.channel, message);
}

} // namespace tamga::pkcs11

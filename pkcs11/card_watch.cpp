#include "pkcs11/card_watch.hpp"

#include "base/log.hpp"
#include "pkcs11/card_socket.hpp"

#include <algorithm>
#include <thread>

namespace tamga::pkcs11 {

namespace {

using namespace std::chrono_literals;

/// A service that appears may need a moment until it takes connections; after these it is waited for without a timer.
constexpr std::chrono::milliseconds attempts[] = {20ms, 100ms, 500ms, 2s};
/// One that breaks off sooner than this is approached again ever more slowly.
constexpr auto long_enough_alive = 2s;
constexpr std::chrono::milliseconds first_delay = 100ms;
constexpr std::chrono::milliseconds longest_delay = 30s;
/// The list of readers is compared with the one that the service has when the call begins. What came just before that
/// is found by looking once more.
constexpr DWORD second_look_ms = 1000;

constexpr DWORD counter_of(DWORD state) {
    return state >> 16;
}

} // namespace

void CardWatch::run() {
    auto delay = 0ms;
    while (m_heard) {
        wait_for_service();
        auto const began = std::chrono::steady_clock::now();
        watch(*m_context);
        m_context.reset();
        m_readers.clear();
        bool const soon = std::chrono::steady_clock::now() - began < long_enough_alive;
        delay = !soon ? 0ms : delay == 0ms ? first_delay : std::min(delay * 2, longest_delay);
        std::this_thread::sleep_for(delay);
    }
}

/// Until there is a context.
void CardWatch::wait_for_service() {
    AppearingSocket socket{card_socket_path()};
    bool told = false;
    for (std::size_t attempt = 0; !m_context;) {
        auto context = CardContext::establish();
        if (context) {
            m_context = std::move(*context);
            return;
        }
        if (!std::exchange(told, true)) {
            log::info("card_service", {{"available", "no"}, {"detail", context.error().detail}});
            say_available(false);
        }
        bool const last = attempt >= std::size(attempts);
        bool const happened = socket.wait(last ? -1ms : attempts[attempt]);
        attempt = happened ? 0 : attempt + 1;
    }
}

/// Until the service is lost. That is said however it shows: a service that is back at once, as one is that systemd
/// starts for whoever connects, is another one all the same.
void CardWatch::watch(CardContext const& context) {
    log::info("card_service", {{"available", "yes"}});
    say_available(true);
    auto const watched = watch_readers(context);
    if (watched) return;
    log::warning("card_service", {{"available", "no"}, {"detail", watched.error().detail}});
    say_available(false);
}

Result<void> CardWatch::watch_readers(CardContext const& context) {
    DWORD timeout_ms = second_look_ms;
    while (m_heard) {
        auto const changed = list(context);
        if (!changed) return changed.error();
        if (*changed) timeout_ms = second_look_ms;
        auto const woken = look(context, timeout_ms);
        if (!woken) return woken.error();
        if (*woken == CardContext::Woken::by_time) timeout_ms = INFINITE;
    }
    return ok();
}

/// Whether readers came or went.
Result<bool> CardWatch::list(CardContext const& context) {
    auto const names = context.readers();
    if (!names) return names.error();
    auto const is_gone = [&](auto const& known) {
        return std::find(names->begin(), names->end(), known.first) == names->end();
    };
    for (auto const& [name, known] : m_readers) {
        if (known.present && is_gone(std::pair{name, known})) say(ipc::ReaderState{name, false, {}});
    }
    auto const gone = std::erase_if(m_readers, is_gone);
    auto const before = m_readers.size();
    for (auto const& name : *names)
        m_readers.try_emplace(name);
    return gone != 0 || m_readers.size() != before;
}

Result<CardContext::Woken> CardWatch::look(CardContext const& context, DWORD timeout_ms) {
    std::vector<::SCARD_READERSTATE> states;
    for (auto const& [name, known] : m_readers) {
        auto& state = states.emplace_back();
        state.szReader = name.c_str();
        state.dwCurrentState = known.state;
    }
    auto& readers = states.emplace_back();
    readers.szReader = R"(\\?PnP?\Notification)";
    auto const woken = context.await_change(states, timeout_ms);
    if (!woken) return woken;
    for (auto const& state : states) {
        auto const known = m_readers.find(state.szReader);
        if (known != m_readers.end() && (state.dwEventState & SCARD_STATE_CHANGED) != 0) {
            note(known->first, known->second, state);
        }
    }
    return woken;
}

/// The upper half of the state counts cards that came and went: one that was changed for another between two looks is
/// seen by that.
void CardWatch::note(std::string const& name, Known& known, ::SCARD_READERSTATE const& seen) {
    bool const present = (seen.dwEventState & SCARD_STATE_PRESENT) != 0;
    bool const another = counter_of(seen.dwEventState) != counter_of(known.state);
    if (known.present && (!present || another)) say(ipc::ReaderState{name, false, {}});
    if (present && (!known.present || another)) {
        auto const size = std::min<std::size_t>(seen.cbAtr, sizeof seen.rgbAtr);
        say(ipc::ReaderState{name, true, to_bytes({seen.rgbAtr, size})});
    }
    known = {seen.dwEventState & ~DWORD{SCARD_STATE_CHANGED}, present};
}

void CardWatch::say_available(bool available) {
    say(ipc::CardService{available});
}

template <class M>
void CardWatch::say(M const& message) {
    if (!m_out.send(message)) m_heard = false;
}

} // namespace tamga::pkcs11

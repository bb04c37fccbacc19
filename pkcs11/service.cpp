#include "pkcs11/service.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace tamga::pkcs11 {

using std::chrono::steady_clock;

Service::Service(ModuleConfig config, Limits limits, ipc::Channel control)
    : m_slots{std::move(config), limits, m_inbox, m_readers},
      m_leases{m_slots, news()},
      m_control{std::move(control), ipc::Role::launcher},
      m_web{{}, ipc::Role::web},
      m_watcher{{}, ipc::Role::watcher} {}

Result<void> Service::run() {
    if (m_inbox.fd() < 0) return system_error("eventfd", errno);
    if (auto said = ipc::say_hello(m_control.channel, ipc::Role::token); !said) return said.error();
    auto served = ok();
    while (served)
        served = turn();
    end_all_requests(Error{Errc::channel_closed, "the daemon ends"});
    finish_leases();
    return served.error().code == Errc::channel_closed ? ok() : served;
}

/// Sleep until something is to be done, then do it.
Result<void> Service::turn() {
    std::vector<::pollfd> ends{{m_control.channel.fd(), POLLIN, 0},
                               {m_web.channel.fd(), POLLIN, 0},
                               {m_watcher.channel.fd(), POLLIN, 0},
                               {m_inbox.fd(), POLLIN, 0}};
    // Without a login that is remembered nobody needs to know: a descriptor of -1 is passed over.
    ends.push_back({m_screen ? m_screen->fd() : -1, POLLIN, 0});
    auto const others = ends.size();
    std::vector<ipc::RequestId> requests;
    for (auto const& [request, prompt] : m_prompts) {
        requests.push_back(request);
        ends.push_back({prompt.channel.fd(), POLLIN, 0});
    }
    if (auto slept = sleep(ends); !slept) return slept;

    // Prompts before everything else: a person's cancel (end of file) is heard before the next items are signed.
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto const happened = ends[i + others].revents;
        // What a prompt said before it went is not done: nobody is there who wants to be logged in.
        if ((happened & POLLHUP) != 0)
            drop_prompt(requests[i]);
        else if (happened != 0) {
            if (auto served = serve_prompt(requests[i]); !served) return served.error();
        }
    }
    if (ends[others - 1].revents != 0) hear_of_the_screen();
    // What was pulled out is known before anybody asks for it, and before what a lane brings: it says why that failed.
    if (ends[2].revents != 0) {
        if (auto served = serve_watcher(); !served) return served.error();
    }
    if (ends[3].revents != 0) m_inbox.run();
    if (ends[1].revents != 0) {
        if (auto served = serve_web(); !served) return served.error();
    }
    if (ends[0].revents != 0) {
        if (auto served = serve_control(); !served) return served.error();
    }
    look_at_the_clock();
    return ok();
}

Result<void> Service::sleep(std::vector<::pollfd>& ends) const {
    int timeout_ms = -1;
    for (auto const& when : {m_slots.next_look(), m_leases.next_end()}) {
        if (!when) continue;
        auto const left_ms = milliseconds_until(*when);
        timeout_ms = timeout_ms < 0 ? left_ms : std::min(timeout_ms, left_ms);
    }
    if (::poll(ends.data(), ends.size(), timeout_ms) < 0 && errno != EINTR) return system_error("poll", errno);
    return ok();
}

Result<void> Service::serve_control() {
    auto packet = m_control.next();
    if (!packet) return packet.error();
    if (!*packet) return ok();
    if (auto const web = (*packet)->as<ipc::WebChannel>()) {
        auto peer = greet(**packet, ipc::Role::web);
        if (!peer) return peer.error();
        end_all_requests(Error{Errc::channel_closed, "tamga-web was replaced"});
        m_web = std::move(*peer);
        return ok();
    }
    if ((*packet)->is<ipc::WatcherChannel>()) {
        auto peer = greet(**packet, ipc::Role::watcher);
        if (!peer) return peer.error();
        m_watcher = std::move(*peer);
        return ok();
    }
    auto const prompt = (*packet)->as<ipc::PromptChannel>();
    if (!prompt) return prompt.error();
    auto peer = greet(**packet, ipc::Role::prompt);
    if (!peer) return peer.error();
    m_prompts.try_emplace(prompt->request, std::move(*peer));
    return ok();
}

Result<void> Service::serve_web() {
    auto packet = m_web.next();
    if (!packet && packet.error().code == Errc::build_mismatch) return packet.error();
    if (!packet) {
        end_all_requests(packet.error());
        m_web.channel.close();
        return ok();
    }
    if (!*packet) return ok();
    // Whose tokens they are is between the token and the window, until a site was allowed to know.
    auto const wanted = (*packet)->as<ipc::ListKeys>();
    if (wanted && wanted->depth == ipc::Depth::tokens) {
        list(
            *wanted, [this](auto const& message) { tell(m_web.channel, message); }, [](SeenToken const&) {});
    } else if (auto items = (*packet)->as<ipc::SignItems>()) {
        m_leases.sign(items->request, items->first, {std::move(items->items), {}});
    } else if (auto const large = (*packet)->as<ipc::SignLarge>()) {
        sign_large(**packet, *large);
    } else if (auto const finished = (*packet)->as<ipc::FinishLease>()) {
        m_leases.finish(finished->request);
    } else if (auto operation = (*packet)->as<ipc::PerformKeyOperation>()) {
        m_leases.perform(std::move(*operation));
    } else if (auto remembered = (*packet)->as<ipc::SignRemembered>()) {
        hear_of_the_screen(); // whoever locked it a moment ago
        if (!m_screen) m_leases.forget_remembered(Error{Errc::timeout, "nobody says whether the person is there"});
        m_leases.sign_remembered(std::move(*remembered));
    } else {
        log::error("channel", {{"from", "tamga-web"}, {"error", finished.error().detail}});
        end_all_requests(finished.error());
        m_web.channel.close();
    }
    return ok();
}

/// A watcher that is gone takes nothing along: the next one tells everything anew.
Result<void> Service::serve_watcher() {
    auto packet = m_watcher.next();
    if (!packet && packet.error().code == Errc::build_mismatch) return packet.error();
    if (packet && !*packet) return ok();
    if (packet) {
        if (auto const service = (*packet)->as<ipc::CardService>()) {
            card_service_is(*service);
            return ok();
        }
        if (auto const state = (*packet)->as<ipc::ReaderState>()) {
            reader_is(*state);
            return ok();
        }
        log::error("channel", {{"from", "the watcher"}, {"type", unsigned{(*packet)->type()}}});
    }
    m_watcher.channel.close();
    return ok();
}

/// Modules do not notice that the service ended, or that it is another one now.
void Service::card_service_is(ipc::CardService const& service) {
    m_readers.clear();
    if (!service.available && m_slots.forget_over_card_service()) {
        m_leases.end_every(Error{Errc::card_service_lost});
    }
    tell_of_change();
}

/// A prompt once for each of its listings, so that one which is busy with a token does not find a heap of these.
void Service::tell_of_change() {
    tell(m_web.channel, ipc::TokensChanged{});
    for (auto& [request, prompt] : m_prompts) {
        if (std::exchange(prompt.follows, false)) tell(prompt.channel, ipc::TokensChanged{});
    }
}

/// Who is logged in to a card that was pulled out is so no longer, and hears of it now.
void Service::reader_is(ipc::ReaderState const& state) {
    m_readers.update(state);
    if (!state.present) {
        m_leases.pulled_out(state.name);
        m_slots.pulled_out(state.name);
    }
    tell_of_change();
}

Result<void> Service::serve_prompt(ipc::RequestId request) {
    auto packet = m_prompts.at(request).next();
    if (packet && !*packet) return ok();
    if (packet) {
        if (auto wanted = (*packet)->as<ipc::Unlock>()) {
            m_leases.unlock(request, std::move(*wanted), shown_by(request, wanted->slot));
            return ok();
        }
        if (auto const question = (*packet)->as<ipc::ListKeys>()) {
            m_prompts.at(request).follows = true;
            list(
                *question, [this, request](auto const& message) { tell_prompt(request, message); },
                [this, request](SeenToken const& token) { shown_to(request, token); });
            return ok();
        }
        if (auto mandate = (*packet)->as<ipc::Mandate>()) {
            m_leases.add_to_mandate(request, std::move(*mandate));
            return ok();
        }
        if (auto key_mandate = (*packet)->as<ipc::KeyMandate>()) {
            m_leases.give_key_mandate(request, std::move(*key_mandate));
            return ok();
        }
        if (auto change = (*packet)->as<ipc::ChangePin>()) {
            auto shown = shown_by(request, change->slot);
            m_leases.change_pin(request, std::move(*change), std::move(shown));
            return ok();
        }
        if (auto unblock = (*packet)->as<ipc::UnblockPin>()) {
            auto shown = shown_by(request, unblock->slot);
            m_leases.unblock_pin(request, std::move(*unblock), std::move(shown));
            return ok();
        }
        if (auto remember = (*packet)->as<ipc::Remember>()) {
            this->remember(request, std::move(*remember));
            return ok();
        }
    } else if (packet.error().code == Errc::build_mismatch) {
        return packet.error();
    }
    drop_prompt(request); // it said what no prompt says
    return ok();
}

void Service::drop_prompt(ipc::RequestId request) {
    m_prompts.erase(request);
    m_leases.end(request, Error{Errc::user_cancelled, "the prompt is gone"});
}

// ---- what is plugged in ----

/// `tell_asker` reaches whoever asked, where they are still there; `note` hears of each token before.
template <class Tell, class Note>
void Service::list(ipc::ListKeys const& wanted, Tell tell_asker, Note note) {
    auto const query = wanted.query;
    auto found = [tell_asker, note, query](SeenToken const& token) {
        note(token);
        auto const count = static_cast<std::uint32_t>(token.certificates.size());
        tell_asker(ipc::TokenFound{query, token.slot, token.info, count});
        for (auto const& der : token.certificates)
            tell_asker(ipc::CertificateFound{query, token.slot, der});
    };
    auto done = [tell_asker, query](Result<void> const& result) {
        tell_asker(ipc::ListingDone{query, ipc::Status::from(result)});
    };
    m_slots.list(wanted.depth, {std::move(found), std::move(done)});
}

void Service::sign_large(ipc::Packet& packet, ipc::SignLarge const& large) {
    auto sealed = packet.descriptors.size() == 1 ? SealedItems::open(packet.descriptors.front(), 1)
                                                 : Error{Errc::message_malformed, "no memfd"};
    // What cannot be read is no item of the mandate; an empty list of items would be signed without a word.
    if (!sealed || sealed->items().size() != 1) {
        return m_leases.end(large.request, Error{Errc::message_malformed, "memfd"});
    }
    m_leases.sign(large.request, large.index, {{}, std::move(*sealed)});
}

// ---- what came of it ----

/// A prompt that is gone is not told.
template <class M>
void Service::tell_prompt(ipc::RequestId request, M const& message) {
    auto const prompt = m_prompts.find(request);
    if (prompt == m_prompts.end()) return;
    tell(prompt->second.channel, message);
}

void Service::shown_to(ipc::RequestId request, SeenToken const& token) {
    auto const prompt = m_prompts.find(request);
    if (prompt != m_prompts.end()) prompt->second.told.insert_or_assign(token.slot, ShownToken{token.info, token.card});
}

/// The token whose PIN the person was asked for.
std::optional<ShownToken> Service::shown_by(ipc::RequestId request, ipc::SlotId slot) const {
    auto const& told = m_prompts.at(request).told;
    auto const token = told.find(slot);
    return token == told.end() ? std::nullopt : std::optional{token->second};
}

LeaseNews Service::news() {
    return {[this](ipc::RequestId request, ipc::UnlockReply const& reply) { tell_prompt(request, reply); },
            [this](ipc::RequestId request, ipc::SlotId slot, std::vector<Bytes> const& certificates) {
                for (auto const& der : certificates)
                    tell_prompt(request, ipc::CertificateFound{0, slot, der});
                tell_prompt(request, ipc::ListingDone{0, ipc::Status::from(ok())});
            },
            [this](ipc::RequestId request, Result<void> const& taken) {
                tell_prompt(request, ipc::MandateReply{ipc::Status::from(taken)});
            },
            [this](ipc::Signatures const& signatures) { tell(m_web.channel, signatures); },
            [this](ipc::LeaseEnded const& ended) { tell(m_web.channel, ended); },
            [this](ipc::RequestId request, Result<void> const& taken) {
                tell_prompt(request, ipc::RememberReply{ipc::Status::from(taken)});
            },
            [this](ipc::RememberedSigned const& made) { tell(m_web.channel, made); },
            [this](ipc::KeyProgress const& progress) { tell(m_web.channel, progress); },
            [this](ipc::KeyCertificate const& certificate) { tell(m_web.channel, certificate); },
            [this](ipc::KeyOperationDone const& done) { tell(m_web.channel, done); },
            [this](ipc::RequestId request, ipc::PinChanged const& changed) { tell_prompt(request, changed); }};
}

// ---- logins that are remembered ----

/// Not where nobody would say that the person went away.
void Service::remember(ipc::RequestId request, ipc::Remember message) {
    if (!m_screen) {
        auto screen = ScreenWatch::open();
        if (!screen) return tell_prompt(request, ipc::RememberReply{ipc::Status::from(screen.error())});
        m_screen = std::move(*screen);
    }
    m_leases.remember(request, std::move(message));
}

/// Locked, asleep, or nobody there any more who would tell.
void Service::hear_of_the_screen() {
    if (!m_screen) return;
    auto const present = m_screen->hear();
    if (!present) {
        m_leases.forget_remembered(present.error());
        m_screen.reset();
    }
}

void Service::look_at_the_clock() {
    m_leases.end_late_ones();
    if (m_screen && m_leases.none()) m_screen.reset();
    m_slots.tidy();
    auto const* const lane = m_slots.overdue();
    if (lane == nullptr) return;
    // A thread inside somebody else's code cannot be ended; a process can. The launcher starts another.
    Error const why{Errc::token_timeout, "the module does not come back"};
    log::error("module", {{"error", "passed its deadline: this process ends"}});
    m_leases.give_up(*lane, why);
    m_slots.fail_listings(why);
    std::_Exit(EXIT_FAILURE);
}

void Service::end_all_requests(Error const& why) {
    m_slots.fail_listings(why);
    m_leases.end_all(why);
    m_prompts.clear();
}

/// Nobody is left to be heard; the module is still to log out.
void Service::finish_leases() {
    while (!m_leases.none()) {
        std::vector<::pollfd> ends{{m_inbox.fd(), POLLIN, 0}};
        if (auto slept = sleep(ends); !slept) return;
        if (ends[0].revents != 0) m_inbox.run();
        look_at_the_clock();
    }
}

} // namespace tamga::pkcs11

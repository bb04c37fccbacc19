#include "pkcs11/service.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"
#include "base/sealed_items.hpp"
#include "pkcs11/card_clients.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace tamga::pkcs11 {

using std::chrono::steady_clock;

namespace {

constexpr int reading_patience_ms = 3000;

/// A peer that is gone shows as end of file at the next poll. One that stops reading is taken for gone, so that it
/// cannot keep us from hearing the others: a cancel, the end of a lease.
template <class M>
void tell(ipc::Channel& channel, M const& message) {
    auto sent = channel.try_send(message);
    ::pollfd room{channel.fd(), POLLOUT, 0};
    while (!sent && sent.error().code == Errc::busy && ::poll(&room, 1, reading_patience_ms) > 0)
        sent = channel.try_send(message);
    if (sent || sent.error().code == Errc::channel_closed) return;
    log::warning("channel", {{"error", wire_name(sent.error().code)}, {"detail", sent.error().detail}});
    channel.hang_up();
}

/// How long poll may sleep: rounded up, so that it does not spin in the last millisecond.
int milliseconds_until(SteadyTime when) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(when - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

} // namespace

Service::Service(ModuleConfig config, ipc::Channel control)
    : m_config{std::move(config)},
      m_control{std::move(control), ipc::Role::launcher},
      m_web{{}, ipc::Role::web},
      m_watcher{{}, ipc::Role::watcher} {}

Result<void> Service::run() {
    if (auto said = ipc::say_hello(m_control.channel, ipc::Role::token); !said) return said.error();
    while (true) {
        auto const served = wait();
        if (!served && served.error().code == Errc::channel_closed) break;
        if (!served) return served.error();
    }
    end_all_requests(Error{Errc::channel_closed, "the daemon ends"});
    return ok();
}

/// One turn: sleep until something is to be done, then do it.
Result<void> Service::wait() {
    int timeout_ms = -1;
    std::vector<::pollfd> ends{
        {m_control.channel.fd(), POLLIN, 0}, {m_web.channel.fd(), POLLIN, 0}, {m_watcher.channel.fd(), POLLIN, 0}};
    auto const others = ends.size();
    std::vector<ipc::RequestId> requests;
    for (auto const& [request, prompt] : m_prompts) {
        requests.push_back(request);
        ends.push_back({prompt.peer.channel.fd(), POLLIN, 0});
        if (!prompt.lease) continue;
        auto const left_ms = milliseconds_until(prompt.lease->end().at);
        timeout_ms = timeout_ms < 0 ? left_ms : std::min(timeout_ms, left_ms);
    }
    if (::poll(ends.data(), ends.size(), timeout_ms) < 0 && errno != EINTR) return system_error("poll", errno);

    end_late_leases();
    // Prompts before tamga-web: a person's cancel (end of file) is heard before the next items are signed.
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto const happened = ends[i + others].revents;
        // What a prompt said before it went is not done: nobody is there who wants to be logged in.
        if ((happened & POLLHUP) != 0)
            drop_prompt(requests[i]);
        else if (happened != 0) {
            if (auto served = serve_prompt(requests[i]); !served) return served.error();
        }
    }
    // What was pulled out is known before anybody asks for it.
    if (ends[2].revents != 0) {
        if (auto served = serve_watcher(); !served) return served.error();
    }
    if (ends[1].revents != 0) {
        if (auto served = serve_web(); !served) return served.error();
    }
    if (ends[0].revents != 0) {
        if (auto served = serve_control(); !served) return served.error();
    }
    serve_waiting();
    return ok();
}

/// The next packet after Hello, if one is there. Errors as Channel and check_hello give them.
Result<std::optional<ipc::Packet>> Service::next(Peer& peer) {
    auto packet = peer.channel.try_receive();
    if (!packet || !*packet || peer.greeted) return packet;
    if (auto checked = ipc::check_hello(**packet, peer.role); !checked) return checked.error();
    peer.greeted = true;
    return std::optional<ipc::Packet>{};
}

/// The peer whose channel came with `packet`.
Result<Service::Peer> Service::greet(ipc::Packet& packet, ipc::Role role) {
    if (packet.descriptors.size() != 1) return Error{Errc::message_malformed, "a channel without its descriptor"};
    Peer peer{ipc::Channel{std::move(packet.descriptors.front())}, role};
    tell(peer.channel, ipc::Hello::from(ipc::Role::token));
    return peer;
}

Result<void> Service::serve_control() {
    auto packet = next(m_control);
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
    m_prompts.try_emplace(prompt->request, Prompt{std::move(*peer), {}, {}, {}});
    return ok();
}

Result<void> Service::serve_web() {
    auto packet = next(m_web);
    if (!packet && packet.error().code == Errc::build_mismatch) return packet.error();
    if (!packet) {
        end_all_requests(packet.error());
        m_web.channel.close();
        return ok();
    }
    if (!*packet) return ok();
    if (auto const wanted = (*packet)->as<ipc::ListKeys>()) {
        list(*wanted);
    } else if (auto const items = (*packet)->as<ipc::SignItems>()) {
        sign(items->request, items->first, {items->items.begin(), items->items.end()});
    } else if (auto const large = (*packet)->as<ipc::SignLarge>()) {
        sign_large(**packet, *large);
    } else if (auto const finished = (*packet)->as<ipc::FinishLease>()) {
        if (auto const place = m_prompts.find(finished->request); place != m_prompts.end()) {
            end_lease(place->first, place->second, ok());
        }
    } else {
        log::error("channel", {{"from", "tamga-web"}, {"error", finished.error().detail}});
        end_all_requests(finished.error());
        m_web.channel.close();
    }
    return ok();
}

/// A watcher that is gone takes nothing along: the next one tells everything anew.
Result<void> Service::serve_watcher() {
    auto packet = next(m_watcher);
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
    if (service.available || !m_module || !uses_card_service()) return;
    for (auto& [request, prompt] : m_prompts)
        end_lease(request, prompt, Errc::card_service_lost);
    m_module.reset();
}

/// Who is logged in to a card that was pulled out is so no longer, and hears of it now.
void Service::reader_is(ipc::ReaderState const& state) {
    m_readers.update(state);
    if (state.present || !m_module) return;
    for (auto& [request, prompt] : m_prompts) {
        if (prompt.lease && Readers::is_called(m_module->slot_description(prompt.lease->slot()), state.name)) {
            end_lease(request, prompt, Error{Errc::token_absent, "pulled out"});
        }
    }
}

Result<void> Service::serve_prompt(ipc::RequestId request) {
    auto& prompt = m_prompts.at(request);
    auto packet = next(prompt.peer);
    if (packet && !*packet) return ok();
    if (packet) {
        if (auto wanted = (*packet)->as<ipc::Unlock>()) {
            unlock(request, prompt, std::move(*wanted));
            return ok();
        }
        if (auto const mandate = (*packet)->as<ipc::Mandate>()) {
            take_mandate(request, prompt, *mandate);
            return ok();
        }
    } else if (packet.error().code == Errc::build_mismatch) {
        return packet.error();
    }
    drop_prompt(request); // it said what no prompt says
    return ok();
}

void Service::drop_prompt(ipc::RequestId request) {
    auto const place = m_prompts.find(request);
    end_lease(request, place->second, Error{Errc::user_cancelled, "the prompt is gone"});
    m_prompts.erase(place);
}

// ---- what tamga-web asks ----

void Service::list(ipc::ListKeys const& wanted) {
    tell(m_web.channel, ipc::ListingDone{wanted.query, ipc::Status::from(list_tokens(wanted))});
}

Result<void> Service::list_tokens(ipc::ListKeys const& wanted) {
    auto const loaded = module();
    if (!loaded) return loaded.error();
    auto const slots = (*loaded)->slots();
    if (!slots) return slots.error();
    for (auto const slot : *slots) {
        auto const info = (*loaded)->token_info(slot, m_readers);
        if (!info) continue; // pulled out since
        tell(m_web.channel, ipc::TokenFound{wanted.query, slot, *info});
        if (wanted.depth == ipc::Depth::tokens) continue;
        auto const session = Session::open(**loaded, slot);
        auto const certificates = session ? public_certificates(**session) : session.error();
        if (!certificates) {
            // One token that fails must not hide the others.
            log::warning("listing", {{"error", certificates.error().detail}});
            continue;
        }
        for (auto const& der : *certificates)
            tell(m_web.channel, ipc::CertificateFound{wanted.query, slot, der});
    }
    return ok();
}

void Service::sign(ipc::RequestId request, std::uint32_t first, std::vector<View> const& items) {
    auto const place = m_prompts.find(request);
    if (place == m_prompts.end() || !place->second.lease || !place->second.lease->has_mandate()) {
        Error const violation{Errc::mandate_violated, "no mandate for this request"};
        if (place != m_prompts.end()) end_lease(request, place->second, violation);
        tell(m_web.channel, ipc::LeaseEnded{request, ipc::Status::from(violation)});
        return;
    }
    auto& prompt = place->second;
    auto signatures = prompt.lease->sign(items);
    if (!signatures) return end_lease(request, prompt, signatures.error());
    auto const sent = m_web.channel.send(ipc::Signatures{request, first, std::move(*signatures)});
    if (!sent) end_lease(request, prompt, sent.error());
}

void Service::sign_large(ipc::Packet& packet, ipc::SignLarge const& large) {
    auto const sealed = packet.descriptors.size() == 1 ? SealedItems::open(packet.descriptors.front())
                                                       : Error{Errc::message_malformed, "no memfd"};
    // What cannot be read is no item of the mandate; an empty list of items would be signed without a word.
    if (sealed && sealed->items().size() == 1) return sign(large.request, large.index, sealed->items());
    auto const place = m_prompts.find(large.request);
    if (place != m_prompts.end()) end_lease(large.request, place->second, Error{Errc::message_malformed, "memfd"});
}

// ---- what a prompt asks ----

void Service::unlock(ipc::RequestId request, Prompt& prompt, ipc::Unlock message) {
    // The person chose another token after unlocking one: nobody stays logged in to two.
    if (prompt.lease) end_lease(request, prompt, Error{Errc::user_cancelled, "another token was chosen"});
    if (in_use(message.slot)) {
        prompt.waiting = std::move(message);
        return;
    }
    auto const slot = message.slot;
    auto const loaded = module();
    auto lease = loaded ? Lease::open(**loaded, slot, std::move(message.pin)) : loaded.error();
    ipc::UnlockReply reply{lease ? ipc::Status::from(ok()) : ipc::Status::from(lease.error()), {}};
    if (loaded) {
        if (auto const info = (*loaded)->token_info(slot, m_readers)) reply.info = *info;
    }
    tell(prompt.peer.channel, reply);
    if (!lease) {
        log::info("unlock", {{"request", request.value()}, {"outcome", wire_name(lease.error().code)}});
        return;
    }
    prompt.lease = std::move(*lease);
    prompt.since = steady_clock::now();
    for (auto const& key : prompt.lease->keys()) {
        tell(prompt.peer.channel, ipc::CertificateFound{0, slot, key.certificate.der()});
    }
    tell(prompt.peer.channel, ipc::ListingDone{0, ipc::Status::from(ok())});
}

void Service::take_mandate(ipc::RequestId request, Prompt& prompt, ipc::Mandate const& message) {
    auto taken = prompt.lease && message.request == request
                     ? prompt.lease->add_to_mandate(message)
                     : Error{Errc::mandate_violated, "a mandate without a lease"};
    if (taken && !message.last) return;
    if (!taken) end_lease(request, prompt, taken);
    tell(prompt.peer.channel, ipc::MandateReply{ipc::Status::from(taken)});
}

bool Service::in_use(ipc::SlotId slot) const {
    return std::any_of(m_prompts.begin(), m_prompts.end(),
                       [&](auto const& entry) { return entry.second.lease && entry.second.lease->slot() == slot; });
}

/// The oldest request first.
void Service::serve_waiting() {
    for (auto& [request, prompt] : m_prompts) {
        if (!prompt.waiting || in_use(prompt.waiting->slot)) continue;
        auto message = std::move(*prompt.waiting);
        prompt.waiting.reset();
        unlock(request, prompt, std::move(message));
    }
}

// ---- how leases end ----

void Service::end_lease(ipc::RequestId request, Prompt& prompt, Result<void> const& why) {
    if (!prompt.lease) return;
    bool const web_knows = prompt.lease->has_mandate();
    auto const signatures = prompt.lease->signatures_made();
    prompt.lease.reset();
    auto const elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - prompt.since);
    log::info("lease", {{"request", request.value()},
                        {"outcome", why ? "ok" : wire_name(why.error().code)},
                        {"detail", why ? "" : why.error().detail},
                        {"signatures", signatures},
                        {"ms", static_cast<std::int64_t>(elapsed.count())}});
    if (web_knows) tell(m_web.channel, ipc::LeaseEnded{request, ipc::Status::from(why)});
}

void Service::end_late_leases() {
    for (auto& [request, prompt] : m_prompts) {
        if (!prompt.lease) continue;
        auto const end = prompt.lease->end();
        if (steady_clock::now() >= end.at) end_lease(request, prompt, end.why);
    }
}

void Service::end_all_requests(Error const& why) {
    for (auto& [request, prompt] : m_prompts)
        end_lease(request, prompt, why);
    m_prompts.clear();
}

Result<Module*> Service::module() {
    if (!m_module) {
        auto loaded = Module::load(m_config);
        if (!loaded) {
            log::error("module", {{"name", m_config.name}, {"error", loaded.error().detail}});
            return loaded.error();
        }
        m_module = std::move(*loaded);
    }
    return m_module.get();
}

} // namespace tamga::pkcs11

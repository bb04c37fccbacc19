#include "prompt/plugged_in.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

namespace tamga::prompt {

namespace {

/// Tokens and certificates of one module; more is a module gone wrong.
constexpr std::size_t most_messages = 512;

Error crashed(Error error) {
    if (error.code == Errc::channel_closed) error.code = Errc::token_crashed;
    return error;
}

TokenPlace place_of(FoundToken const& token) {
    return {token.module, token.slot};
}

/// Whether it is the same one with the same keys; what is known of its PIN changes with each attempt.
bool is_same(FoundToken const& one, FoundToken const& other) {
    auto const identity = [](ipc::TokenInfo const& info) {
        return std::tie(info.storage, info.label, info.manufacturer, info.model, info.serial);
    };
    return identity(one.info) == identity(other.info) && one.certificates == other.certificates;
}

} // namespace

PluggedIn::PluggedIn(TokenEnds ends, std::vector<std::string> storages, UniqueFd watch, UniqueFd timer)
    : m_ends{std::move(ends)}, m_storages{std::move(storages)}, m_watch{std::move(watch)}, m_timer{std::move(timer)} {}

Result<PluggedIn> PluggedIn::watch(TokenEnds ends, std::vector<std::string> storages) {
    UniqueFd watch{::epoll_create1(EPOLL_CLOEXEC)};
    if (!watch) return system_error("epoll_create1", errno);
    UniqueFd timer{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    if (!timer) return system_error("timerfd_create", errno);

    PluggedIn made{std::move(ends), std::move(storages), std::move(watch), std::move(timer)};
    if (auto started = made.set_patience(patience); !started) return started.error();
    if (auto added = made.add_to_watch(made.m_timer.get()); !added) return added.error();
    for (auto& [module, end] : made.m_ends) {
        if (auto added = made.add_to_watch(end.channel.fd()); !added) return added.error();
        end.watched = true;
        made.m_asked[module];
    }
    return made;
}

/// 0: none is wanted.
Result<void> PluggedIn::set_patience(std::chrono::seconds left) const {
    ::itimerspec once{};
    once.it_value.tv_sec = left.count();
    if (::timerfd_settime(m_timer.get(), 0, &once, nullptr) != 0) return system_error("timerfd_settime", errno);
    return ok();
}

Result<void> PluggedIn::add_to_watch(int fd) const {
    ::epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(m_watch.get(), EPOLL_CTL_ADD, fd, &event) != 0) return system_error("epoll_ctl", errno);
    return ok();
}

void PluggedIn::add(ipc::ModuleIndex module, ipc::Channel channel) {
    m_ends[module] = TokenEnd{std::move(channel)};
}

void PluggedIn::hear() {
    std::uint64_t expirations = 0;
    bool const is_over = ::read(m_timer.get(), &expirations, sizeof expirations) == sizeof expirations;
    for (auto& [module, end] : m_ends) {
        if (end.watched) hear_from(module);
        if (is_over && m_asked.contains(module)) end_listing(module, Error{Errc::timeout, "no listing in time"});
        if (end.watched && std::exchange(end.changed, false)) ask_again(end, module);
    }
}

void PluggedIn::hear_from(ipc::ModuleIndex module) {
    auto const packet = receive(module);
    if (packet && !*packet) return;
    fail(module, packet ? Error{Errc::message_malformed, "an answer that nobody asked for"} : packet.error());
}

/// What it still answers to the question before is forgotten. One that is gone shows as end of file.
void PluggedIn::ask_again(TokenEnd& end, ipc::ModuleIndex module) {
    if (!end.channel.send(ipc::ListKeys{++end.query, ipc::Depth::certificates})) return;
    (void)set_patience(patience); // without it one that keeps silent is waited for until the person cancels
    m_asked[module] = {};
}

Result<std::optional<ipc::Packet>> PluggedIn::receive(ipc::ModuleIndex module) {
    auto& end = m_ends[module];
    while (true) {
        auto packet = next(end);
        if (!packet || !*packet) return packet;
        auto const taken = take_in(module, **packet);
        if (!taken) return taken.error();
        if (!*taken) return packet;
    }
}

/// The next packet after Hello.
Result<std::optional<ipc::Packet>> PluggedIn::next(TokenEnd& end) {
    while (true) {
        auto packet = end.channel.try_receive();
        if (!packet) return crashed(packet.error());
        if (!*packet || end.greeted) return packet;
        if (auto greeted = ipc::check_hello(**packet, ipc::Role::token); !greeted) return greeted.error();
        end.greeted = true;
    }
}

/// @return whether it answered ListKeys. After a listing was given up its answers are heard and forgotten.
Result<bool> PluggedIn::take_in(ipc::ModuleIndex module, ipc::Packet& packet) {
    auto& end = m_ends[module];
    if (packet.is<ipc::TokensChanged>()) {
        end.changed = true;
        return true;
    }
    auto const place = m_asked.find(module);
    auto* const asked = place == m_asked.end() ? nullptr : &place->second;
    auto const is_listing = [&end](std::uint64_t query) { return query != 0 && query <= end.query; };
    auto const is_awaited = [&](std::uint64_t query) { return asked != nullptr && query == end.query; };
    if (asked != nullptr && ++asked->messages > most_messages) {
        return Error{Errc::token_failure, "the module lists no end of certificates"};
    }
    if (auto found = packet.as<ipc::TokenFound>(); found && is_listing(found->query)) {
        if (!is_awaited(found->query)) return true;
        FoundToken token{module, found->slot, std::move(found->info), {}};
        if (found->certificates == 0)
            token_complete(std::move(token));
        else
            asked->tokens.push_back({std::move(token), found->certificates});
        return true;
    }
    if (auto found = packet.as<ipc::CertificateFound>(); found && is_listing(found->query)) {
        if (!is_awaited(found->query)) return true;
        auto const listed =
            std::ranges::find_if(asked->tokens, [&](Listed const& each) { return each.token.slot == found->slot; });
        if (listed == asked->tokens.end()) return Error{Errc::message_malformed, "a certificate without its token"};
        listed->token.certificates.push_back(std::move(found->der));
        if (--listed->certificates_to_come != 0) return true;
        token_complete(std::move(listed->token));
        asked->tokens.erase(listed);
        return true;
    }
    if (auto const done = packet.as<ipc::ListingDone>(); done && is_listing(done->query)) {
        if (!is_awaited(done->query)) return true;
        // Whatever else failed: what it did not tell of is not there.
        auto const tokens = m_tokens;
        for (auto const& token : tokens) {
            if (token.module == module && !asked->seen.contains(token.slot)) token_gone(place_of(token));
        }
        end_listing(module, done->status.result());
        return true;
    }
    return false;
}

void PluggedIn::token_complete(FoundToken token) {
    bool const wanted = m_storages.empty() || std::ranges::find(m_storages, token.info.storage) != m_storages.end();
    if (!wanted) {
        m_has_left_out = true;
        return;
    }
    m_asked[token.module].seen.insert(token.slot);
    auto const known = std::ranges::find(m_tokens, place_of(token), place_of);
    if (known != m_tokens.end() && is_same(*known, token)) {
        *known = token;
        m_news.seen_again.push_back(std::move(token));
        return;
    }
    if (known != m_tokens.end()) token_gone(place_of(token));
    m_tokens.push_back(token);
    m_news.found.push_back(std::move(token));
}

/// One that nobody was told of yet was never there.
void PluggedIn::token_gone(TokenPlace place) {
    auto const is_there = [place](FoundToken const& token) { return place_of(token) == place; };
    std::erase_if(m_tokens, is_there);
    std::erase_if(m_news.seen_again, is_there);
    if (std::erase_if(m_news.found, is_there) == 0) m_news.gone.push_back(place);
}

bool PluggedIn::is_settled(TokenPlace place) const {
    auto const asked = m_asked.find(place.module);
    if (asked == m_asked.end() || m_ends.at(place.module).query == listing_query) return true;
    return asked->second.seen.contains(place.slot);
}

/// It is not heard any more. Its tokens stay: who chooses one is told what happened.
void PluggedIn::fail(ipc::ModuleIndex module, Error const& why) {
    auto& end = m_ends[module];
    end.watched = false;
    ::epoll_ctl(m_watch.get(), EPOLL_CTL_DEL, end.channel.fd(), nullptr);
    end_listing(module, why);
}

void PluggedIn::end_listing(ipc::ModuleIndex module, Result<void> const& why) {
    m_asked.erase(module);
    if (m_asked.empty()) (void)set_patience({}); // who looks at fd() is not woken for nothing
    if (why) return;
    m_failure = why.error();
    log::warning(
        "list",
        {{"module", unsigned{module.value()}}, {"error", wire_name(m_failure.code)}, {"detail", m_failure.detail}});
}

TokenNews PluggedIn::take_news() {
    auto news = std::exchange(m_news, {});
    std::ranges::sort(news.found, {}, [](FoundToken const& token) { return std::pair{token.module, token.slot}; });
    return news;
}

} // namespace tamga::prompt

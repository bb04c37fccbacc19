#include "prompt/plugged_in.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tamga::prompt {

namespace {

/// Tokens and certificates of one module; more is a module gone wrong.
constexpr std::size_t most_messages = 512;

Error crashed(Error error) {
    if (error.code == Errc::channel_closed) error.code = Errc::token_crashed;
    return error;
}

} // namespace

PluggedIn::PluggedIn(TokenEnds ends, std::vector<std::string> storages, UniqueFd watch, UniqueFd timer)
    : m_ends{std::move(ends)}, m_storages{std::move(storages)}, m_watch{std::move(watch)}, m_timer{std::move(timer)} {}

Result<PluggedIn> PluggedIn::watch(TokenEnds ends, std::vector<std::string> storages) {
    UniqueFd watch{::epoll_create1(EPOLL_CLOEXEC)};
    if (!watch) return system_error("epoll_create1", errno);
    UniqueFd timer{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    if (!timer) return system_error("timerfd_create", errno);
    ::itimerspec once{};
    once.it_value.tv_sec = patience.count();
    if (::timerfd_settime(timer.get(), 0, &once, nullptr) != 0) return system_error("timerfd_settime", errno);

    PluggedIn made{std::move(ends), std::move(storages), std::move(watch), std::move(timer)};
    if (auto added = made.add_to_watch(made.m_timer.get()); !added) return added.error();
    for (auto const& [module, end] : made.m_ends) {
        if (auto added = made.add_to_watch(end.channel.fd()); !added) return added.error();
        made.m_asked[module];
    }
    return made;
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
    std::vector<ipc::ModuleIndex> modules;
    for (auto const& [module, asked] : m_asked)
        modules.push_back(module);
    for (auto const module : modules)
        hear_from(module);
    std::uint64_t expirations = 0;
    if (::read(m_timer.get(), &expirations, sizeof expirations) != sizeof expirations) return;
    for (auto const module : modules) {
        if (m_asked.contains(module)) end_listing(module, Error{Errc::timeout, "no listing in time"});
    }
}

void PluggedIn::hear_from(ipc::ModuleIndex module) {
    auto const packet = receive(module);
    if (packet && !*packet) return;
    end_listing(module, packet ? Error{Errc::message_malformed, "an answer that nobody asked for"} : packet.error());
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
    auto const place = m_asked.find(module);
    auto* const asked = place == m_asked.end() ? nullptr : &place->second;
    if (asked != nullptr && ++asked->messages > most_messages) {
        return Error{Errc::token_failure, "the module lists no end of certificates"};
    }
    if (auto found = packet.as<ipc::TokenFound>(); found && found->query == listing_query) {
        if (asked == nullptr) return true;
        FoundToken token{module, found->slot, std::move(found->info), {}};
        if (found->certificates == 0)
            token_complete(std::move(token));
        else
            asked->tokens.push_back({std::move(token), found->certificates});
        return true;
    }
    if (auto found = packet.as<ipc::CertificateFound>(); found && found->query == listing_query) {
        if (asked == nullptr) return true;
        auto const listed =
            std::ranges::find_if(asked->tokens, [&](Listed const& each) { return each.token.slot == found->slot; });
        if (listed == asked->tokens.end()) return Error{Errc::message_malformed, "a certificate without its token"};
        listed->token.certificates.push_back(std::move(found->der));
        if (--listed->certificates_to_come != 0) return true;
        token_complete(std::move(listed->token));
        asked->tokens.erase(listed);
        return true;
    }
    if (auto const done = packet.as<ipc::ListingDone>(); done && done->query == listing_query) {
        if (asked != nullptr) end_listing(module, done->status.result());
        return true;
    }
    return false;
}

void PluggedIn::token_complete(FoundToken token) {
    bool const wanted = m_storages.empty() || std::ranges::find(m_storages, token.info.storage) != m_storages.end();
    if (wanted)
        m_found.push_back(std::move(token));
    else
        m_has_left_out = true;
}

void PluggedIn::end_listing(ipc::ModuleIndex module, Result<void> const& why) {
    m_asked.erase(module);
    ::epoll_ctl(m_watch.get(), EPOLL_CTL_DEL, m_ends[module].channel.fd(), nullptr);
    if (why) return;
    m_failure = why.error();
    log::warning(
        "list",
        {{"module", unsigned{module.value()}}, {"error", wire_name(m_failure.code)}, {"detail", m_failure.detail}});
}

std::vector<FoundToken> PluggedIn::take_found() {
    auto found = std::exchange(m_found, {});
    std::ranges::sort(found, {}, [](FoundToken const& token) { return std::pair{token.module, token.slot}; });
    return found;
}

} // namespace tamga::prompt

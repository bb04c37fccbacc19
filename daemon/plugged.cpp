#include "daemon/plugged.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace tamga::daemon {

Plugged::Plugged(asio::any_io_executor executor, Keys& keys) : m_executor{std::move(executor)}, m_keys{keys} {
    m_keys.on_change([this] { changed(); });
}

Plugged::Subscription::Subscription(Plugged& plugged, std::function<void(Tokens const&)> told)
    : m_plugged{plugged}, m_told{std::move(told)} {
    m_plugged.m_subscriptions.insert(this);
}

Plugged::Subscription::~Subscription() {
    m_plugged.m_subscriptions.erase(this);
}

Task<Plugged::Tokens> Plugged::list() {
    auto tokens = co_await m_keys.list();
    co_return tokens ? std::move(*tokens) : Tokens{};
}

void Plugged::changed() {
    m_changed_meanwhile = true;
    if (m_looking || m_subscriptions.empty()) return;
    m_looking = true;
    asio::co_spawn(m_executor, look(), asio::detached);
}

/// Every token process tells of a card, and some tell twice: what comes during one look makes one other.
Task<void> Plugged::look() {
    while (std::exchange(m_changed_meanwhile, false) && !m_subscriptions.empty()) {
        auto const tokens = co_await list();
        // Whoever is told may end a subscription, its own or another's.
        for (auto* const each : std::set<Subscription*>{m_subscriptions}) {
            if (m_subscriptions.contains(each)) each->m_told(tokens);
        }
    }
    m_looking = false;
}

} // namespace tamga::daemon

// Who wants to hear what is plugged in, whenever it is something else than before.
#pragma once

#include "daemon/keys.hpp"

#include <functional>
#include <memory>

namespace tamga::daemon {

/// Loop thread. One for the life of the program. While nobody wants to hear, nothing is asked; there is no timer.
class Plugged {
public:
    using Tokens = std::vector<ipc::TokenInfo>;

    Plugged(asio::any_io_executor executor, Keys& keys);

    /// Heard from until it is destroyed.
    class Subscription {
    public:
        Subscription(Plugged& plugged, std::function<void(Tokens const&)> told);
        Subscription(Subscription const&) = delete;
        Subscription& operator=(Subscription const&) = delete;
        ~Subscription();

    private:
        friend class Plugged;
        Plugged& m_plugged;
        std::function<void(Tokens const&)> m_told;
    };

    /// Every token; none where there is none, or where what there is does not answer.
    Task<Tokens> list();

private:
    void changed();
    Task<void> look();

    asio::any_io_executor m_executor;
    Keys& m_keys;
    std::set<Subscription*> m_subscriptions;
    bool m_looking = false;
    bool m_changed_meanwhile = false;
};

} // namespace tamga::daemon

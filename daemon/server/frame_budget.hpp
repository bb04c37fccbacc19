// How many octets of unanswered frames all connections hold together; beyond the limit sockets are not read.
#pragma once

#include "daemon/task.hpp"

#include <list>

namespace tamga::daemon {

class FrameBudget {
public:
    FrameBudget(asio::any_io_executor executor, std::size_t limit) : m_executor{std::move(executor)}, m_limit{limit} {}

    /// One frame's share, given back by its destructor.
    class Claim {
    public:
        explicit Claim(FrameBudget& budget) noexcept : m_budget{&budget} {}
        Claim(Claim&& other) noexcept : m_budget{other.m_budget}, m_octets{std::exchange(other.m_octets, 0)} {}
        Claim& operator=(Claim&&) = delete;
        ~Claim() { m_budget->give_back(m_octets); }

        void add(std::size_t octets) noexcept {
            m_octets += octets;
            m_budget->m_used += octets;
        }

    private:
        FrameBudget* m_budget;
        std::size_t m_octets = 0;
    };

    /// Waits until there is room. False after 30 s without: the connection is to be closed with 1013.
    Task<bool> room() {
        auto const deadline = Clock::now() + std::chrono::seconds{30};
        while (m_used >= m_limit) {
            if (Clock::now() >= deadline) co_return false;
            struct Waiting {
                std::list<asio::steady_timer*>& all;
                asio::steady_timer signal;
                std::list<asio::steady_timer*>::iterator place;
                Waiting(std::list<asio::steady_timer*>& list, asio::any_io_executor executor, Deadline until)
                    : all{list}, signal{executor, until}, place{all.insert(all.end(), &signal)} {}
                ~Waiting() { all.erase(place); }
            };
            Waiting waiting{m_waiting, m_executor, deadline};
            auto const woken = co_await waiting.signal.async_wait(as_result);
            static_cast<void>(woken);
        }
        co_return true;
    }

private:
    void give_back(std::size_t octets) {
        m_used -= octets;
        if (m_used < m_limit) {
            for (auto* signal : m_waiting)
                signal->cancel();
        }
    }

    asio::any_io_executor m_executor;
    std::size_t m_limit;
    std::size_t m_used = 0;
    std::list<asio::steady_timer*> m_waiting;
};

} // namespace tamga::daemon

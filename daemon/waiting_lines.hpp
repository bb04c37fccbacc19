// Who is asked next: requests stand in a line for each site, and the lines are served in turn, so that no site that
// asks often makes the others wait.
#pragma once

#include "daemon/task.hpp"

#include <map>
#include <string>
#include <utility>

namespace tamga::daemon {

/// Loop thread. At most one coroutine holds a Turn.
class WaitingLines {
public:
    explicit WaitingLines(asio::any_io_executor executor) : m_executor{std::move(executor)} {}

    /// Released by its destructor.
    class Turn {
    public:
        explicit Turn(WaitingLines& lines) noexcept : m_lines{&lines} {}
        Turn(Turn&& other) noexcept : m_lines{std::exchange(other.m_lines, nullptr)} {}
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (m_lines != nullptr) m_lines->pass_on();
        }

    private:
        WaitingLines* m_lines;
    };

    /// Waits until it is this coroutine's turn: behind the others of `who`, and at most behind one of everybody else.
    Task<Turn> enter(std::string who) {
        if (!std::exchange(m_taken, true)) co_return Turn{*this};
        Waiter self{*this, std::move(who)};
        while (!self.admitted) {
            auto const woken = co_await self.signal.async_wait(as_result);
            static_cast<void>(woken);
        }
        self.taken_over = true;
        co_return Turn{*this};
    }

private:
    struct Waiter {
        Waiter(WaitingLines& lines, std::string who)
            : owner{lines}, name{std::move(who)}, signal{lines.m_executor, Deadline::max()} {
            auto& line = owner.m_lines[name];
            if (line.empty()) owner.m_order.push_back(name);
            line.push_back(this);
        }
        ~Waiter() {
            if (!admitted) owner.leave(*this);
            if (admitted && !taken_over) owner.pass_on();
        }
        Waiter(Waiter const&) = delete;
        Waiter& operator=(Waiter const&) = delete;

        WaitingLines& owner;
        std::string name;
        asio::steady_timer signal;
        bool admitted = false;
        bool taken_over = false;
    };

    void leave(Waiter const& waiter) {
        auto const place = m_lines.find(waiter.name);
        std::erase(place->second, &waiter);
        if (!place->second.empty()) return;
        m_lines.erase(place);
        std::erase(m_order, waiter.name);
    }

    void pass_on() {
        m_taken = !m_order.empty();
        if (!m_taken) return;
        auto who = std::move(m_order.front());
        m_order.pop_front();
        auto const place = m_lines.find(who);
        auto* const next = place->second.front();
        place->second.pop_front();
        if (place->second.empty())
            m_lines.erase(place);
        else
            m_order.push_back(std::move(who));
        next->admitted = true;
        next->signal.cancel();
    }

    asio::any_io_executor m_executor;
    std::map<std::string, std::deque<Waiter*>> m_lines; ///< none of them empty
    std::deque<std::string> m_order;                    ///< of the lines, the next one first
    bool m_taken = false;
};

} // namespace tamga::daemon

// Coroutines of tamga-web: one loop thread runs them all, so nothing here is locked.
#pragma once

#include "base/result.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <deque>
#include <optional>

namespace tamga::daemon {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

/// Completion token: the error comes back as a value, never as an exception. (Asio 1.81 wants it wrapped like this.)
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

/// A queue with one waiting reader, on the loop thread. `next` ends early when the coroutine is cancelled.
template <class T>
class Mailbox {
public:
    explicit Mailbox(asio::any_io_executor executor) : m_signal{executor} {}

    void put(T item) {
        m_items.push_back(std::move(item));
        m_signal.cancel();
    }
    [[nodiscard]] bool empty() const noexcept { return m_items.empty(); }

    /// The oldest item; nothing once `deadline` has passed.
    Task<std::optional<T>> next(Deadline deadline = Deadline::max()) {
        while (m_items.empty()) {
            if (Clock::now() >= deadline) co_return std::nullopt;
            m_signal.expires_at(deadline);
            // A put, a cancelled coroutine and the deadline look alike here; cancellation throws at the next co_await.
            auto const woken = co_await m_signal.async_wait(as_result);
            static_cast<void>(woken);
        }
        auto item = std::move(m_items.front());
        m_items.pop_front();
        co_return item;
    }

private:
    std::deque<T> m_items;
    asio::steady_timer m_signal;
};

/// First come, first served: at most one coroutine holds a Turn. Used for "one prompt at a time".
class Turnstile {
public:
    explicit Turnstile(asio::any_io_executor executor) : m_executor{std::move(executor)} {}

    /// Released by its destructor.
    class Turn {
    public:
        explicit Turn(Turnstile& turnstile) noexcept : m_turnstile{&turnstile} {}
        Turn(Turn&& other) noexcept : m_turnstile{std::exchange(other.m_turnstile, nullptr)} {}
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (m_turnstile != nullptr) m_turnstile->pass_on();
        }

    private:
        Turnstile* m_turnstile;
    };

    /// Waits until it is this coroutine's turn. Error: busy, where `max_waiting` others wait already.
    Task<Result<Turn>> enter() {
        if (!m_taken && m_waiting.empty()) {
            m_taken = true;
            co_return Turn{*this};
        }
        if (m_waiting.size() >= max_waiting) co_return Error{Errc::busy, "too many requests wait for the person"};
        Waiter self{*this};
        while (!self.admitted) {
            auto const woken = co_await self.signal.async_wait(as_result);
            static_cast<void>(woken);
        }
        self.taken_over = true;
        co_return Turn{*this};
    }

    static constexpr std::size_t max_waiting = 256;

private:
    struct Waiter {
        explicit Waiter(Turnstile& turnstile) : owner{turnstile}, signal{turnstile.m_executor, Deadline::max()} {
            owner.m_waiting.push_back(this);
        }
        ~Waiter() {
            std::erase(owner.m_waiting, this);
            if (admitted && !taken_over) owner.pass_on();
        }
        Waiter(Waiter const&) = delete;
        Waiter& operator=(Waiter const&) = delete;

        Turnstile& owner;
        asio::steady_timer signal;
        bool admitted = false;
        bool taken_over = false;
    };

    void pass_on() {
        m_taken = !m_waiting.empty();
        if (!m_taken) return;
        auto* next = m_waiting.front();
        m_waiting.pop_front();
        next->admitted = true;
        next->signal.cancel();
    }

    asio::any_io_executor m_executor;
    std::deque<Waiter*> m_waiting;
    bool m_taken = false;
};

} // namespace tamga::daemon

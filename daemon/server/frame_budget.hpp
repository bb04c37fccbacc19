// How many octets of unanswered frames all connections hold together, and who may fill which part of it; beyond that
// sockets are not read.
#pragma once

#include "daemon/task.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <string>

namespace tamga::daemon {

/// Loop thread. Three rules, so that no page can keep the others from being heard:
/// - the first 64 KiB that a connection holds never wait: an ordinary request always fits;
/// - all sites that nobody has allowed yet fill half of the limit together, and each no more than two frames over
///   64 KiB that have begun and not ended;
/// - an allowed site fills three quarters of the limit.
/// Where one frame may be larger than that, the share is one frame.
class FrameBudget {
public:
    static constexpr std::size_t always_free = 64 * 1024;
    static constexpr std::size_t strangers_large_frames = 2;

    /// @param limit  octets of all frames together
    /// @param frame  octets that one frame may have
    FrameBudget(asio::any_io_executor executor, std::size_t limit, std::size_t frame)
        : m_executor{std::move(executor)},
          m_limit{limit},
          m_share_of_strangers{std::max(limit / 2, frame)},
          m_share_of_a_site{std::max(limit / 4 * 3, frame)} {}

    enum class From : std::uint8_t { stranger, allowed_site };

    /// What one connection holds. It outlives its claims.
    struct Account {
        std::string origin;
        std::size_t octets = 0;
    };

    /// One frame's share, given back by its destructor.
    class Claim {
    public:
        Claim(FrameBudget& budget, Account& account, From from)
            : m_budget{&budget}, m_account{&account}, m_share{from == From::stranger ? "" : account.origin} {}
        Claim(Claim&& other) noexcept
            : m_budget{std::exchange(other.m_budget, nullptr)},
              m_account{other.m_account},
              m_share{std::move(other.m_share)},
              m_octets{other.m_octets},
              m_is_large{other.m_is_large} {}
        Claim& operator=(Claim&&) = delete;
        ~Claim() {
            if (m_budget == nullptr) return;
            whole();
            m_budget->give_back(*this);
        }

        void add(std::size_t octets) {
            m_octets += octets;
            m_account->octets += octets;
            m_budget->m_used += octets;
            m_budget->m_shares[m_share] += octets;
        }

        /// The frame has arrived to its last octet.
        void whole() {
            if (std::exchange(m_is_large, false)) m_budget->large_frame_ended(m_account->origin);
        }

    private:
        friend class FrameBudget;

        FrameBudget* m_budget;
        Account* m_account;
        std::string m_share; ///< whose part of the limit it counts in; strangers have one, ""
        std::size_t m_octets = 0;
        bool m_is_large = false; ///< one of strangers_large_frames
    };

    /// Waits until there is room for more of this frame. False after 30 s without: the connection is to be closed with
    /// 1013.
    Task<bool> room(Claim& claim) {
        auto const deadline = Clock::now() + std::chrono::seconds{30};
        while (!admits(claim)) {
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
    bool admits(Claim& claim) {
        if (claim.m_account->octets < always_free) return true;
        bool const is_stranger = claim.m_share.empty();
        auto const share = is_stranger ? m_share_of_strangers : m_share_of_a_site;
        if (m_used >= m_limit || m_shares[claim.m_share] >= share) return false;
        if (!is_stranger || claim.m_is_large) return true;
        auto& begun = m_large_frames[claim.m_account->origin];
        if (begun >= strangers_large_frames) return false;
        ++begun;
        claim.m_is_large = true;
        return true;
    }

    void large_frame_ended(std::string const& origin) {
        auto const found = m_large_frames.find(origin);
        if (--found->second == 0) m_large_frames.erase(found);
        wake();
    }

    void give_back(Claim const& claim) {
        claim.m_account->octets -= claim.m_octets;
        m_used -= claim.m_octets;
        if (auto const share = m_shares.find(claim.m_share); share != m_shares.end()) {
            share->second -= claim.m_octets;
            if (share->second == 0) m_shares.erase(share);
        }
        wake();
    }

    void wake() {
        for (auto* signal : m_waiting)
            signal->cancel();
    }

    asio::any_io_executor m_executor;
    std::size_t m_limit;
    std::size_t m_share_of_strangers;
    std::size_t m_share_of_a_site;
    std::size_t m_used = 0;
    std::map<std::string, std::size_t> m_shares;       ///< octets of an allowed site; of all others at ""
    std::map<std::string, std::size_t> m_large_frames; ///< of each origin that is not allowed: begun and not ended
    std::list<asio::steady_timer*> m_waiting;
};

} // namespace tamga::daemon

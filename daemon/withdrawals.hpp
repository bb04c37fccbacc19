// A page that asks and leaves, or is cancelled, again and again, costs a window each time: it waits longer and longer
// for the next.
#pragma once

#include "daemon/task.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace tamga::daemon {

/// Requests that were called off before the person answered, or that the person cancelled, by who asked. Loop thread.
class Withdrawals {
public:
    static constexpr unsigned forgiven = 3; ///< a page that is reloaded, or left, is no pest
    static constexpr std::chrono::seconds longest{30};
    static constexpr std::chrono::seconds memory{60}; ///< without another withdrawal everything is forgotten

    /// When `who` may be asked for next: nothing before is to be opened. In the past where nothing is held against
    /// them.
    [[nodiscard]] Deadline next(std::string const& who, Deadline now) const {
        auto const found = m_records.find(who);
        if (found == m_records.end() || found->second.last + memory <= now) return now;
        auto const excess = found->second.count > forgiven ? found->second.count - forgiven : 0;
        if (excess == 0) return now;
        auto const wait = std::min(longest, std::chrono::seconds{1U << std::min(excess - 1, 10U)});
        return found->second.last + wait;
    }

    void note(std::string const& who, Deadline now) {
        std::erase_if(m_records, [now](auto const& record) { return record.second.last + memory <= now; });
        auto& record = m_records[who];
        ++record.count;
        record.last = now;
    }

    /// The person agreed to one, or said "never".
    void forget(std::string const& who) { m_records.erase(who); }

private:
    struct Record {
        unsigned count = 0;
        Deadline last;
    };
    std::map<std::string, Record, std::less<>> m_records;
};

/// Notes a withdrawal where it goes before `settle`: when the coroutine that asks was cancelled.
class Pending {
public:
    Pending(Withdrawals& withdrawals, std::string who) : m_withdrawals{&withdrawals}, m_who{std::move(who)} {}
    Pending(Pending const&) = delete;
    Pending& operator=(Pending const&) = delete;
    ~Pending() {
        if (m_withdrawals != nullptr) m_withdrawals->note(m_who, Clock::now());
    }
    void settle() noexcept { m_withdrawals = nullptr; }

private:
    Withdrawals* m_withdrawals;
    std::string m_who;
};

} // namespace tamga::daemon

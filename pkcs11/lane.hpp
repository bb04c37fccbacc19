// A thread for one token: what is to be done with the token goes in, in order; what came of it comes back to the loop.
#pragma once

#include "base/unique_fd.hpp"
#include "pkcs11/watch.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace tamga::pkcs11 {

/// A call that is made once and may own what cannot be copied: as much of C++23's move_only_function as is needed here.
class Call {
public:
    template <class Body>
    explicit Call(Body body)
        : m_body{new Body{std::move(body)}, [](void* made) { delete static_cast<Body*>(made); }}, m_run{[](void* made) {
              (*static_cast<Body*>(made))();
          }} {}

    void operator()() { m_run(m_body.get()); }

private:
    std::unique_ptr<void, void (*)(void*)> m_body;
    void (*m_run)(void*);
};

/// What lanes have finished, for the loop. Outlives them.
class Inbox {
public:
    /// Without a descriptor (fd() is -1) where none could be had.
    Inbox();

    /// Readable when something was put in: for poll(2).
    [[nodiscard]] int fd() const noexcept { return m_bell.get(); }
    /// From any thread.
    void put(Call done);
    /// Makes every call that was put in. On the loop; never blocks by itself.
    void run();

private:
    UniqueFd m_bell;
    std::mutex m_mutex;
    std::vector<Call> m_done;
};

/// One thread, which sleeps on a condition variable while there is nothing to do. Every member is for the loop.
class Lane {
public:
    explicit Lane(Inbox& inbox);
    Lane(Lane const&) = delete;
    Lane& operator=(Lane const&) = delete;
    /// What has not begun is not done. Waits for what has: blocks for as long as the module does.
    ~Lane();

    /// After everything posted before: `work(watch)` on the lane's thread, which begins with `operation`; then
    /// `then(its result)` on the loop. What `work` owns is gone when the next work begins.
    template <class Work, class Then>
    void post(Operation operation, Work work, Then then) {
        bool const for_a_lease = operation != Operation::list;
        ++m_posted;
        if (for_a_lease) ++m_posted_for_leases;
        // On the heap, so that moving it leaves nothing behind: what `then` holds must not go on the lane's thread.
        auto done = [this, for_a_lease, kept = std::make_unique<Then>(std::move(then))](auto value) {
            --m_posted;
            if (for_a_lease) --m_posted_for_leases;
            (*kept)(std::move(value)); // may be the end of this lane
        };
        enqueue(Call{[this, operation, work = std::move(work), done = std::move(done)]() mutable {
            m_watch.begin(operation);
            auto value = work(m_watch);
            m_watch.end();
            m_inbox.put(Call{[value = std::move(value), done = std::move(done)]() mutable { done(std::move(value)); }});
        }});
    }

    /// From work that this lane is at, for the loop: before its result, in order.
    template <class Words>
    void say(Words words) {
        m_inbox.put(Call{std::move(words)});
    }

    /// Whether something was posted whose result has not come back.
    [[nodiscard]] bool busy() const noexcept { return m_posted != 0; }
    /// The same for logins, signatures and what else a listing should not wait for.
    [[nodiscard]] bool busy_with_a_lease() const noexcept { return m_posted_for_leases != 0; }
    [[nodiscard]] std::optional<Watch::Running> running() const { return m_watch.running(); }

    /// When its module has taken too long with what it is at; nothing where it has nothing to do.
    [[nodiscard]] std::optional<SteadyTime> deadline(Limits const& limits) const;
    /// What runs is given its whole time again.
    void excuse() { m_excused = std::chrono::steady_clock::now(); }

private:
    void enqueue(Call work);
    void work();

    Inbox& m_inbox;
    unsigned m_posted = 0;
    unsigned m_posted_for_leases = 0;
    SteadyTime m_excused;
    Watch m_watch;
    std::mutex m_mutex;
    std::condition_variable m_news;
    std::deque<Call> m_queue;
    bool m_ends = false;
    std::thread m_thread; // last: it uses all of the above
};

} // namespace tamga::pkcs11

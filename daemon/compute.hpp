// Compute threads: whatever would hold the loop up (documents over 256 KiB, XML) goes there and back, values in and
// values out.
#pragma once

#include "daemon/task.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <type_traits>

namespace tamga::daemon {

/// One thread beside the loop. tamga-web has three: docs/threads.md.
class Compute {
public:
    static constexpr std::size_t large = 256 * 1024;

    Compute() : m_pool{1} {}
    ~Compute() { m_pool.join(); }

    /// Runs `job` there and resumes here with its value. The wait cannot be cancelled, so a job may refer to the frame
    /// of the coroutine that awaits it, as long as nobody else touches what it uses.
    template <class Job, class Value = std::invoke_result_t<Job&>>
    Task<Value> run(Job job) {
        auto const loop = co_await asio::this_coro::executor;
        auto const answer = std::make_shared<Mailbox<Value>>(loop);
        auto work = [loop, answer, job = std::move(job)]() mutable {
            auto value = std::make_shared<Value>(job());
            asio::post(loop, [answer, value] { answer->put(std::move(*value)); });
        };
        asio::post(m_pool, std::move(work));

        co_await asio::this_coro::throw_if_cancelled(false);
        auto value = co_await answer->next();
        co_await asio::this_coro::throw_if_cancelled(true);
        co_return std::move(*value);
    }

    /// Runs `job` there, behind everything that was given before, and then `done` with its value here, on the loop.
    template <class Job, class Done>
    void start(asio::any_io_executor loop, Job job, Done done) {
        auto work = [loop = std::move(loop), job = std::move(job), done = std::move(done)]() mutable {
            auto deliver = [done = std::move(done), value = job()]() mutable { done(std::move(value)); };
            asio::post(loop, std::move(deliver));
        };
        asio::post(m_pool, std::move(work));
    }

    /// Waits for everything that was given. Nothing may be given afterwards. Blocking.
    void finish() { m_pool.join(); }

    /// On the compute thread where `size` octets are too much for the loop, else here and now.
    template <class Job, class Value = std::invoke_result_t<Job&>>
    Task<Value> run_if_large(std::size_t size, Job job) {
        if (size <= large) co_return job();
        auto value = co_await run(std::move(job));
        co_return value;
    }

private:
    asio::thread_pool m_pool;
};

} // namespace tamga::daemon

#include "pkcs11/lane.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace tamga::pkcs11 {

Inbox::Inbox() : m_bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

void Inbox::put(Call done) {
    {
        std::scoped_lock const lock{m_mutex};
        m_done.push_back(std::move(done));
    }
    std::uint64_t const one = 1; // rung with the lock given back: the loop would wake up to wait for it
    // Full after 2^64 - 2 rings nobody answered: the loop is woken all the same.
    static_cast<void>(!::write(m_bell.get(), &one, sizeof one));
}

void Inbox::run() {
    std::vector<Call> done;
    {
        std::scoped_lock const lock{m_mutex};
        std::uint64_t rings = 0;
        static_cast<void>(!::read(m_bell.get(), &rings, sizeof rings));
        done.swap(m_done);
    }
    for (auto& call : done)
        call();
}

Lane::Lane(Inbox& inbox) : m_inbox{inbox}, m_thread{[this] { work(); }} {}

Lane::~Lane() {
    {
        std::scoped_lock const lock{m_mutex};
        m_ends = true;
    }
    m_news.notify_one();
    m_thread.join();
}

std::optional<SteadyTime> Lane::deadline(Limits const& limits) const {
    if (!busy()) return std::nullopt;
    auto const now = m_watch.running();
    // What was posted a moment ago begins now.
    if (!now) return std::chrono::steady_clock::now() + limits.list;
    return std::max(now->since, m_excused) + limits.of(now->operation);
}

void Lane::enqueue(Call work) {
    {
        std::scoped_lock const lock{m_mutex};
        m_queue.push_back(std::move(work));
    }
    m_news.notify_one();
}

void Lane::work() {
    while (true) {
        std::unique_lock lock{m_mutex};
        m_news.wait(lock, [this] { return m_ends || !m_queue.empty(); });
        if (m_ends) return;
        auto next = std::move(m_queue.front());
        m_queue.pop_front();
        lock.unlock();
        next();
    }
}

} // namespace tamga::pkcs11

// A private channel to another of our processes, awaited on the loop.
#pragma once

#include "base/handshake.hpp"
#include "daemon/task.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>

namespace tamga::daemon {

/// Not movable: coroutines wait on it. Closed by its destructor, which the other end sees as end of file.
class AsyncChannel {
public:
    AsyncChannel(asio::any_io_executor executor, ipc::Channel channel)
        : m_channel{std::move(channel)}, m_ready{executor, m_channel.fd()} {}
    AsyncChannel(AsyncChannel const&) = delete;
    AsyncChannel& operator=(AsyncChannel const&) = delete;
    ~AsyncChannel() { m_ready.release(); }

    [[nodiscard]] asio::any_io_executor get_executor() { return m_ready.get_executor(); }

    /// The next message. Errors: channel_closed, message_malformed, timeout, system.
    Task<Result<ipc::Packet>> receive(Deadline deadline = Deadline::max()) {
        // The timer's handler may already be on its way when this ends: it looks at `waiting` before touching anything.
        auto const waiting = std::make_shared<bool>(true);
        asio::steady_timer timer{m_ready.get_executor(), deadline};
        if (deadline != Deadline::max()) {
            timer.async_wait([this, still = std::weak_ptr{waiting}](boost::system::error_code aborted) {
                if (!aborted && !still.expired()) m_ready.cancel();
            });
        }
        while (true) {
            auto packet = m_channel.try_receive();
            if (!packet) co_return packet.error();
            if (*packet) co_return std::move(**packet);
            if (Clock::now() >= deadline) co_return Errc::timeout;
            auto const waited = co_await m_ready.async_wait(asio::posix::stream_descriptor::wait_read, as_result);
            static_cast<void>(waited); // whatever woke us, the socket and the clock tell what is the case
        }
    }

    /// Sends `message` and a copy of `descriptor` (-1: none), waiting while the other end's buffer is full.
    template <class M>
    Task<Result<void>> send(M message, int descriptor = -1) {
        while (true) {
            auto sent = try_send(message, descriptor);
            if (sent || sent.error().code != Errc::busy) co_return sent;
            auto const waited = co_await m_ready.async_wait(asio::posix::stream_descriptor::wait_write, as_result);
            if (auto const failure = std::get<0>(waited); failure) co_return Errc::channel_closed;
        }
    }

    /// Sends at once or says `busy`: for destructors and small control messages.
    template <class M>
    Result<void> try_send(M const& message, int descriptor = -1) {
        return descriptor < 0 ? m_channel.try_send(message) : m_channel.try_send(message, {descriptor});
    }

private:
    ipc::Channel m_channel;
    asio::posix::stream_descriptor m_ready;
};

} // namespace tamga::daemon

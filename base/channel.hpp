// A private SOCK_SEQPACKET pair between two of our processes: one end of it, and the messages on it.
#pragma once

#include "base/archive.hpp"
#include "base/unique_fd.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace tamga::ipc {

/// One received message: its type, its octets (wiped on destruction, they may hold a PIN) and the descriptors that came
/// with it (closed on destruction unless taken).
class Packet {
public:
    Packet() = default;
    Packet(Packet&&) noexcept = default;
    Packet& operator=(Packet&&) noexcept = default;
    Packet(Packet const&) = delete;
    Packet& operator=(Packet const&) = delete;
    ~Packet() { wipe(m_bytes); }

    /// The number of the message's type; 0, which no message has, for an empty packet.
    [[nodiscard]] std::uint8_t type() const noexcept { return m_bytes.empty() ? 0 : m_bytes.front(); }
    template <class M>
    [[nodiscard]] bool is() const noexcept {
        return type() == static_cast<std::uint8_t>(M::type);
    }
    /// The message. A PIN in it can be taken only once. Error: message_malformed (another type, too short, too long).
    template <class M>
    [[nodiscard]] Result<M> as() {
        if (!is<M>()) return Error{Errc::message_malformed, "unexpected type " + std::to_string(type())};
        Reader reader{std::span{m_bytes}.subspan(1)};
        M message{};
        M::fields(reader, message);
        if (!reader.finished()) return Error{Errc::message_malformed, "type " + std::to_string(type())};
        return message;
    }

    std::vector<UniqueFd> descriptors;

private:
    friend class Channel;
    friend Packet packet_from(View bytes);
    Bytes m_bytes;
};

/// A packet made of octets: for tests and fuzzing.
[[nodiscard]] Packet packet_from(View bytes);

/// Owns one end of a pair. Not thread-safe. `send` and `receive` block; the `try_` forms never do.
class Channel {
public:
    /// None: every use of it fails with channel_closed.
    Channel() noexcept = default;
    explicit Channel(UniqueFd fd) noexcept : m_fd{std::move(fd)} {}

    [[nodiscard]] int fd() const noexcept { return m_fd.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(m_fd); }
    [[nodiscard]] UniqueFd release() noexcept { return std::move(m_fd); }
    void close() noexcept { m_fd.reset(); }
    /// Both ends see end of file from now on (shutdown(2)); the descriptor stays, for whoever polls it.
    void hang_up() noexcept;

    /// Sends `message` and copies of `descriptors` (at most 8; SCM_RIGHTS). Blocks while the other end's buffer is
    /// full. Errors: too_large (over 64 KiB), channel_closed, system.
    template <class M>
    Result<void> send(M const& message, std::initializer_list<int> descriptors = {}) {
        return send_message(message, descriptors, 0);
    }
    /// The same, but `busy` where it would block.
    template <class M>
    Result<void> try_send(M const& message, std::initializer_list<int> descriptors = {}) {
        return send_message(message, descriptors, 0x40 /* MSG_DONTWAIT */);
    }

    /// Waits for the next message. Errors: channel_closed (end of file), timeout, message_malformed (over 64 KiB),
    /// system.
    Result<Packet> receive(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
    /// The next message if one is there; nothing otherwise. Errors as above.
    Result<std::optional<Packet>> try_receive();

private:
    template <class M>
    Result<void> send_message(M const& message, std::initializer_list<int> descriptors, int flags) {
        Writer writer;
        writer(static_cast<std::uint8_t>(M::type));
        M::fields(writer, message);
        if (!writer.fits()) return Error{Errc::too_large, "message type " + std::to_string(static_cast<int>(M::type))};
        return send_octets(writer.bytes(), {descriptors.begin(), descriptors.size()}, flags);
    }
    Result<void> send_octets(View octets, std::span<int const> descriptors, int flags);

    UniqueFd m_fd;
};

struct Pair {
    Channel first;
    Channel second;
};

/// A new pair (socketpair(2), AF_UNIX, SOCK_SEQPACKET), close-on-exec. Error: system.
[[nodiscard]] Result<Pair> make_pair();

} // namespace tamga::ipc

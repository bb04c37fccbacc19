// Who is at the other end of a loopback connection, and who listens on a port: the kernel's sock_diag(7) answers in
// microseconds, without walking /proc. Used by tamga-web for each accepted connection, by tamgad for a taken port and
// by `tamga doctor` for the port's owner.
#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace tamga::net {

struct SocketOwner {
    uid_t uid = 0;
    std::uint32_t inode = 0;
};

/// One netlink socket, opened once and kept. Not thread-safe.
class SockDiag {
public:
    /// Error: system.
    static Result<SockDiag> open();

    /// The user whose process holds the other end of `connection`, a TCP connection accepted on this machine. Blocks
    /// for some microseconds: the kernel answers within the call. Errors: channel_closed (the other end is gone, or is
    /// not on this machine), system.
    Result<uid_t> peer_uid(int connection);

    /// Who listens on TCP `port`, on any address; nothing where nobody does. Walks all listening sockets. Error:
    /// system.
    Result<std::optional<SocketOwner>> listener_owner(std::uint16_t port);

private:
    explicit SockDiag(UniqueFd fd) noexcept : m_fd{std::move(fd)} {}

    UniqueFd m_fd;
    std::uint32_t m_sequence = 0;
};

/// A process that holds the socket `inode`; nothing where /proc does not let us see one (a process of another user).
/// Blocking: reads /proc of every process.
[[nodiscard]] std::optional<pid_t> holder_of(std::uint32_t inode);

/// Its name and number, as "name (pid 123)"; empty where there is none. Blocks as `holder_of`.
[[nodiscard]] std::string socket_holder(std::uint32_t inode);

} // namespace tamga::net

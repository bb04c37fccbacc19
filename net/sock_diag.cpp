#include "net/sock_diag.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace tamga::net {

namespace {

struct Request {
    ::nlmsghdr header{};
    ::inet_diag_req_v2 body{};
};

/// The address of one end, as inet_diag wants it: network byte order, IPv4 in the first word.
struct End {
    std::uint8_t family = 0;
    std::uint16_t port = 0;
    std::array<std::uint32_t, 4> address{};
};

Result<End> end_from(::sockaddr_storage const& storage) {
    End end;
    if (storage.ss_family == AF_INET) {
        ::sockaddr_in address{};
        std::memcpy(&address, &storage, sizeof address);
        end = {AF_INET, address.sin_port, {address.sin_addr.s_addr}};
    } else if (storage.ss_family == AF_INET6) {
        ::sockaddr_in6 address{};
        std::memcpy(&address, &storage, sizeof address);
        end = {AF_INET6, address.sin6_port, {}};
        std::memcpy(end.address.data(), &address.sin6_addr, sizeof address.sin6_addr);
    } else {
        return Error{Errc::system, "not a TCP socket"};
    }
    return end;
}

Request request_for(std::uint8_t family, std::uint32_t states, std::uint16_t flags, std::uint32_t sequence) {
    Request request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    request.header.nlmsg_seq = sequence;
    request.body.sdiag_family = family;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = states;
    request.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return request;
}

char const* payload(::nlmsghdr const* header) {
    return reinterpret_cast<char const*>(header) + NLMSG_HDRLEN;
}

enum class Answer : std::uint8_t { more, done };

/// Sends `request` and gives `visit` each socket of the answer until the answer ends or `visit` says `done`.
template <class Visit>
Result<void> exchange(int fd, Request const& request, Visit visit) {
    if (::send(fd, &request, sizeof request, 0) < 0) return system_error("sock_diag", errno);
    alignas(::nlmsghdr) std::array<char, 16384> buffer;
    while (true) {
        auto const received = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0) return system_error("sock_diag", errno);
        auto left = static_cast<std::uint32_t>(received);
        auto const* header = reinterpret_cast<::nlmsghdr const*>(buffer.data());
        // NLMSG_NEXT of the kernel's header, whose steps keep the alignment; clang does not see that.
        auto const next = [&left](::nlmsghdr const* from) {
            auto const size = NLMSG_ALIGN(from->nlmsg_len);
            left -= std::min(left, size);
            void const* const at = reinterpret_cast<char const*>(from) + size;
            return static_cast<::nlmsghdr const*>(at);
        };
        for (; NLMSG_OK(header, left); header = next(header)) {
            if (header->nlmsg_seq != request.header.nlmsg_seq) continue; // left over from an answer not read to its end
            if (header->nlmsg_type == NLMSG_DONE) return ok();
            if (header->nlmsg_type == NLMSG_ERROR) {
                ::nlmsgerr failure{};
                std::memcpy(&failure, payload(header), sizeof failure);
                if (failure.error == -ENOENT) return ok();
                return system_error("sock_diag", -failure.error);
            }
            ::inet_diag_msg socket{};
            std::memcpy(&socket, payload(header), sizeof socket);
            if (visit(socket) == Answer::done) return ok();
        }
    }
}

} // namespace

Result<SockDiag> SockDiag::open() {
    UniqueFd fd{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
    if (!fd) return system_error("socket(NETLINK_SOCK_DIAG)", errno);
    return SockDiag{std::move(fd)};
}

Result<uid_t> SockDiag::peer_uid(int connection) {
    ::sockaddr_storage ours{};
    ::sockaddr_storage theirs{};
    ::socklen_t size = sizeof ours;
    if (::getsockname(connection, reinterpret_cast<::sockaddr*>(&ours), &size) != 0) {
        return system_error("getsockname", errno);
    }
    size = sizeof theirs;
    if (::getpeername(connection, reinterpret_cast<::sockaddr*>(&theirs), &size) != 0) {
        if (errno == ENOTCONN) return Errc::channel_closed;
        return system_error("getpeername", errno);
    }
    auto const destination = end_from(ours);
    auto const source = end_from(theirs);
    if (!destination) return destination.error();
    if (!source) return source.error();

    // The other end is the socket whose own address is our peer's. Without NLM_F_DUMP the kernel looks up exactly one.
    auto request = request_for(source->family, ~0U, 0, ++m_sequence);
    request.body.id.idiag_sport = source->port;
    request.body.id.idiag_dport = destination->port;
    std::memcpy(request.body.id.idiag_src, source->address.data(), sizeof source->address);
    std::memcpy(request.body.id.idiag_dst, destination->address.data(), sizeof destination->address);
    Result<uid_t> uid{Errc::channel_closed};
    auto const asked = exchange(m_fd.get(), request, [&](::inet_diag_msg const& socket) {
        // The lookup falls back to a listener on that port; and a socket that no process holds any more (inode 0) is
        // reported as root's.
        if (socket.idiag_state != TCP_LISTEN && socket.idiag_inode != 0) uid = uid_t{socket.idiag_uid};
        return Answer::done;
    });
    if (!asked) return asked.error();
    return uid;
}

Result<std::optional<SocketOwner>> SockDiag::listener_owner(std::uint16_t port) {
    std::optional<SocketOwner> owner;
    for (auto const family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        auto const request = request_for(family, 1U << TCP_LISTEN, NLM_F_DUMP, ++m_sequence);
        auto const asked = exchange(m_fd.get(), request, [&](::inet_diag_msg const& socket) {
            if (socket.id.idiag_sport == ::htons(port) && !owner) owner = {socket.idiag_uid, socket.idiag_inode};
            return Answer::more;
        });
        if (!asked) return asked.error();
    }
    return owner;
}

} // namespace tamga::net

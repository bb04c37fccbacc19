#include "base/channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace tamga::ipc {

namespace {

constexpr std::size_t max_descriptors = 8;
static_assert(MSG_DONTWAIT == 0x40);

void collect_descriptors(::msghdr& header, std::vector<UniqueFd>& descriptors) {
    for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
        auto const count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
            descriptors.emplace_back(fd);
        }
    }
}

} // namespace

Packet packet_from(View bytes) {
    Packet packet;
    packet.m_bytes = to_bytes(bytes);
    return packet;
}

void Channel::hang_up() noexcept {
    ::shutdown(m_fd.get(), SHUT_RDWR);
}

Result<void> Channel::send_octets(View octets, std::span<int const> descriptors, int flags) {
    if (!m_fd) return Errc::channel_closed;
    if (descriptors.size() > max_descriptors) return Error{Errc::too_large, "descriptors"};
    ::iovec vector{const_cast<unsigned char*>(octets.data()), octets.size()};
    alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)] = {};
    ::msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        auto* item = CMSG_FIRSTHDR(&header);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        std::memcpy(CMSG_DATA(item), descriptors.data(), sizeof(int) * descriptors.size());
    }
    while (true) {
        if (::sendmsg(m_fd.get(), &header, flags | MSG_NOSIGNAL) >= 0) return ok();
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return Errc::busy;
        if (errno == EPIPE || errno == ECONNRESET) return Errc::channel_closed;
        return system_error("sendmsg", errno);
    }
}

Result<Packet> Channel::receive(std::optional<std::chrono::milliseconds> timeout) {
    if (!m_fd) return Errc::channel_closed;
    while (true) {
        ::pollfd waiting{m_fd.get(), POLLIN, 0};
        auto const ready = ::poll(&waiting, 1, timeout ? static_cast<int>(timeout->count()) : -1);
        if (ready < 0 && errno != EINTR) return system_error("poll", errno);
        if (ready == 0) return Errc::timeout;
        if (ready < 0) continue;
        auto packet = try_receive();
        if (!packet) return packet.error();
        if (*packet) return std::move(**packet);
    }
}

Result<std::optional<Packet>> Channel::try_receive() {
    if (!m_fd) return Errc::channel_closed;
    // Learn the size first: the packet is then read straight into a buffer of its own, which is wiped with it.
    char probe = 0;
    ssize_t size = -1;
    do {
        // ECONNRESET says, once, that the other end left without reading everything; its last words may still be here.
        size = ::recv(m_fd.get(), &probe, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size < 0 && errno == EAGAIN) return std::optional<Packet>{};
    if (size < 0) return system_error("recv", errno);
    if (size == 0) return Errc::channel_closed;
    if (static_cast<std::size_t>(size) > max_message) return Error{Errc::message_malformed, "over 64 KiB"};

    Packet packet;
    packet.m_bytes.resize(static_cast<std::size_t>(size));
    ::iovec vector{packet.m_bytes.data(), packet.m_bytes.size()};
    alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)] = {};
    ::msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    if (::recvmsg(m_fd.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return system_error("recvmsg", errno);
    collect_descriptors(header, packet.descriptors);
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Error{Errc::message_malformed, "truncated"};
    return std::optional<Packet>{std::move(packet)};
}

Result<Pair> make_pair() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_error("socketpair", errno);
    return Pair{Channel{UniqueFd{ends[0]}}, Channel{UniqueFd{ends[1]}}};
}

} // namespace tamga::ipc

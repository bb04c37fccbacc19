#include "daemon/launcher/listeners.hpp"

#include "base/log.hpp"
#include "net/sock_diag.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tamga::launcher {

namespace {

constexpr int backlog = 128;

/// Binds `fd` and listens. Errors: port_taken, system.
template <class Address>
Result<UniqueFd> listen_on(UniqueFd fd, Address const& address) {
    if (::bind(fd.get(), reinterpret_cast<::sockaddr const*>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), backlog) != 0) {
        if (errno == EADDRINUSE) return Errc::port_taken;
        return system_error("bind", errno);
    }
    return fd;
}

Result<UniqueFd> tcp_socket(int family) {
    UniqueFd fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) return system_error("socket", errno);
    int const on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd;
}

Result<UniqueFd> listen_ipv4(std::uint16_t port) {
    auto fd = tcp_socket(AF_INET);
    if (!fd) return fd.error();
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(port);
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    return listen_on(std::move(*fd), address);
}

Result<UniqueFd> listen_ipv6(std::uint16_t port) {
    auto fd = tcp_socket(AF_INET6);
    if (!fd) return fd.error();
    ::sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = ::htons(port);
    address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    return listen_on(std::move(*fd), address);
}

Result<void> make_private_folder(std::string const& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("mkdir " + path, errno);
    struct ::stat status {};
    if (::lstat(path.c_str(), &status) != 0) return system_error("lstat " + path, errno);
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) return Error{Errc::file_untrusted, path};
    if (::chmod(path.c_str(), 0700) != 0) return system_error("chmod " + path, errno);
    return ok();
}

/// The local socket, in a folder that only we may enter. A name nobody answers at is left over from a crash.
Result<UniqueFd> listen_local(std::string const& path) {
    if (path.empty()) return Error{Errc::system, "XDG_RUNTIME_DIR is not set"};
    auto const folder = make_private_folder(path.substr(0, path.rfind('/')));
    if (!folder) return folder.error();
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return Error{Errc::system, path + ": name too long"};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);

    UniqueFd const probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (::connect(probe.get(), reinterpret_cast<::sockaddr const*>(&address), sizeof address) == 0 || errno == EAGAIN) {
        return Errc::port_taken;
    }
    if (errno == ECONNREFUSED) ::unlink(path.c_str());

    UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    auto listening = listen_on(std::move(fd), address);
    if (listening && ::chmod(path.c_str(), 0600) != 0) return system_error("chmod " + path, errno);
    return listening;
}

std::string local_path() {
    char const* runtime = std::getenv("XDG_RUNTIME_DIR");
    return runtime == nullptr || *runtime != '/' ? std::string{} : std::string{runtime} + "/tamga/api.sock";
}

} // namespace

Listeners::Listeners(std::uint16_t port) : m_port{port}, m_local_path{local_path()} {
    m_slots[0].place = Place::ipv4;
    m_slots[1].place = Place::ipv6;
    m_slots[2].place = Place::local;
}

Listeners::~Listeners() {
    close_ours();
}

void Listeners::close_ours() {
    for (auto& slot : m_slots) {
        if (slot.state != State::listening || slot.activated) continue;
        slot.state = State::closed;
        slot.listening.fd.reset();
        if (slot.place == Place::local) ::unlink(m_local_path.c_str());
    }
}

void Listeners::take_activated() {
    char const* pid = std::getenv("LISTEN_PID");
    char const* count = std::getenv("LISTEN_FDS");
    if (pid == nullptr || count == nullptr || std::to_string(::getpid()) != pid) return;
    constexpr int first = 3;
    auto const beyond = first + static_cast<int>(std::min(std::strtol(count, nullptr, 10), 16L));
    for (int fd = first; fd < beyond; ++fd)
        adopt(fd);
}

void Listeners::adopt(int number) {
    UniqueFd fd{number};
    ::sockaddr_storage storage{};
    ::socklen_t size = sizeof storage;
    if (::getsockname(number, reinterpret_cast<::sockaddr*>(&storage), &size) != 0) return;
    ::sockaddr_in ipv4{};
    ::sockaddr_in6 ipv6{};
    std::memcpy(&ipv4, &storage, sizeof ipv4);
    std::memcpy(&ipv6, &storage, sizeof ipv6);

    Slot* slot = nullptr;
    std::uint16_t port = 0;
    if (storage.ss_family == AF_UNIX) {
        slot = &m_slots[2];
    } else if (storage.ss_family == AF_INET && ipv4.sin_addr.s_addr == ::htonl(INADDR_LOOPBACK)) {
        slot = &m_slots[0];
        port = ::ntohs(ipv4.sin_port);
    } else if (storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&ipv6.sin6_addr)) {
        slot = &m_slots[1];
        port = ::ntohs(ipv6.sin6_port);
    }
    if (slot == nullptr || slot->state == State::listening) {
        log::error("activated_socket_refused", {{"reason", "not loopback, or a second one of its kind"}});
        return;
    }
    ::fcntl(number, F_SETFD, FD_CLOEXEC);
    ::fcntl(number, F_SETFL, O_NONBLOCK);
    slot->state = State::listening;
    slot->activated = true;
    slot->listening.message.kind = slot->place == Place::local ? ipc::ListenerKind::local : ipc::ListenerKind::tcp;
    slot->listening.message.port = port;
    slot->listening.fd = std::move(fd);
    log::info("listening", {{"activated", 1}, {"port", unsigned{port}}});
}

std::vector<Listening const*> Listeners::open_missing() {
    std::vector<Listening const*> opened;
    for (auto& slot : m_slots) {
        if (slot.state != State::closed && slot.state != State::taken) continue;
        try_open(slot);
        if (slot.state == State::listening) opened.push_back(&slot.listening);
    }
    return opened;
}

void Listeners::try_open(Slot& slot) {
    auto const open_place = [&] {
        switch (slot.place) {
        case Place::ipv4: return listen_ipv4(m_port);
        case Place::ipv6: return listen_ipv6(m_port);
        case Place::local: return listen_local(m_local_path);
        }
        return Result<UniqueFd>{};
    };
    constexpr char const* names[] = {"127.0.0.1", "::1", "api.sock"};
    char const* const name = names[static_cast<std::size_t>(slot.place)];
    auto fd = open_place();
    if (fd) {
        auto const local = slot.place == Place::local;
        slot.state = State::listening;
        slot.listening.message = {local ? ipc::ListenerKind::local : ipc::ListenerKind::tcp,
                                  local ? std::uint16_t{0} : m_port};
        slot.listening.fd = std::move(*fd);
        log::info("listening", {{"on", name}, {"port", unsigned{slot.listening.message.port}}});
    } else if (fd.error().code == Errc::port_taken) {
        slot.state = State::taken;
        tell_owner(slot);
    } else {
        slot.state = State::unavailable;
        log::warning("not_listening", {{"on", name}, {"reason", fd.error().detail}});
    }
}

void Listeners::tell_owner(Slot& slot) const {
    std::string owner = "unknown";
    if (slot.place == Place::local) {
        owner = "another tamgad of this user";
    } else if (auto diag = net::SockDiag::open(); diag) {
        auto const found = diag->listener_owner(m_port);
        if (found && *found) {
            auto const holder = net::socket_holder((*found)->inode);
            owner = "uid " + std::to_string((*found)->uid) + (holder.empty() ? "" : ", " + holder);
        }
    }
    if (owner == slot.known_owner) return;
    slot.known_owner = owner;
    log::error(wire_name(Errc::port_taken), {{"port", unsigned{slot.place == Place::local ? std::uint16_t{0} : m_port}},
                                             {"owner", owner},
                                             {"action", "end that program; tried again every 3 s"}});
}

std::vector<Listening const*> Listeners::open() const {
    std::vector<Listening const*> all;
    for (auto const& slot : m_slots) {
        if (slot.state == State::listening) all.push_back(&slot.listening);
    }
    return all;
}

bool Listeners::anything_taken() const {
    for (auto const& slot : m_slots) {
        if (slot.state == State::taken) return true;
    }
    return false;
}

} // namespace tamga::launcher

// The sockets the world may reach us by: TCP on 127.0.0.1 and ::1, and the local socket for commands. Opened by tamgad,
// served by tamga-web, and kept open here, so that a restart of tamga-web loses no port.
#pragma once

#include "base/messages.hpp"
#include "base/unique_fd.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tamga::launcher {

struct Listening {
    ipc::Listener message;
    UniqueFd fd;
};

class Listeners {
public:
    explicit Listeners(std::uint16_t port);
    Listeners(Listeners const&) = delete;
    Listeners& operator=(Listeners const&) = delete;
    /// Removes the local socket's name.
    ~Listeners();

    /// Takes the sockets that systemd opened for us (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS), loopback ones only.
    void take_activated();

    /// Opens what is not open yet. What is taken by somebody else is named in the log, once for each owner, and stays
    /// to be tried again; what this machine has not (IPv6, XDG_RUNTIME_DIR) is logged and left alone.
    /// @return those opened by this call, valid as long as this object.
    std::vector<Listening const*> open_missing();

    /// Closes what this object opened; what systemd opened stays, for it is systemd that listens there.
    void close_ours();

    [[nodiscard]] std::vector<Listening const*> open() const;
    [[nodiscard]] bool anything_taken() const;

private:
    enum class State : std::uint8_t { closed, listening, taken, unavailable };
    enum class Place : std::uint8_t { ipv4, ipv6, local };
    struct Slot {
        Place place{};
        State state = State::closed;
        Listening listening;
        bool activated = false;  ///< opened by systemd
        std::string known_owner; ///< as logged last
    };

    void try_open(Slot& slot);
    void tell_owner(Slot& slot) const;
    void adopt(int fd);

    std::uint16_t m_port;
    std::string m_local_path;
    std::array<Slot, 3> m_slots;
};

} // namespace tamga::launcher

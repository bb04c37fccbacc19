// The pcscd of a test: its own process, configuration and socket.
#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <filesystem>

namespace tamga::card {

/// Where vpcd listens for the first card; the second is at the next port. It takes two and no more.
inline constexpr std::uint16_t first_port = 35963;
inline constexpr std::size_t most_readers = 2;

class Pcscd {
public:
    /// Writes its configuration to `folder`, which must be what is mounted at /run/pcscd: pcscd knows no other place.
    explicit Pcscd(std::filesystem::path folder);
    Pcscd(Pcscd const&) = delete;
    Pcscd& operator=(Pcscd const&) = delete;
    ~Pcscd();

    /// Starts it and waits until it takes connections, 5 s at most. Error: system.
    Result<void> start();
    /// Ends it with this signal and waits for its end.
    void end(int signal);

    /// What systemd does with Debian's pcscd.socket: the socket is there whether pcscd runs or not, and whoever
    /// connects starts it, with --auto-exit. It ends what runs. Error: system.
    Result<void> hold_socket();
    /// To be polled for reading: somebody waits for pcscd, which does not run. -1 where that cannot be.
    [[nodiscard]] int fd() const noexcept { return m_pid == 0 ? m_held.get() : -1; }
    /// Starts it for whoever waits. Does not wait.
    void start_for_client();

private:
    [[nodiscard]] bool answers() const;

    std::filesystem::path m_folder;
    UniqueFd m_held;
    pid_t m_pid = 0;
};

} // namespace tamga::card

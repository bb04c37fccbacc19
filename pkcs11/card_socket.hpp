// Where pcscd is to be found, and how to sleep until it comes.
#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <filesystem>

namespace tamga::pkcs11 {

/// PCSCLITE_CSOCK_NAME, as libpcsclite reads it, or the place that Debian compiles in.
[[nodiscard]] std::filesystem::path card_socket_path();

/// Notices that a socket appears, by inotify(7): costs nothing while it does not.
class AppearingSocket {
public:
    /// What happens from now on is noticed, also while nobody waits.
    explicit AppearingSocket(std::filesystem::path socket);

    /// Blocks until something happened to the socket or to the folders above it, or until `patience` is over (a
    /// negative one never is). True where something happened. Where the kernel has no inotify left, after 5 s.
    bool wait(std::chrono::milliseconds patience);

private:
    void watch_nearest_folder();
    [[nodiscard]] bool read_events();

    std::filesystem::path m_socket;
    UniqueFd m_events;
    int m_watched = -1;    ///< the watch descriptor of the nearest folder that is there
    std::string m_awaited; ///< what would have to appear in it
};

} // namespace tamga::pkcs11

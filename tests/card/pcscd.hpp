// The pcscd of a test: its own process, configuration and socket.
#pragma once

#include "base/result.hpp"

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

private:
    [[nodiscard]] bool answers() const;

    std::filesystem::path m_folder;
    pid_t m_pid = 0;
};

} // namespace tamga::card

// What the daemon of this user says of itself over its local socket.
#pragma once

#include "base/tree.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace tamga::cli {

struct DaemonFacts {
    enum class Presence : std::uint8_t { nobody, silent, speaks };
    Presence presence = Presence::nobody;
    std::string build;                ///< of the daemon
    std::optional<Tree::List> tokens; ///< as tokens.list tells them; nothing where it did not answer in time
};

/// Blocks for at most 6 s, in whatever state the daemon is.
[[nodiscard]] DaemonFacts ask_daemon(std::filesystem::path const& socket);

} // namespace tamga::cli

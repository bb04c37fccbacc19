// Starting a child: a fixed program, an environment built from a list, one private channel and nothing else of ours.
#pragma once

#include "base/channel.hpp"

#include <sys/types.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::launcher {

/// What every child may know of our environment. "LC_*" stands for every name that begins so. PCSCLITE_CSOCK_NAME says
/// where pcscd is to be found in a container.
inline constexpr std::string_view service_variables[] = {
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "JOURNAL_STREAM",
    "TAMGA_DEBUG",
    "PCSCLITE_CSOCK_NAME",
};
/// What only the window needs beside.
inline constexpr std::string_view prompt_variables[] = {
    "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_ID", "QT_QPA_PLATFORM",
};
/// All that a tamga-preview may know: how to write into the log.
inline constexpr std::string_view preview_variables[] = {"JOURNAL_STREAM", "TAMGA_DEBUG"};
/// For the scripted prompt of the tests; an installed tamgad does not know these names.
inline constexpr std::string_view scripted_prompt_variables[] = {"TAMGA_PROMPT_SCRIPT", "TAMGA_PROMPT_LOG"};

using Environment = std::vector<std::string>;

/// Appends to `environment` those of our own variables ("NAME=value") that `names` allows.
void append_allowed(Environment& environment, std::span<std::string_view const> names);

struct Started {
    pid_t pid = 0;
    ipc::Channel control;
};

/// Starts `program` in a session and process group of its own, without a terminal, with the other end of `control` as
/// descriptor 3, /dev/null as standard input, our standard output and error, and no other descriptor. Blocks until the
/// program runs, well under a millisecond (posix_spawn shares our memory until the exec). Error: system.
Result<Started> spawn(std::filesystem::path const& program, std::vector<std::string> arguments,
                      Environment const& environment);

} // namespace tamga::launcher

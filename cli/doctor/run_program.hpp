// Another program, run to its end or to ours: nothing it does can hold us up.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace tamga::cli {

/// How it ended, and what it wrote to standard output: at most 16 MiB, the rest is dropped.
struct Ran {
    enum class End : std::uint8_t { exited, signalled, timed_out, not_started };
    End end = End::not_started;
    int number = 0; ///< exit code, signal or errno
    std::string output;

    [[nodiscard]] bool succeeded() const noexcept { return end == End::exited && number == 0; }
    /// "exit code 3", "signal 11": for whoever helps.
    [[nodiscard]] std::string how() const;
};

/// Runs `command` (the first is looked for in PATH unless it has a slash) with standard input and
/// standard error at /dev/null, in a process group of its own, which is killed after `patience`. Blocks that long at
/// most. `environment`: NAME=VALUE each.
[[nodiscard]] Ran run_program(std::vector<std::string> command, std::vector<std::string> environment,
                              std::chrono::milliseconds patience);

/// The same for a function of ours: `act` runs in a process of its own and writes to the descriptor it is given.
[[nodiscard]] Ran run_apart(std::function<void(int out)> const& act, std::chrono::milliseconds patience);

} // namespace tamga::cli

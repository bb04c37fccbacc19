// What a process keeps of the file system (Landlock, Linux 5.13; Documentation/userspace-api/landlock.rst).
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <vector>

namespace tamga::sandbox {

/// Paths with all that lies below them. What does not exist is left out.
struct Paths {
    std::vector<std::filesystem::path> readable;
    std::vector<std::filesystem::path> writable; ///< readable too; nothing but regular files and folders can be made
};

/// For good, for this thread and all that it starts: call while it is the only one. Everything else on disk can neither
/// be read nor written, whoever owns it; and no process outside can be reached into, by ptrace or /proc/PID/mem, even
/// one that would let us. Descriptors that are open stay as they are.
/// @return whether this kernel can do that. Error: system.
Result<bool> keep_only(Paths const& paths);

/// The second half of that alone: files stay as they are.
Result<bool> stay_out_of_processes();

} // namespace tamga::sandbox

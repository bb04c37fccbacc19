// What tamga-web gives up before it accepts its first connection (seccomp): so that code that got into it through a
// parser can start nothing, touch no other process and speak to nobody on this machine but through what it was given.
#pragma once

#include "base/landlock.hpp"

namespace tamga::sandbox {

/// The first half, before there is a second thread: what may be read is the system's (libraries, configuration, time
/// zones), `readable` and `writable`; what may be written is `writable`. Folders of the two that are missing are made
/// where they can be: what appears in them later is to be reached. The person's other files are out of reach, and with
/// them every way to have other programs of theirs do something.
/// @return false where the kernel has no Landlock. Error: system.
Result<bool> keep_web_files(std::vector<std::filesystem::path> readable, std::vector<std::filesystem::path> writable);

/// For every thread of this process and for good: no new privileges; no execution and no new process; no ptrace, other
/// processes' memory, descriptors or signals; no socket but TCP/UDP over IP and netlink; no new listener (it is handed
/// its listening sockets); no mounts, namespaces, keys, BPF, io_uring, userfaultfd, perf; no change of a file by its
/// name but what keep_web_files left; nothing typed into a terminal. All of these get EPERM. Errors: system.
Result<void> enter_web_sandbox();

} // namespace tamga::sandbox

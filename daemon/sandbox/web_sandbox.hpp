// What tamga-web gives up before it accepts its first connection (seccomp): so that code that got into it through a
// parser can start nothing, touch no other process and speak to nobody on this machine but through what it was given.
#pragma once

#include "base/result.hpp"

namespace tamga::sandbox {

/// For every thread of this process and for good: no new privileges; no execution and no new process; no ptrace, other
/// processes' memory, descriptors or signals; no socket but TCP/UDP over IP and netlink; no new listener (it is handed
/// its listening sockets); no mounts, namespaces, keys, BPF, io_uring, userfaultfd, perf. All of these get EPERM.
/// Errors: system.
Result<void> enter_web_sandbox();

} // namespace tamga::sandbox

// What a PKCS#11 module has no business with: tried from inside it, to see that it is refused.
#pragma once

#include <string>

namespace tamga::fake {

/// Tries one of: inet, inet6, packet, unix, netlink, io_uring, execute, ptrace, parent_memory, read_memory,
/// write_memory, mount, keys, bpf, fork, session, signal_parent, core_limit and dumpable (EPERM where there can be no
/// core dump; where others may not look). @return errno, 0 where it was possible, -1 for a word not listed here.
[[nodiscard]] int attempt(std::string const& what);

} // namespace tamga::fake

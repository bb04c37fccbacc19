// Looking for a secret in another process, as root: tamga-token is not dumpable.
#pragma once

#include <string_view>
#include <sys/types.h>

namespace tamga::test {

/// How often `text` stands in the readable memory of `pid` (/proc/PID/mem). Throws where it may not be read.
std::size_t occurrences_in_memory(::pid_t pid, std::string_view text);

} // namespace tamga::test

// What tamga-token gives up before it loads a module: a vendor's library needs its token, and little else.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tamga::pkcs11 {

/// What one module may be allowed all the same, by a word in its configuration.
enum class Permit : std::uint8_t {
    network,  ///< sockets of every family
    programs, ///< to make processes and start other programs
    tracing,  ///< ptrace and the memory of other processes
    mounts,
    keyrings,
    bpf,
};

/// The permit of a word; nothing where it is none.
[[nodiscard]] std::optional<Permit> permit_of(std::string_view word) noexcept;
/// All the words, for whoever wrote another.
[[nodiscard]] std::string permit_words();

/// Octets that a token process may take beyond what it has when it enters its sandbox: OpenSC and SoftHSM2 need some
/// tens of millions, a signature of a large document a copy of it.
inline constexpr std::uint64_t most_memory = std::uint64_t{1} << 30;

/// For every thread of this process and for good: no core dumps, no more memory than `most_memory`, no new privileges;
/// EPERM from sockets other than AF_UNIX (pcscd) and AF_NETLINK (udev), from new processes and other programs, signals
/// to others, tracing and reading other processes, mounts, namespaces, kernel keyrings, BPF, perf, userfaultfd and
/// io_uring. `permit` leaves one of them out. Error: system.
Result<void> enter_token_sandbox(std::optional<Permit> permit);

/// The same for a process that reads a key file: no socket of any family, no file is opened for writing, made, renamed
/// or removed, and of others those of the system's libraries alone are read. Call it while there is one thread. Error:
/// system.
Result<void> enter_file_sandbox();

} // namespace tamga::pkcs11

// What tamga-preview keeps of the computer: next to nothing (docs/adr/0024).
#pragma once

#include "base/result.hpp"

namespace tamga::preview {

/// Octets a process may ask for beyond what it has when it enters the sandbox.
inline constexpr std::size_t memory_limit = std::size_t{512} << 20;
/// Seconds of the processor, and seconds on the clock; a signal ends the process after either.
inline constexpr unsigned cpu_limit_s = 8;
inline constexpr unsigned clock_limit_s = 10;

/// For good; call while there is one thread. From then on the process computes, writes into descriptors that are open,
/// and reads fonts and their configuration: no other file, no socket, no program, no new code, no other process.
/// Error: system.
Result<void> enter_sandbox();

} // namespace tamga::preview

#include "pkcs11/sandbox.hpp"

#include "base/landlock.hpp"
#include "base/seccomp.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>

namespace tamga::pkcs11 {

namespace {

struct Word {
    std::string_view word;
    Permit permit;
};
constexpr Word words[] = {{"network", Permit::network}, {"programs", Permit::programs}, {"tracing", Permit::tracing},
                          {"mounts", Permit::mounts},   {"keyrings", Permit::keyrings}, {"bpf", Permit::bpf}};

} // namespace

std::optional<Permit> permit_of(std::string_view word) noexcept {
    for (auto const& each : words) {
        if (each.word == word) return each.permit;
    }
    return std::nullopt;
}

Result<void> enter_token_sandbox(std::optional<Permit> permit) {
    ::rlimit const none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0) return system_error("RLIMIT_CORE", errno);
    // Without Landlock the kernel's own rule holds: programs of ours that are not dumpable stay closed.
    if (permit != Permit::tracing) {
        if (auto const entered = sandbox::stay_out_of_processes(); !entered) return entered.error();
    }
    sandbox::Refusals refusals;
    if (permit != Permit::network) refusals.refuse_sockets_but({AF_UNIX, AF_NETLINK});
    if (permit != Permit::programs) refusals.refuse({SCMP_SYS(execve), SCMP_SYS(execveat)});
    if (permit != Permit::tracing) refusals.refuse(sandbox::reaching_into_processes);
    if (permit != Permit::mounts) refusals.refuse(sandbox::changing_mounts);
    if (permit != Permit::keyrings) refusals.refuse(sandbox::keyrings);
    if (permit != Permit::bpf) refusals.refuse({SCMP_SYS(bpf)});
    refusals.refuse(sandbox::kernel_doors);
    sandbox::refuse_typing_into_terminals(refusals);
    return refusals.enter();
}

} // namespace tamga::pkcs11

#include "pkcs11/sandbox.hpp"

#include "base/landlock.hpp"
#include "base/seccomp.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

namespace tamga::pkcs11 {

namespace {

struct Word {
    std::string_view word;
    Permit permit;
};
constexpr Word words[] = {{"network", Permit::network}, {"programs", Permit::programs}, {"tracing", Permit::tracing},
                          {"mounts", Permit::mounts},   {"keyrings", Permit::keyrings}, {"bpf", Permit::bpf}};

/// Beside opening them for writing.
constexpr int changing_files[] = {SCMP_SYS(creat),     SCMP_SYS(openat2),   SCMP_SYS(rename),   SCMP_SYS(renameat),
                                  SCMP_SYS(renameat2), SCMP_SYS(unlink),    SCMP_SYS(unlinkat), SCMP_SYS(rmdir),
                                  SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),   SCMP_SYS(link),     SCMP_SYS(linkat),
                                  SCMP_SYS(symlink),   SCMP_SYS(symlinkat), SCMP_SYS(truncate), SCMP_SYS(ftruncate),
                                  SCMP_SYS(fallocate), SCMP_SYS(chmod),     SCMP_SYS(fchmod),   SCMP_SYS(fchmodat),
                                  SCMP_SYS(mknod),     SCMP_SYS(mknodat)};

/// A child would keep our channels open, so that our end is not seen, and outlive us in a session of its own.
void refuse_new_processes(sandbox::Refusals& refusals) {
    refusals.refuse({SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(setsid), SCMP_SYS(setpgid)});
    refusals.refuse_where(SCMP_SYS(clone), ::scmp_arg_cmp{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0});
    refusals.pretend_absent(SCMP_SYS(clone3)); // its flags are in memory, where a filter does not look
}

/// A module that ends the program that started us takes every other token along.
void refuse_signals_to_others(sandbox::Refusals& refusals) {
    auto const not_us = ::scmp_arg_cmp{0, SCMP_CMP_NE, static_cast<scmp_datum_t>(::getpid()), 0};
    for (int const call : {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo)})
        refusals.refuse_where(call, not_us);
    refusals.refuse({SCMP_SYS(tkill), SCMP_SYS(pidfd_send_signal)});
}

/// What the process has by now: RLIMIT_DATA counts what sanitizers have set aside too. Octets.
Result<rlim_t> memory_in_use() {
    std::ifstream file{"/proc/self/statm"};
    std::array<rlim_t, 6> pages{}; // size, resident, shared, text, lib, data
    for (auto& each : pages)
        file >> each;
    if (!file) return Error{Errc::system, "/proc/self/statm"};
    return pages.back() * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

/// A module that leaks ends its own process, and not what the person has open beside it.
Result<void> with_limited_memory() {
    auto const in_use = memory_in_use();
    if (!in_use) return in_use.error();
    ::rlimit const limit{*in_use + most_memory, *in_use + most_memory};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) return system_error("RLIMIT_DATA", errno);
    return ok();
}

Result<void> without_core_dumps() {
    ::rlimit const none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0) return system_error("RLIMIT_CORE", errno);
    return ok();
}

} // namespace

std::optional<Permit> permit_of(std::string_view word) noexcept {
    for (auto const& each : words) {
        if (each.word == word) return each.permit;
    }
    return std::nullopt;
}

std::string permit_words() {
    std::string text;
    for (auto const& each : words)
        text.append(text.empty() ? "" : ", ").append(each.word);
    return text;
}

Result<void> enter_file_sandbox() {
    if (auto without = without_core_dumps(); !without) return without;
    if (auto limited = with_limited_memory(); !limited) return limited;
    // Libraries may want more of themselves later; nothing of the person's is among them.
    if (auto const kept = sandbox::keep_only({{"/usr", "/lib"}, {}}); !kept) return kept.error();
    sandbox::Refusals refusals;
    refusals.refuse_sockets_but({});
    refusals.refuse({SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(bpf)});
    refusals.refuse(sandbox::reaching_into_processes);
    refusals.refuse(sandbox::changing_mounts);
    refusals.refuse(sandbox::keyrings);
    refusals.refuse(sandbox::kernel_doors);
    refusals.refuse(changing_files);
    for (unsigned const flag : {unsigned{O_WRONLY}, unsigned{O_RDWR}, unsigned{O_CREAT}, unsigned{O_TRUNC}}) {
        refusals.refuse_where(SCMP_SYS(open), ::scmp_arg_cmp{1, SCMP_CMP_MASKED_EQ, flag, flag});
        refusals.refuse_where(SCMP_SYS(openat), ::scmp_arg_cmp{2, SCMP_CMP_MASKED_EQ, flag, flag});
    }
    return refusals.enter();
}

Result<void> enter_token_sandbox(std::optional<Permit> permit) {
    if (auto without = without_core_dumps(); !without) return without;
    if (auto limited = with_limited_memory(); !limited) return limited;
    // Without Landlock the kernel's own rule holds: programs of ours that are not dumpable stay closed.
    if (permit != Permit::tracing) {
        if (auto const entered = sandbox::stay_out_of_processes(); !entered) return entered.error();
    }
    sandbox::Refusals refusals;
    if (permit != Permit::network) refusals.refuse_sockets_but({AF_UNIX, AF_NETLINK});
    if (permit != Permit::programs) {
        refusals.refuse({SCMP_SYS(execve), SCMP_SYS(execveat)});
        refuse_new_processes(refusals);
    }
    refuse_signals_to_others(refusals);
    if (permit != Permit::tracing) refusals.refuse(sandbox::reaching_into_processes);
    if (permit != Permit::mounts) refusals.refuse(sandbox::changing_mounts);
    if (permit != Permit::keyrings) refusals.refuse(sandbox::keyrings);
    if (permit != Permit::bpf) refusals.refuse({SCMP_SYS(bpf)});
    refusals.refuse(sandbox::kernel_doors);
    sandbox::refuse_typing_into_terminals(refusals);
    return refusals.enter();
}

} // namespace tamga::pkcs11

#include "tests/fake_module/attempts.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace tamga::fake {

namespace {

long open_socket(int family, int type) {
    auto const fd = ::socket(family, type, 0);
    if (fd >= 0) ::close(fd);
    return fd;
}

long execute() {
    char* const arguments[] = {const_cast<char*>("true"), nullptr};
    return ::execve("/nonexistent/true", arguments, nullptr); // ENOENT where it is not refused
}

/// Of the parent, which belongs to the same user.
long touch_memory(long call) {
    char here = 0;
    ::iovec own{&here, 1};
    ::iovec other{&here, 1};
    return ::syscall(call, ::getppid(), &own, 1UL, &other, 1UL, 0UL);
}

long fork_and_bury() {
    auto const child = ::fork();
    if (child == 0) ::_exit(0);
    return child < 0 ? child : ::waitpid(child, nullptr, 0);
}

bool can_dump_core() {
    ::rlimit limit{};
    return ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max != 0;
}

long refused_unless(bool possible) {
    if (!possible) errno = EPERM;
    return possible ? 0 : -1;
}

long try_it(std::string const& what) {
    ::bpf_attr nothing{};
    if (what == "inet") return open_socket(AF_INET, SOCK_STREAM);
    if (what == "inet6") return open_socket(AF_INET6, SOCK_DGRAM);
    if (what == "packet") return open_socket(AF_PACKET, SOCK_RAW);
    if (what == "unix") return open_socket(AF_UNIX, SOCK_STREAM);
    if (what == "netlink") return open_socket(AF_NETLINK, SOCK_RAW);
    if (what == "io_uring") return ::syscall(SYS_io_uring_setup, 0, nullptr);
    if (what == "execute") return execute();
    if (what == "ptrace") return ::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr);
    if (what == "parent_memory") return ::open(("/proc/" + std::to_string(::getppid()) + "/mem").c_str(), O_RDWR);
    if (what == "read_memory") return touch_memory(SYS_process_vm_readv);
    if (what == "write_memory") return touch_memory(SYS_process_vm_writev);
    if (what == "mount") return ::mount("none", "/nonexistent", "tmpfs", 0, nullptr);
    if (what == "keys") return ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0);
    if (what == "bpf") return ::syscall(SYS_bpf, BPF_MAP_CREATE, &nothing, sizeof nothing);
    if (what == "fork") return fork_and_bury();
    if (what == "session") return ::setsid(); // EPERM for the leader of a group, too
    if (what == "signal_parent") return ::kill(::getppid(), SIGCONT);
    if (what == "core_limit") return refused_unless(can_dump_core());
    if (what == "dumpable") return refused_unless(::prctl(PR_GET_DUMPABLE) == 1);
    return -2;
}

} // namespace

int attempt(std::string const& what) {
    errno = 0;
    auto const result = try_it(what);
    if (result == -2) return -1;
    return result < 0 ? errno : 0;
}

} // namespace tamga::fake

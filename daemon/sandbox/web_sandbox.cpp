#include "daemon/sandbox/web_sandbox.hpp"

#include "base/seccomp.hpp"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tamga::sandbox {

Result<bool> keep_web_files(std::vector<std::filesystem::path> readable, std::vector<std::filesystem::path> writable) {
    for (auto const* folders : {&readable, &writable}) {
        for (auto const& folder : *folders) {
            std::error_code failure; // one that cannot be made is none of ours
            std::filesystem::create_directories(folder.parent_path(), failure);
            ::mkdir(folder.c_str(), 0700);
        }
    }
    for (char const* path : {"/usr", "/lib", "/lib64", "/etc", "/run/systemd/resolve", "/sys/devices/system/cpu",
                             "/proc/self", "/proc/sys", "/dev/null", "/dev/urandom"}) {
        readable.emplace_back(path);
    }
    return keep_only({std::move(readable), std::move(writable)});
}

Result<void> enter_web_sandbox() {
    Refusals refusals;
    // start something
    refusals.refuse({SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork)});
    refusals.refuse(reaching_into_processes);
    refusals.refuse({SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(tkill)});
    // speak or listen where it was not given a socket for; a datagram pair could be connected to a name
    refusals.refuse({SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(listen)});
    refusals.refuse(changing_mounts);
    refusals.refuse(keyrings);
    refusals.refuse({SCMP_SYS(bpf)});
    // change by its name what may not be written: Landlock does not ask for these
    refusals.refuse({SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown),
                     SCMP_SYS(fchownat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(removexattr),
                     SCMP_SYS(lremovexattr), SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat)});
    refuse_typing_into_terminals(refusals);
    refusals.refuse(kernel_doors);

    // Threads are made with clone; clone3 keeps its flags in memory, where no filter can look: told that it does not
    // exist, glibc falls back to clone.
    refusals.refuse_where(SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    refusals.pretend_absent(SCMP_SYS(clone3));

    refusals.refuse_sockets_but({AF_INET, AF_INET6, AF_NETLINK});

    auto const self = static_cast<scmp_datum_t>(::getpid());
    for (int const call : {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo)}) {
        refusals.refuse_where(call, SCMP_A0_64(SCMP_CMP_NE, self));
    }
    return refusals.enter();
}

} // namespace tamga::sandbox

#include "preview/sandbox.hpp"

#include "base/landlock.hpp"
#include "base/messages.hpp"
#include "base/seccomp.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace tamga::preview {

namespace {

/// The one memfd that is written holds a picture and little more.
constexpr ::rlim_t file_limit = ::rlim_t{4} * ipc::max_picture_side * ipc::max_picture_side + 4096;
constexpr ::rlim_t open_files = 64;

/// Octets of address space taken now (proc(5), statm).
::rlim_t address_space() {
    ::rlim_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    return pages * static_cast<::rlim_t>(::sysconf(_SC_PAGESIZE));
}

Result<void> limit(decltype(RLIMIT_CORE) what, ::rlim_t most) {
    ::rlimit const value{most, most};
    if (::setrlimit(what, &value) != 0) return system_error("setrlimit", errno);
    return ok();
}

Result<void> limit_all() {
    // Counted from here, because AddressSanitizer has taken terabytes before.
    auto const memory = address_space() + memory_limit;
    struct Limit {
        decltype(RLIMIT_CORE) what;
        ::rlim_t most;
    };
    for (auto const& [what, most] : {Limit{RLIMIT_CORE, 0}, Limit{RLIMIT_AS, memory}, Limit{RLIMIT_CPU, cpu_limit_s},
                                     Limit{RLIMIT_FSIZE, file_limit}, Limit{RLIMIT_NOFILE, open_files}}) {
        if (auto limited = limit(what, most); !limited) return limited;
    }
    ::alarm(clock_limit_s);
    return ok();
}

/// For computing, and for what runs before and after main.
void allow_computing(sandbox::Allowances& allowed) {
    allowed.allow({SCMP_SYS(brk),
                   SCMP_SYS(munmap),
                   SCMP_SYS(mremap),
                   SCMP_SYS(madvise),
                   SCMP_SYS(futex),
                   SCMP_SYS(set_robust_list),
                   SCMP_SYS(rseq),
                   SCMP_SYS(exit),
                   SCMP_SYS(exit_group),
                   SCMP_SYS(rt_sigaction),
                   SCMP_SYS(rt_sigprocmask),
                   SCMP_SYS(rt_sigreturn),
                   SCMP_SYS(sigaltstack),
                   SCMP_SYS(getpid),
                   SCMP_SYS(gettid),
                   SCMP_SYS(getuid),
                   SCMP_SYS(geteuid),
                   SCMP_SYS(getgid),
                   SCMP_SYS(getegid),
                   SCMP_SYS(sched_getaffinity),
                   SCMP_SYS(sched_yield),
                   SCMP_SYS(clock_gettime),
                   SCMP_SYS(clock_nanosleep),
                   SCMP_SYS(gettimeofday),
                   SCMP_SYS(time),
                   SCMP_SYS(getrandom),
                   SCMP_SYS(sysinfo),
                   SCMP_SYS(uname),
                   SCMP_SYS(restart_syscall)});
    // Memory is never executed that was not when we came here.
    for (int const call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
        allowed.allow_where(call, ::scmp_arg_cmp{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0});
    // Limits can be looked at.
    allowed.allow_where(SCMP_SYS(prlimit64), ::scmp_arg_cmp{2, SCMP_CMP_EQ, 0, 0});
    // Qt scales large images in a thread; clone3 keeps its flags where no filter can look.
    allowed.allow_where(SCMP_SYS(clone), ::scmp_arg_cmp{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD});
    allowed.pretend_absent(SCMP_SYS(clone3));
#ifdef __SANITIZE_ADDRESS__
    // UBSan looks at memory through a pipe, which tells it whether there is any.
    allowed.allow({SCMP_SYS(pipe), SCMP_SYS(pipe2)});
#endif
    // abort(3)
    allowed.allow_where(SCMP_SYS(tgkill), ::scmp_arg_cmp{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0});
}

/// For the pair with the prompt, for the memfds on it, and for fonts.
void allow_files(sandbox::Allowances& allowed) {
    allowed.allow({SCMP_SYS(read),       SCMP_SYS(readv),      SCMP_SYS(pread64),    SCMP_SYS(write),
                   SCMP_SYS(writev),     SCMP_SYS(lseek),      SCMP_SYS(close),      SCMP_SYS(fcntl),
                   SCMP_SYS(poll),       SCMP_SYS(ppoll),      SCMP_SYS(recvfrom),   SCMP_SYS(recvmsg),
                   SCMP_SYS(sendmsg),    SCMP_SYS(fstat),      SCMP_SYS(newfstatat), SCMP_SYS(stat),
                   SCMP_SYS(lstat),      SCMP_SYS(statx),      SCMP_SYS(statfs),     SCMP_SYS(fstatfs),
                   SCMP_SYS(access),     SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(readlink),
                   SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),     SCMP_SYS(fadvise64)});
    constexpr scmp_datum_t changing = O_ACCMODE | O_CREAT | O_TRUNC;
    allowed.allow_where(SCMP_SYS(open), ::scmp_arg_cmp{1, SCMP_CMP_MASKED_EQ, changing, 0});
    allowed.allow_where(SCMP_SYS(openat), ::scmp_arg_cmp{2, SCMP_CMP_MASKED_EQ, changing, 0});
}

} // namespace

Result<void> enter_sandbox() {
    if (auto limited = limit_all(); !limited) return limited;
    if (auto kept = sandbox::keep_only({{"/usr", "/lib", "/etc/fonts", "/var/cache/fontconfig"}, {}}); !kept) {
        return kept.error();
    }
    sandbox::Allowances allowed;
    allow_computing(allowed);
    allow_files(allowed);
    return allowed.enter();
}

} // namespace tamga::preview

#include "daemon/sandbox/web_sandbox.hpp"

#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <type_traits>

#ifdef __SANITIZE_ADDRESS__
// The leak check at exit clones a process and ptraces this one: just what is refused below.
extern "C" char const* __asan_default_options() {
    return "detect_leaks=0";
}
#endif

namespace tamga::sandbox {

namespace {

struct Release {
    void operator()(void* filter) const noexcept { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

constexpr int refused_always[] = {
    // start something
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
    // reach into another process
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(tkill),
    // speak or listen where it was not given a socket for; a datagram pair could be connected to a name
    SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(listen),
    // change what the machine looks like
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
    SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(open_by_handle_at),
    // doors through which kernels were broken into before
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)};

constexpr bool is_allowed_family(unsigned family) {
    return family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

/// Adds rules and remembers the first that failed.
class Rules {
public:
    explicit Rules(scmp_filter_ctx filter) noexcept : m_filter{filter} {}

    void refuse(int call) { keep(::seccomp_rule_add_array(m_filter, SCMP_ACT_ERRNO(EPERM), call, 0, nullptr)); }
    void refuse_if(int call, ::scmp_arg_cmp condition) {
        keep(::seccomp_rule_add_array(m_filter, SCMP_ACT_ERRNO(EPERM), call, 1, &condition));
    }
    void absent(int call) { keep(::seccomp_rule_add_array(m_filter, SCMP_ACT_ERRNO(ENOSYS), call, 0, nullptr)); }
    void keep(int code) noexcept {
        if (m_first_failure == 0) m_first_failure = code;
    }
    [[nodiscard]] Result<void> result() const {
        return m_first_failure == 0 ? ok() : Result<void>{system_error("seccomp", -m_first_failure)};
    }

private:
    scmp_filter_ctx m_filter;
    int m_first_failure = 0;
};

} // namespace

Result<void> enter_web_sandbox() {
    Filter const filter{::seccomp_init(SCMP_ACT_ALLOW)};
    if (!filter) return Error{Errc::system, "seccomp_init"};
    Rules rules{filter.get()};

    for (int const call : refused_always)
        rules.refuse(call);

    // Threads are made with clone; clone3 keeps its flags in memory, where no filter can look: told that it does not
    // exist, glibc falls back to clone.
    rules.refuse_if(SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    rules.absent(SCMP_SYS(clone3));

    // One condition for an argument is all a rule may have: so each family by its number, and all beyond.
    constexpr unsigned families = 64;
    for (unsigned family = 0; family < families; ++family) {
        if (!is_allowed_family(family)) rules.refuse_if(SCMP_SYS(socket), SCMP_A0_64(SCMP_CMP_EQ, family));
    }
    rules.refuse_if(SCMP_SYS(socket), SCMP_A0_64(SCMP_CMP_GE, families));

    auto const self = static_cast<scmp_datum_t>(::getpid());
    for (int const call : {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo)}) {
        rules.refuse_if(call, SCMP_A0_64(SCMP_CMP_NE, self));
    }

    rules.keep(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    if (auto const added = rules.result(); !added) return added.error();
    rules.keep(::seccomp_load(filter.get()));
    return rules.result();
}

} // namespace tamga::sandbox

// System calls a process gives up (seccomp): the rules our sandboxes are made of.
#pragma once

#include "base/result.hpp"

#include <seccomp.h>

#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>

namespace tamga::sandbox {

struct FilterRelease {
    void operator()(void* filter) const noexcept { ::seccomp_release(filter); }
};

/// Collects what is refused; the first rule that cannot be made is what `enter` fails with.
class Refusals {
public:
    Refusals();

    /// EPERM from each of these calls (SCMP_SYS numbers).
    void refuse(std::span<int const> calls);
    void refuse(std::initializer_list<int> calls) { refuse(std::span{calls.begin(), calls.size()}); }
    /// EPERM where an argument is as `condition` says.
    void refuse_where(int call, ::scmp_arg_cmp condition);
    /// ENOSYS: as on a kernel that does not have the call.
    void pretend_absent(int call);
    /// EPERM from socket(2) for every family but these, which are below 64.
    void refuse_sockets_but(std::initializer_list<unsigned> families);

    /// For every thread of this process and for good; it takes no new privileges from then on. Error: system.
    Result<void> enter();

private:
    void keep(int code) noexcept;

    std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, FilterRelease> m_filter;
    int m_first_failure = 0;
};

/// The other way round: every call is refused (EPERM) but those that are named. For a process of which all is known
/// that it does; the first rule that cannot be made is what `enter` fails with.
class Allowances {
public:
    Allowances();

    void allow(std::initializer_list<int> calls);
    /// Where an argument is as `condition` says, and nowhere else.
    void allow_where(int call, ::scmp_arg_cmp condition);
    /// ENOSYS: as on a kernel that does not have the call.
    void pretend_absent(int call);

    /// As `Refusals::enter`.
    Result<void> enter();

private:
    void keep(int code) noexcept;

    std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, FilterRelease> m_filter;
    int m_first_failure = 0;
};

/// Whoever started us may have done so from a terminal: TIOCSTI types into it.
void refuse_typing_into_terminals(Refusals& refusals);

/// Calls that reach into another process.
inline constexpr int reaching_into_processes[] = {
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp),   SCMP_SYS(pidfd_getfd)};
/// Calls that change what the machine looks like.
inline constexpr int changing_mounts[] = {SCMP_SYS(mount),      SCMP_SYS(umount2),          SCMP_SYS(move_mount),
                                          SCMP_SYS(open_tree),  SCMP_SYS(fsopen),           SCMP_SYS(fsmount),
                                          SCMP_SYS(pivot_root), SCMP_SYS(chroot),           SCMP_SYS(unshare),
                                          SCMP_SYS(setns),      SCMP_SYS(open_by_handle_at)};
inline constexpr int keyrings[] = {SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key)};
/// Doors through which kernels were broken into before; io_uring opens sockets past every filter, too.
inline constexpr int kernel_doors[] = {SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
                                       SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)};

} // namespace tamga::sandbox

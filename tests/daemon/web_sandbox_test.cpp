// daemon/sandbox: each test forks a child that enters the sandbox and tries one thing there. The child's exit code is
// the errno of what it tried, 0 for success.
#include "daemon/sandbox/web_sandbox.hpp"

#include "base/unique_fd.hpp"
#include "net/sock_diag.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <netdb.h>
#include <spawn.h>
#include <thread>

namespace tamga::sandbox {
namespace {

constexpr int not_entered = 200;
constexpr int crashed = 201;

/// What `attempt` answers in a process inside the sandbox: 0, or its errno.
int inside(std::function<long()> const& attempt) {
    auto const child = ::fork();
    if (child == 0) {
        if (!enter_web_sandbox()) ::_exit(not_entered);
        ::_exit(attempt() < 0 ? errno : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : crashed;
}

struct Attempt {
    char const* name;
    std::function<long()> attempt;
};

class Refused : public ::testing::TestWithParam<Attempt> {};

TEST_P(Refused, WithEperm) {
    EXPECT_EQ(inside(GetParam().attempt), EPERM);
}

char const* const no_arguments[] = {nullptr};

long refused_exec() {
    return ::execve("/bin/true", const_cast<char**>(no_arguments), environ);
}
long own_memory(int call) {
    char octet = 0;
    ::iovec const place{&octet, 1};
    return ::syscall(call, ::getpid(), &place, 1, &place, 1, 0);
}
long socket_pair() {
    int ends[2];
    return ::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
}
long bind_any() {
    ::sockaddr_in any{};
    any.sin_family = AF_INET;
    return ::bind(::socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<::sockaddr*>(&any), sizeof any);
}
long spawned() {
    ::pid_t pid = 0;
    errno = ::posix_spawn(&pid, "/bin/true", nullptr, nullptr, const_cast<char**>(no_arguments), environ);
    return errno == 0 ? 0 : -1;
}

INSTANTIATE_TEST_SUITE_P(
    WebSandbox, Refused,
    ::testing::Values(
        Attempt{"execve", refused_exec},
        Attempt{"execveat", [] { return ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", no_arguments, environ, 0); }},
        Attempt{"fork", [] { return ::syscall(SYS_fork); }}, Attempt{"vfork", [] { return ::syscall(SYS_vfork); }},
        Attempt{"clone", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
        Attempt{"posix_spawn", spawned}, Attempt{"fork_of_glibc", [] { return long{::fork()}; }},
        Attempt{"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
        Attempt{"process_vm_readv", [] { return own_memory(SYS_process_vm_readv); }},
        Attempt{"process_vm_writev", [] { return own_memory(SYS_process_vm_writev); }},
        Attempt{"pidfd_open", [] { return ::syscall(SYS_pidfd_open, ::getpid(), 0); }},
        Attempt{"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 0, 0, 0); }},
        Attempt{"kill_parent", [] { return long{::kill(::getppid(), 0)}; }},
        Attempt{"kill_everybody", [] { return long{::kill(-1, 0)}; }},
        Attempt{"unix_socket", [] { return long{::socket(AF_UNIX, SOCK_STREAM, 0)}; }},
        Attempt{"unix_socket_in_wide_number", [] { return ::syscall(SYS_socket, 0x100000001UL, SOCK_STREAM, 0); }},
        Attempt{"packet_socket", [] { return long{::socket(AF_PACKET, SOCK_RAW, 0)}; }},
        Attempt{"vsock", [] { return long{::socket(AF_VSOCK, SOCK_STREAM, 0)}; }}, Attempt{"socketpair", socket_pair},
        Attempt{"bind", bind_any},
        Attempt{"listen", [] { return long{::listen(::socket(AF_INET, SOCK_STREAM, 0), 1)}; }},
        Attempt{"truncate", [] { return long{::truncate("/tmp", 0)}; }},
        Attempt{"chmod", [] { return long{::chmod("/tmp", 0777)}; }},
        Attempt{"typing_into_a_terminal", [] { return long{::ioctl(0, TIOCSTI, "x")}; }},
        Attempt{"typing_with_high_bits_set", [] { return ::syscall(SYS_ioctl, 0, 0x100000000UL | TIOCSTI, "x"); }},
        Attempt{"mount", [] { return long{::mount("none", "/tmp", "tmpfs", MS_BIND, nullptr)}; }},
        Attempt{"unshare", [] { return long{::unshare(CLONE_NEWUSER)}; }},
        Attempt{"keyctl", [] { return ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }},
        Attempt{"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
        Attempt{"perf_event_open", [] { return ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
        Attempt{"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
        Attempt{"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
        Attempt{"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0); }}),
    [](auto const& each) { return std::string{each.param.name}; });

class WebFiles : public ::testing::Test {
protected:
    /// What `attempt` answers in a process that may write in `ours` alone: 0, or its errno.
    int kept(std::function<long()> const& attempt) {
        auto const child = ::fork();
        if (child == 0) {
            auto const kept = keep_web_files({}, {ours});
            if (!kept || !*kept || !enter_web_sandbox()) ::_exit(not_entered);
            ::_exit(attempt() < 0 ? errno : 0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : crashed;
    }
    static std::function<long()> opening(std::filesystem::path const& path, int flags) {
        return [path, flags] { return long{::open(path.c_str(), flags | O_CLOEXEC, 0600)}; };
    }

    test::Scratch folder;
    std::filesystem::path ours = folder / "state/tamga";
    std::filesystem::path theirs = folder / "modules.toml";
};

TEST_F(WebFiles, KeepWhatIsOurs) {
    EXPECT_EQ(kept(opening(ours / "sites.toml", O_WRONLY | O_CREAT)), 0);
    EXPECT_EQ(kept(opening(ours / "sites.toml", O_RDONLY)), 0);
    EXPECT_EQ(kept([&] { return long{::rename((ours / "sites.toml").c_str(), (ours / "old").c_str())}; }), 0);
    EXPECT_EQ(kept([&] { return long{::unlink((ours / "old").c_str())}; }), 0);
    EXPECT_EQ(kept(opening("/etc/passwd", O_RDONLY)), 0);
}

TEST_F(WebFiles, LoseEverythingElseOfThePerson) {
    folder.write("modules.toml", "");

    EXPECT_EQ(kept(opening(theirs, O_RDONLY)), EACCES);
    EXPECT_EQ(kept(opening(theirs, O_WRONLY)), EACCES);
    EXPECT_EQ(kept(opening(folder / "new", O_WRONLY | O_CREAT)), EACCES);
    EXPECT_EQ(kept([&] { return long{::rename(theirs.c_str(), (folder / "old").c_str())}; }), EACCES);
    EXPECT_EQ(kept([&] { return long{::symlink("x", (ours / "link").c_str())}; }), EACCES);
    EXPECT_EQ(kept([&] { return long{::link(theirs.c_str(), (ours / "link").c_str())}; }), EXDEV);
}

TEST_F(WebFiles, LoseTheMemoryOfOtherProcesses) {
    auto const parent = "/proc/" + std::to_string(::getpid()) + "/mem";

    EXPECT_EQ(kept(opening(parent, O_RDWR)), EACCES);
    EXPECT_EQ(kept(opening(parent, O_RDONLY)), EACCES);
}

TEST_F(WebFiles, StillLetNamesBeResolved) {
    EXPECT_EQ(kept([] {
                  ::addrinfo* found = nullptr;
                  return ::getaddrinfo("localhost", "80", nullptr, &found) == 0 ? 0L : -1L;
              }),
              0);
}

TEST(WebSandbox, ThreadsStillStart) {
    EXPECT_EQ(inside([] {
                  auto ran = false;
                  std::thread{[&] { ran = true; }}.join();
                  return ran ? 0L : -1L;
              }),
              0);
}

TEST(WebSandbox, MemoryFilesAndMappingsStillWork) {
    EXPECT_EQ(inside([] {
                  UniqueFd const memory{::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
                  if (!memory || ::ftruncate(memory.get(), 4096) != 0) return -1L;
                  return ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory.get(), 0) == MAP_FAILED ? -1L : 0L;
              }),
              0);
}

TEST(WebSandbox, AcceptsOnAListenerItWasGivenAndLearnsThePeersUser) {
    UniqueFd const listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::listen(listener.get(), 1), 0); // an unbound one gets a free port

    EXPECT_EQ(inside([&] {
                  ::sockaddr_in address{};
                  ::socklen_t size = sizeof address;
                  ::getsockname(listener.get(), reinterpret_cast<::sockaddr*>(&address), &size);
                  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
                  UniqueFd const client{::socket(AF_INET, SOCK_STREAM, 0)};
                  if (::connect(client.get(), reinterpret_cast<::sockaddr*>(&address), size) != 0) return -1L;
                  UniqueFd const accepted{::accept(listener.get(), nullptr, nullptr)};
                  auto diag = net::SockDiag::open();
                  return diag && diag->peer_uid(accepted.get()) ? 0L : -1L;
              }),
              0);
}

TEST(WebSandbox, NamesAreStillResolved) {
    EXPECT_EQ(inside([] {
                  ::addrinfo* found = nullptr;
                  return ::getaddrinfo("localhost", "80", nullptr, &found) == 0 ? 0L : -1L;
              }),
              0);
}

TEST(WebSandbox, AnAbortStillEndsTheProcess) {
    EXPECT_EQ(inside([] {
                  std::signal(SIGABRT, SIG_DFL);
                  std::abort();
                  return 0L;
              }),
              crashed);
}

TEST(WebSandbox, ThreadsStartedBeforeAreInsideToo) {
    auto const child = ::fork();
    if (child == 0) {
        std::atomic<bool> entered = false;
        auto answer = 0;
        std::thread earlier{[&] {
            while (!entered)
                std::this_thread::yield();
            answer = ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
        }};
        if (!enter_web_sandbox()) ::_exit(not_entered);
        entered = true;
        earlier.join();
        ::_exit(answer);
    }
    int status = 0;
    ::waitpid(child, &status, 0);

    EXPECT_EQ(WEXITSTATUS(status), EPERM);
}

} // namespace
} // namespace tamga::sandbox

// preview/sandbox: each test forks a child that enters the sandbox and tries one thing there, as a decoder would that
// was taken over. The child's exit code is the errno of what it tried, 0 for success.
#include "base/unique_fd.hpp"
#include "preview/sandbox.hpp"
#include "tests/support/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace tamga::preview {
namespace {

constexpr int not_entered = 200;
constexpr int crashed = 201;

using Attempt = std::function<long()>;

int inside(Attempt const& attempt) {
    auto const child = ::fork();
    if (child == 0) {
        if (!enter_sandbox()) ::_exit(not_entered);
        ::_exit(attempt() < 0 ? errno : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : crashed;
}

struct Named {
    char const* name;
    Attempt attempt;
};
void PrintTo(Named const& named, std::ostream* out) {
    *out << named.name;
}

long execute() {
    char* const arguments[] = {const_cast<char*>("true"), nullptr};
    return ::execve("/usr/bin/true", arguments, nullptr);
}
long new_code() {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}
long data_as_code() {
    void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
}
long parents_memory() {
    char here = 0;
    ::iovec own{&here, 1};
    return ::process_vm_readv(::getppid(), &own, 1, &own, 1, 0);
}
long more_memory() {
    ::rlimit const more{RLIM_INFINITY, RLIM_INFINITY};
    return ::setrlimit(RLIMIT_AS, &more);
}

class Refused : public ::testing::TestWithParam<Named> {};
INSTANTIATE_TEST_SUITE_P(
    Preview, Refused,
    ::testing::Values(Named{"inet", [] { return ::socket(AF_INET, SOCK_STREAM, 0); }},
                      Named{"inet6", [] { return ::socket(AF_INET6, SOCK_DGRAM, 0); }},
                      Named{"unix", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }},
                      Named{"netlink", [] { return ::socket(AF_NETLINK, SOCK_RAW, 0); }},
                      Named{"pair",
                            [] {
                                int ends[2];
                                return ::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
                            }},
                      Named{"execute", execute}, Named{"fork", [] { return ::fork(); }},
                      Named{"vfork_like", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
                      Named{"new_code", new_code}, Named{"data_as_code", data_as_code},
                      Named{"ptrace", [] { return ::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr); }},
                      Named{"parents_memory", parents_memory},
                      Named{"kill_parent", [] { return ::kill(::getppid(), 0); }},
                      Named{"another_memfd", [] { return ::memfd_create("another", 0); }},
                      Named{"more_memory", more_memory}, Named{"no_alarm", [] { return ::syscall(SYS_alarm, 0); }},
                      Named{"mount", [] { return ::mount("none", "/tmp", "tmpfs", 0, nullptr); }},
                      Named{"namespace", [] { return ::unshare(CLONE_NEWUSER); }},
                      Named{"keyctl", [] { return ::syscall(SYS_keyctl, 0, -1, 0); }},
                      Named{"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
                      Named{"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
                      Named{"terminal", [] { return ::ioctl(0, TIOCSTI, "x"); }}),
    [](auto const& each) { return std::string{each.param.name}; });

TEST_P(Refused, WithEperm) {
    EXPECT_EQ(inside(GetParam().attempt), EPERM);
}

TEST(PreviewSandbox, OpensNoFileOfTheHomeAndNoneOfTheSystemsSecrets) {
    test::Scratch const home;
    home.write("letter.txt", "private");
    auto const letter = (home / "letter.txt").string();
    for (auto const& path : {letter, home.path().string(), std::string{"/etc/passwd"},
                             std::string{"/proc/self/environ"}, std::string{"/dev/null"}, std::string{"/"}}) {
        EXPECT_EQ(inside([&path] { return ::open(path.c_str(), O_RDONLY); }), EACCES) << path;
    }
}

TEST(PreviewSandbox, WritesNoFileAnywhere) {
    test::Scratch const home;
    home.write("letter.txt", "private");
    auto const letter = (home / "letter.txt").string();
    auto const fresh = (home / "new").string();
    for (int const flags : {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_CREAT}) {
        EXPECT_EQ(inside([&] { return ::open(letter.c_str(), flags, 0600); }), EPERM) << flags;
        EXPECT_EQ(inside([&] { return ::open("/usr/share/fonts", flags | O_DIRECTORY, 0600); }), EPERM) << flags;
    }
    EXPECT_EQ(inside([&] { return ::open(fresh.c_str(), O_CREAT, 0600); }), EPERM);
    EXPECT_EQ(inside([&] { return ::unlink(letter.c_str()); }), EPERM);
    EXPECT_EQ(inside([&] { return ::rename(letter.c_str(), fresh.c_str()); }), EPERM);
    EXPECT_EQ(inside([&] { return ::truncate(letter.c_str(), 0); }), EPERM);
    EXPECT_EQ(inside([&] { return ::mkdir(fresh.c_str(), 0700); }), EPERM);
}

TEST(PreviewSandbox, ReadsFonts) {
    EXPECT_EQ(inside([] { return ::open("/usr/share/fonts", O_RDONLY | O_DIRECTORY); }), 0);
    EXPECT_EQ(inside([] { return ::open("/etc/fonts/fonts.conf", O_RDONLY); }), 0);
}

TEST(PreviewSandbox, TakesSoMuchMemoryAndNoMore) {
    auto const take = [](std::size_t size) {
        return [size] {
            return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
                                                                                                                   : 0;
        };
    };
    EXPECT_EQ(inside(take(memory_limit / 2)), 0);
    EXPECT_EQ(inside(take(memory_limit + 4096)), ENOMEM);
}

TEST(PreviewSandbox, LeavesNoCoreDump) {
    EXPECT_EQ(inside([] {
                  ::rlimit limit{};
                  ::getrlimit(RLIMIT_CORE, &limit);
                  errno = EBADE;
                  return limit.rlim_max == 0 ? 0 : -1;
              }),
              0);
}

} // namespace
} // namespace tamga::preview

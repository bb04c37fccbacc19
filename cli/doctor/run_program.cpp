#include "cli/doctor/run_program.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace tamga::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_output = 16U << 20;
constexpr int exit_not_started = 127; // as shells have it

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// @return whether the other end was closed before `deadline`.
bool read_until(int fd, Clock::time_point deadline, std::string& output) {
    std::array<char, 16384> buffer{};
    while (true) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        ::pollfd ready{fd, POLLIN, 0};
        auto const woken = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
        if (woken < 0 && errno == EINTR) continue;
        if (woken <= 0) return false;
        auto const size = ::read(fd, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return true;
        auto const taken = std::min(static_cast<std::size_t>(size), most_output - output.size());
        output.append(buffer.data(), taken);
    }
}

/// Whether the process ended before `deadline`; then `status` is how.
bool await(::pid_t pid, Clock::time_point deadline, int& status) {
    constexpr auto pause = std::chrono::milliseconds{5}; // it has closed its output: it is about to end
    while (true) {
        auto const ended = ::waitpid(pid, &status, WNOHANG);
        if (ended == pid) return true;
        if (ended < 0 && errno != EINTR) return false;
        if (Clock::now() >= deadline) return false;
        ::usleep(static_cast<::useconds_t>(std::chrono::microseconds{pause}.count()));
    }
}

Ran outcome_of(::pid_t pid, int fd, std::chrono::milliseconds patience) {
    Ran ran;
    auto const deadline = Clock::now() + patience;
    int status = 0;
    if (!read_until(fd, deadline, ran.output) || !await(pid, deadline, status)) {
        ::kill(-pid, SIGKILL);
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        ran.end = Ran::End::timed_out;
        return ran;
    }
    ::kill(-pid, SIGKILL); // whatever it left behind
    ran.end = WIFSIGNALED(status) ? Ran::End::signalled : Ran::End::exited;
    ran.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return ran;
}

/// In the child, between fork and what comes next.
void begin(int out) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto const nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, STDIN_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::dup2(out, STDOUT_FILENO);
}

template <class Act>
Ran apart(Act act, std::chrono::milliseconds patience) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return {Ran::End::not_started, errno, {}};
    UniqueFd const reading{ends[0]};
    UniqueFd writing{ends[1]};
    auto const pid = ::fork();
    if (pid < 0) return {Ran::End::not_started, errno, {}};
    if (pid == 0) {
        begin(writing.get());
        act();
        ::_exit(exit_not_started);
    }
    ::setpgid(pid, pid);
    writing.reset();
    return outcome_of(pid, reading.get(), patience);
}

} // namespace

std::string Ran::how() const {
    switch (end) {
    case End::exited: return "exit code " + std::to_string(number);
    case End::signalled: return "signal " + std::to_string(number);
    case End::timed_out: return "no end";
    case End::not_started: return "not started";
    }
    return {};
}

Ran run_program(std::vector<std::string> command, std::vector<std::string> environment,
                std::chrono::milliseconds patience) {
    auto arguments = pointers_to(command);
    auto variables = pointers_to(environment);
    auto const start = [&] { ::execvpe(arguments[0], arguments.data(), variables.data()); };
    auto ran = apart(start, patience);
    if (ran.end == Ran::End::exited && ran.number == exit_not_started) ran.end = Ran::End::not_started;
    return ran;
}

Ran run_apart(std::function<void(int out)> const& act, std::chrono::milliseconds patience) {
    return apart(
        [&] {
            act(STDOUT_FILENO);
            ::_exit(EXIT_SUCCESS);
        },
        patience);
}

} // namespace tamga::cli

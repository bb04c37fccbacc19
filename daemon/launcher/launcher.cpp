#include "daemon/launcher/launcher.hpp"

#include "base/log.hpp"
#include "base/stop_reason.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tamga::launcher {

namespace {

using namespace std::chrono_literals;

constexpr auto first_delay = 100ms;
constexpr std::chrono::milliseconds longest_delay = 30s;
constexpr auto long_enough_alive = 10s;
constexpr auto too_long_to_wait = 1s; // for a page whose connection nobody answers yet
constexpr std::chrono::milliseconds patience_with_web = 3s;
constexpr std::chrono::milliseconds patience_with_others = 2s;
constexpr auto spare_prompt_life = 30s;
constexpr int exit_upgraded = 3;

UniqueFd watch_signals() {
    ::sigset_t watched;
    ::sigemptyset(&watched);
    for (int const signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP})
        ::sigaddset(&watched, signal);
    ::sigprocmask(SIG_BLOCK, &watched, nullptr);
    return UniqueFd{::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK)};
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return std::string{"signal "} + ::strsignal(WTERMSIG(status));
    return "exit code " + std::to_string(WEXITSTATUS(status));
}

} // namespace

Launcher::Launcher(Settings settings)
    : m_settings{std::move(settings)}, m_signals{watch_signals()}, m_listeners{m_settings.port} {
    append_allowed(m_service_environment, service_variables);
    m_prompt_environment = m_service_environment;
    append_allowed(m_prompt_environment, prompt_variables);
    append_allowed(m_prompt_environment, m_settings.more_prompt_variables);
    append_allowed(m_preview_environment, preview_variables);
}

int Launcher::run() {
    m_listeners.take_activated();
    start(add(Job::web));
    start(add(Job::count_modules));
    while (!finished())
        wait();
    log::info("stopped");
    return m_exit_code;
}

void Launcher::wait() {
    std::vector<::pollfd> polled{{m_signals.get(), POLLIN, 0}};
    std::vector<Child*> speakers;
    auto next = m_retry_listening;
    for (auto& child : m_children) {
        if (child.due && (!next || *child.due < *next)) next = child.due;
        if (!child.control) continue;
        polled.push_back({child.control.fd(), POLLIN, 0});
        speakers.push_back(&child);
    }

    ::timespec timeout{};
    if (next) {
        auto const left = std::max(std::chrono::nanoseconds{*next - Clock::now()}, 0ns);
        timeout = {left / 1s, (left % 1s).count()};
    }
    if (::ppoll(polled.data(), polled.size(), next ? &timeout : nullptr, nullptr) < 0) return;

    for (std::size_t i = 0; i < speakers.size(); ++i) {
        if (polled[i + 1].revents != 0) receive_one(*speakers[i]);
    }
    if (polled[0].revents != 0) read_signals();
    run_due();
}

void Launcher::read_signals() {
    ::signalfd_siginfo signal{};
    while (::read(m_signals.get(), &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGHUP)
            retire();
        else if (signal.ssi_signo != SIGCHLD)
            begin_stop(0);
    }
    reap_all();
}

void Launcher::run_due() {
    auto const now = Clock::now();
    if (m_retry_listening && *m_retry_listening <= now) open_missing_listeners();
    for (auto& child : m_children) {
        if (!child.due || *child.due > now) continue;
        child.due.reset();
        if (child.pid == 0) {
            bool const started = start(child);
            if (child.job == Job::prompt) child.due.reset(); // a spare that cannot be loaded waits for its request
            if (child.job == Job::prompt && started) child.due = now + spare_prompt_life;
            continue;
        }
        child.control.close(); // nobody is to be given work that it will not do
        kill_group(child);
    }
}

Launcher::Child& Launcher::add(Job job, ipc::ModuleIndex module) {
    auto& child = m_children.emplace_back();
    child.job = job;
    child.module = module;
    return child;
}

/// The window, or where that is not installed (it is a package of its own) pinentry's dialogues.
char const* Launcher::prompt_program() const {
    constexpr char const* window = "tamga-prompt";
    return ::access((m_settings.programs / window).c_str(), X_OK) == 0 ? window : "tamga-prompt-pinentry";
}

bool Launcher::start(Child& child) {
    char const* name = "tamga-token";
    std::vector<std::string> arguments;
    if (child.job == Job::web) name = "tamga-web";
    if (child.job == Job::prompt) name = prompt_program();
    if (child.job == Job::preview) name = "tamga-preview";
    if (child.job == Job::count_modules) arguments = {"--count"};
    if (child.job == Job::watcher) arguments = {"--watch"};
    if (child.job == Job::file) arguments = {"--file"};
    if (child.job == Job::token) arguments = {std::to_string(child.module.value())};
    if (child.job == Job::trust) arguments = {"trust", "--install", "--automatic"};

    child.started = Clock::now();
    auto const& environment = child.job == Job::prompt    ? m_prompt_environment
                              : child.job == Job::preview ? m_preview_environment
                                                          : m_service_environment;
    auto const program = child.job == Job::trust ? m_settings.trust_program : m_settings.programs / name;
    auto started = spawn(program, std::move(arguments), environment);
    if (!started) {
        log::error("start_failed", {{"program", program.filename().string()}, {"reason", started.error().detail}});
        child.due = child.started + longest_delay;
        if (child.job == Job::web) stop_listening();
        return false;
    }
    child.pid = started->pid;
    child.control = std::move(started->control);
    child.greeted = false;
    auto const cost = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - child.started);
    log::debug("started",
               {{"program", program.filename().string()}, {"pid", child.pid}, {"us", std::int64_t{cost.count()}}});
    introduce(child);
    return true;
}

void Launcher::kill_group(Child const& child) {
    if (child.pid != 0) ::kill(-child.pid, SIGKILL);
}

/// Tells a child to end by closing its control channel, and kills it where it does not.
void Launcher::end_softly(Child& child, std::chrono::milliseconds patience) {
    child.control.close();
    child.due = Clock::now() + patience;
}

/// A module that stops its process stops the watchdog in it, too.
void Launcher::kill_stopped() {
    while (true) {
        ::siginfo_t stopped{};
        if (::waitid(P_ALL, 0, &stopped, WSTOPPED | WNOHANG) != 0 || stopped.si_pid == 0) return;
        for (auto const& child : m_children) {
            if (child.pid != stopped.si_pid || child.job != Job::token) continue;
            log::warning("stopped", {{"pid", child.pid}, {"module", unsigned{child.module.value()}}});
            kill_group(child);
        }
    }
}

void Launcher::reap_all() {
    kill_stopped();
    while (true) {
        // First looked at, then reaped: until then its number, and so that of its group, belongs to nobody else.
        ::siginfo_t ended{};
        if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
        auto const child = std::find_if(m_children.begin(), m_children.end(),
                                        [&](Child const& each) { return each.pid == ended.si_pid; });
        if (child != m_children.end()) {
            kill_group(*child); // what it started
            while (receive_one(*child) == Heard::something)
                continue; // what it said last
        }
        int status = 0;
        ::waitpid(ended.si_pid, &status, 0);
        if (child == m_children.end()) continue;
        buried(*child, status);
        if (child->pid == 0 && !child->due) m_children.erase(child);
    }
}

/// Decides whether a child that ended lives again; without `due` afterwards it does not.
void Launcher::buried(Child& child, int status) {
    auto const done = child.job == Job::prompt || child.job == Job::file || child.job == Job::preview ||
                      child.job == Job::trust || (child.job == Job::count_modules && m_modules);
    child.pid = 0;
    child.control.close();
    child.due.reset();
    if (child.job == Job::token) {
        if (auto* web = running(Job::web)) tell(*web, ipc::TokenGone{child.module});
    }
    if (child.job == Job::web) {
        for (auto& other : m_children) {
            if (other.job == Job::prompt && other.pid != 0) end_softly(other, patience_with_others);
        }
    }
    if (m_retiring && child.job == Job::web) begin_stop(exit_upgraded);
    if (m_stopping) {
        if (child.job == Job::web) stop_rest();
        return;
    }
    if (child.job == Job::prompt && child.request != ipc::RequestId{}) {
        end_file_token(child.request);
        end_preview(child.request);
        hurry_spare_prompt();
    }
    if (done) return;

    auto const now = Clock::now();
    if (now - child.started >= long_enough_alive) child.delay = 0ms;
    child.delay = child.delay == 0ms ? first_delay : std::min(child.delay * 2, longest_delay);
    child.due = now + child.delay;
    constexpr char const* names[] = {"tamga-token --count", "tamga-web",          "tamga-token",   "tamga-prompt",
                                     "tamga-token --watch", "tamga-token --file", "tamga-preview", "tamga trust"};
    log::warning("ended", {{"program", names[static_cast<std::size_t>(child.job)]},
                           {"module", unsigned{child.module.value()}},
                           {"how", how_it_ended(status)},
                           {"restart_in_ms", std::int64_t{child.delay.count()}}});
    if (child.job == Job::web && child.delay >= too_long_to_wait) stop_listening();
}

void Launcher::begin_stop(int exit_code) {
    if (m_stopping) return;
    m_stopping = true;
    m_exit_code = exit_code;
    m_retry_listening.reset();
    for (auto& child : m_children) {
        if (child.pid == 0) child.due.reset();
    }
    if (auto* web = running(Job::web)) {
        tell(*web, ipc::Stop{});
        web->due = Clock::now() + patience_with_web;
    } else {
        stop_rest();
    }
}

/// Ends once what is asked for now is answered. The exit code has whoever started us start what is installed now.
void Launcher::retire() {
    if (m_stopping || m_retiring) return;
    m_retiring = true;
    m_retry_listening.reset();
    log::info("retiring", {{"reason", "ends when what was asked is answered, to be started anew"}});
    auto* web = running(Job::web);
    if (web == nullptr || !web->greeted) return begin_stop(exit_upgraded);
    tell(*web, ipc::Stop{static_cast<std::uint8_t>(ipc::StopReason::when_answered)});
}

void Launcher::stop_rest() {
    for (auto& child : m_children) {
        if (child.pid != 0) end_softly(child, patience_with_others);
    }
}

bool Launcher::finished() const {
    return m_stopping && std::all_of(m_children.begin(), m_children.end(), [](Child const& c) { return c.pid == 0; });
}

} // namespace tamga::launcher

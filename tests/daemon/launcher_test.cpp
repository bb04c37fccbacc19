// tamgad as a program, with stand-ins (tests/support/stub_child.cpp) for the three it starts.
#include "base/unique_fd.hpp"
#include "tests/support/scratch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace tamga {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::Test;

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds within = 5s) {
    auto const deadline = Clock::now() + within;
    while (!condition()) {
        if (Clock::now() > deadline) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

UniqueFd tcp_socket_on(char const* address, std::uint16_t port, std::uint16_t* chosen = nullptr) {
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int const on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = ::htons(port);
    ::inet_pton(AF_INET, address, &name.sin_addr);
    ::socklen_t size = sizeof name;
    if (::bind(fd.get(), reinterpret_cast<::sockaddr*>(&name), size) != 0 || ::listen(fd.get(), 1) != 0) return {};
    ::getsockname(fd.get(), reinterpret_cast<::sockaddr*>(&name), &size);
    if (chosen != nullptr) *chosen = ::ntohs(name.sin_port);
    return fd;
}

std::uint16_t free_port() {
    std::uint16_t port = 0;
    tcp_socket_on("127.0.0.1", 0, &port);
    return port;
}

int connect_to(char const* address, std::uint16_t port) {
    UniqueFd const fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ::sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = ::htons(port);
    ::inet_pton(AF_INET, address, &name.sin_addr);
    return ::connect(fd.get(), reinterpret_cast<::sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
}

mode_t mode_of(std::filesystem::path const& path) {
    struct ::stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

std::size_t count(std::string const& text, std::string const& word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
        ++found;
    return found;
}

/// The rest of each line that begins with `word`.
std::set<std::string> lines_after(std::string const& text, std::string const& word) {
    std::set<std::string> found;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(word)) found.insert(line.substr(word.size()));
    }
    return found;
}

pid_t pid_in(std::string const& facts) {
    auto const pids = lines_after(facts, "pid ");
    return pids.empty() ? 0 : std::stoi(*pids.begin());
}

/// Whether the process runs; one that ended and was not reaped does not.
bool is_running(pid_t pid) {
    std::string stat;
    std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/stat"}, stat);
    return !stat.empty() && stat.substr(stat.rfind(')') + 2, 1) != "Z";
}

class Launcher : public Test {
protected:
    void TearDown() override {
        if (m_pid != 0) static_cast<void>(stop());
    }

    /// Starts tamgad and waits until the stand-in for tamga-web has both tokens.
    void start(std::vector<std::string> more_environment = {}) {
        launch(std::move(more_environment));
        ASSERT_TRUE(eventually([&] { return ready(); })) << log();
    }

    void launch(std::vector<std::string> more_environment, std::vector<std::string> before = {}) {
        std::vector<std::string> arguments = std::move(before);
        arguments.insert(arguments.end(), {TAMGAD, "--port", std::to_string(m_port)});
        more_environment.insert(more_environment.end(),
                                {"HOME=/nonexistent", "XDG_RUNTIME_DIR=" + m_folder.path().string()});
        auto const pointers = [](std::vector<std::string>& strings) {
            std::vector<char*> all;
            for (auto& string : strings)
                all.push_back(string.data());
            all.push_back(nullptr);
            return all;
        };
        ::posix_spawn_file_actions_t files{};
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log_path().c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                           0600);
        ::posix_spawn_file_actions_addopen(&files, 9, "/dev/null", O_RDONLY, 0); // an open file nobody should inherit
        ASSERT_EQ(::posix_spawn(&m_pid, arguments[0].c_str(), &files, nullptr, pointers(arguments).data(),
                                pointers(more_environment).data()),
                  0);
        ::posix_spawn_file_actions_destroy(&files);
    }

    bool ready() {
        auto const events = ask("events");
        return events.find("token 0") != std::string::npos && events.find("token 1") != std::string::npos;
    }

    /// SIGTERM. @return the exit code, -1 when it did not end within 8 s.
    int stop() {
        ::kill(m_pid, SIGTERM);
        int status = 0;
        auto const ended = eventually([&] { return ::waitpid(m_pid, &status, WNOHANG) == m_pid; }, 8s);
        if (!ended) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, &status, 0);
        }
        m_pid = 0;
        return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    /// One line to the stand-in for tamga-web, and its answer; empty where it is not there.
    std::string ask(std::string const& line) {
        UniqueFd const fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        socket_path().string().copy(name.sun_path, sizeof name.sun_path - 1);
        if (::connect(fd.get(), reinterpret_cast<::sockaddr*>(&name), sizeof name) != 0) return {};
        ::timeval const patience{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL);
        std::string answer;
        std::array<char, 4096> buffer{};
        for (ssize_t size = 0; (size = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;) {
            answer.append(buffer.data(), static_cast<std::size_t>(size));
        }
        return answer;
    }

    /// What tamgad started under this name and what still runs.
    std::vector<pid_t> children(std::string const& name) const {
        std::vector<pid_t> found;
        std::ifstream list{"/proc/" + std::to_string(m_pid) + "/task/" + std::to_string(m_pid) + "/children"};
        for (pid_t pid = 0; list >> pid;) {
            std::string command;
            std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/comm"}, command);
            if (command == name && is_running(pid)) found.push_back(pid);
        }
        return found;
    }

    /// The prompt that waits for the next request once the process `first` of the last one has gone; 0: none came.
    pid_t spare_after(pid_t first) const {
        std::vector<pid_t> now;
        bool const found = eventually([&] {
            now = children("tamga-prompt");
            return now.size() == 1 && now.front() != first;
        });
        return found ? now.front() : 0;
    }

    /// The exit code, -1 where it does not end within 8 s.
    int ended() {
        int status = 0;
        if (!eventually([&] { return ::waitpid(m_pid, &status, WNOHANG) == m_pid; }, 8s)) return -1;
        m_pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    /// What the stand-in for `tamga` was started with; empty while it was not.
    std::string trust_facts() const {
        std::ostringstream text;
        text << std::ifstream{m_folder.path() / "trust"}.rdbuf();
        return text.str();
    }

    std::filesystem::path socket_path() const { return m_folder.path() / "tamga/api.sock"; }
    std::string log_path() const { return (m_folder.path() / "log").string(); }
    std::string log() const {
        std::ostringstream text;
        text << std::ifstream{log_path()}.rdbuf();
        return text.str();
    }

    test::Scratch m_folder;
    std::uint16_t m_port = free_port();
    pid_t m_pid = 0;
};

TEST_F(Launcher, GivesTheWebProcessItsListenersAndTheTokens) {
    start();

    auto const events = ask("events");

    EXPECT_EQ(count(events, "listener " + std::to_string(m_port) + "\n"), 2U) << events; // 127.0.0.1 and ::1
    EXPECT_EQ(count(events, "listener 0\n"), 1U) << events;
    EXPECT_EQ(lines_after(ask("token 1"), "pid ").size(), 1U);
}

TEST_F(Launcher, ChildrenSeeTheListedEnvironmentAlone) {
    start({"LD_PRELOAD=/nonexistent/planted.so", "LD_LIBRARY_PATH=/nonexistent", "PATH=/usr/bin", "LC_TIME=C",
           "LANG=kk_KZ.UTF-8", "DISPLAY=:99", "TAMGA_PROMPT_SCRIPT=script", "XDG_STATE_HOME=/nonexistent/state"});

    auto const runtime = "XDG_RUNTIME_DIR=" + m_folder.path().string();
    std::set<std::string> const services{"HOME=/nonexistent", runtime, "LC_TIME=C", "LANG=kk_KZ.UTF-8",
                                         "XDG_STATE_HOME=/nonexistent/state"};
    auto prompt = services;
    prompt.insert({"DISPLAY=:99", "TAMGA_PROMPT_SCRIPT=script"});

    EXPECT_EQ(lines_after(ask("facts"), "env "), services);
    EXPECT_EQ(lines_after(ask("token 0"), "env "), services);
    EXPECT_EQ(lines_after(ask("prompt 1 0"), "env "), prompt);
}

TEST_F(Launcher, ChildrenInheritTheirControlChannelAndNothingElse) {
    start();

    std::set<std::string> const expected{"0", "1", "2", "3"};
    EXPECT_EQ(lines_after(ask("facts"), "fd "), expected);
    EXPECT_EQ(lines_after(ask("token 0"), "fd "), expected);
    EXPECT_EQ(lines_after(ask("prompt 1 3"), "fd "), expected);
}

TEST_F(Launcher, EachChildLeadsAGroupOfItsOwn) {
    start();

    auto const facts = ask("token 0");

    EXPECT_EQ(lines_after(facts, "group "), lines_after(facts, "pid "));
}

TEST_F(Launcher, AKilledTokenIsStartedAgainAndTheWebProcessIsTold) {
    start();
    auto const first = pid_in(ask("token 0"));

    ASSERT_GT(first, 0);
    ASSERT_EQ(::kill(first, SIGKILL), 0);

    ASSERT_TRUE(eventually([&] { return count(ask("events"), "token 0\n") == 2; })) << log();
    EXPECT_LT(ask("events").find("gone 0\n"), ask("events").rfind("token 0\n"));
    EXPECT_NE(pid_in(ask("token 0")), first);
    EXPECT_NE(log().find("restart_in_ms=100"), std::string::npos) << log();
}

TEST_F(Launcher, TheSecondRestartWaitsTwiceAsLong) {
    start();
    for (std::size_t life = 2; life <= 3; ++life) {
        auto const pid = pid_in(ask("token 0"));
        ASSERT_GT(pid, 0);
        ::kill(pid, SIGKILL);
        ASSERT_TRUE(eventually([&] { return count(ask("events"), "token 0\n") == life; })) << log();
    }

    EXPECT_NE(log().find("restart_in_ms=200"), std::string::npos) << log();
}

TEST_F(Launcher, IntroducesTheWatcherToEveryTokenAndAgainAfterEitherDied) {
    start();
    auto const watcher_of = [&](char const* token) {
        auto const names = lines_after(ask(token), "watched by ");
        return names.empty() || *names.begin() == "nobody" ? 0 : std::stoi(*names.begin());
    };
    ASSERT_TRUE(eventually([&] { return watcher_of("token 0") > 0 && watcher_of("token 1") > 0; })) << log();
    auto const first = watcher_of("token 0");
    EXPECT_EQ(watcher_of("token 1"), first);

    ::kill(first, SIGKILL);
    ASSERT_TRUE(eventually([&] { return watcher_of("token 0") != first && watcher_of("token 1") != first; })) << log();
    auto const second = watcher_of("token 0");
    EXPECT_NE(log().find("program=\"tamga-token --watch\""), std::string::npos) << log();

    ::kill(pid_in(ask("token 1")), SIGKILL);
    ASSERT_TRUE(eventually([&] { return count(ask("events"), "token 1\n") == 2; })) << log();
    EXPECT_TRUE(eventually([&] { return watcher_of("token 1") == second; })) << log();
}

TEST_F(Launcher, CarriesWordsBetweenPromptTokenAndWeb) {
    start();

    auto const both = ask("prompt 1 3");
    auto const second = ask("prompt 2 2");

    EXPECT_EQ(both.substr(0, both.find("pid ")), "module 0 request 1\nmodule 1 request 1\n");
    EXPECT_EQ(second.substr(0, second.find("pid ")), "module 1 request 2\n");
}

TEST_F(Launcher, StartsAProcessForAKeyFileWhenAPromptWantsOneAndEndsItWithThePrompt) {
    start();
    auto const tokens = children("tamga-token").size();

    EXPECT_EQ(ask("prompt 100 0").substr(0, 17), "file request 100\n");

    EXPECT_NE(ask("events").find("file 100"), std::string::npos) << "tamga-web has its end";
    EXPECT_TRUE(eventually([&] { return children("tamga-token").size() == tokens; })) << "and it is gone";
    EXPECT_EQ(log().find("restart_in_ms"), std::string::npos) << "for good";
}

TEST_F(Launcher, StartsAPreviewForEachPictureWithNothingOfTheirsAndEndsItWithThePrompt) {
    start({"DISPLAY=:99", "LANG=kk_KZ.UTF-8", "TAMGA_PROMPT_SCRIPT=script"});

    auto const said = ask("prompt 200 0");

    EXPECT_EQ(count(said, "preview request 200\n"), 2U) << said;
    auto const previews = said.substr(0, said.rfind("preview request 200\n"));
    EXPECT_EQ(lines_after(previews, "env "), std::set<std::string>{}) << "not even a home";
    EXPECT_EQ(lines_after(previews, "fd "), (std::set<std::string>{"0", "1", "2", "3"}));
    EXPECT_TRUE(eventually([&] { return children("tamga-preview").empty(); })) << "and both are gone";
    EXPECT_EQ(log().find("restart_in_ms"), std::string::npos) << "for good";
}

TEST_F(Launcher, TheNextWindowIsShownByAProcessThatWasWaitingForIt) {
    start();
    auto const waiting = spare_after(pid_in(ask("prompt 1 0")));
    ASSERT_NE(waiting, 0);

    EXPECT_EQ(pid_in(ask("prompt 2 3")), waiting);
    EXPECT_NE(ask("prompt 3 3").find("module 1 request 3"), std::string::npos);
}

TEST_F(Launcher, AnEndedSparePromptIsReplacedWhenAWindowIsNeeded) {
    start();
    auto const waiting = spare_after(pid_in(ask("prompt 1 0")));
    ASSERT_NE(waiting, 0);
    ::kill(waiting, SIGKILL);
    ASSERT_TRUE(eventually([&] { return children("tamga-prompt").empty(); }));

    EXPECT_NE(ask("prompt 2 3").find("module 1 request 2"), std::string::npos);
}

TEST_F(Launcher, RefusesARequestNumberThatDoesNotCountUp) {
    start();
    ASSERT_NE(ask("prompt 5 0"), "refused");

    EXPECT_EQ(ask("prompt 5 0"), "refused");
    EXPECT_EQ(ask("prompt 4 0"), "refused");
    EXPECT_NE(ask("prompt 6 0"), "refused");
}

TEST_F(Launcher, RefusesAPromptForAModuleThatIsNotConfigured) {
    start();

    EXPECT_EQ(ask("prompt 1 4"), "refused");
}

TEST_F(Launcher, EndsAWebProcessThatSaysAnythingElseAndStartsAnother) {
    start();
    auto const first = pid_in(ask("facts"));
    ASSERT_NE(ask("prompt 7 0"), "refused");

    ask("misbehave");

    ASSERT_TRUE(eventually([&] { return ready() && pid_in(ask("facts")) != first; })) << log();
    EXPECT_NE(log().find("message_malformed"), std::string::npos) << log();
    EXPECT_NE(ask("prompt 1 3").find("module 1 request 1"), std::string::npos); // a new process counts anew
}

TEST_F(Launcher, EndsWithItsChildrenOnSigterm) {
    start();
    auto const web = pid_in(ask("facts"));
    auto const token = pid_in(ask("token 0"));

    auto const began = Clock::now();
    EXPECT_EQ(stop(), 0) << log();

    EXPECT_LT(Clock::now() - began, 2s);
    EXPECT_FALSE(is_running(web));
    EXPECT_FALSE(is_running(token));
    EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(Launcher, OnSighupItEndsWhenItsWebProcessHasAnsweredAndAsksToBeStartedAnew) {
    start();

    ::kill(m_pid, SIGHUP);

    ASSERT_TRUE(eventually([&] { return count(ask("events"), "finish") == 1; })) << log();
    EXPECT_NE(ask("prompt 1 3").find("module 1"), std::string::npos) << "what is under way still gets its window";
    EXPECT_TRUE(is_running(m_pid));
    ask("answered");
    EXPECT_EQ(ended(), 3);
}

TEST_F(Launcher, EndsAtOnceOnSigtermAlsoWhileAnswersAreWaitedFor) {
    start();
    ::kill(m_pid, SIGHUP);
    ASSERT_TRUE(eventually([&] { return count(ask("events"), "finish") == 1; })) << log();

    EXPECT_EQ(stop(), 0);
}

TEST_F(Launcher, StartsTheOneProgramThatInstallsTrustOnceAndWithNothingOfTheirs) {
    start();

    ASSERT_TRUE(eventually([&] { return count(trust_facts(), "fd ") == 4; })) << trust_facts();
    EXPECT_TRUE(trust_facts().starts_with("arguments trust --install --automatic\n")) << trust_facts();
    EXPECT_EQ(lines_after(trust_facts(), "env "),
              (std::set<std::string>{"HOME=/nonexistent", "XDG_RUNTIME_DIR=" + m_folder.path().string()}));

    auto const first = pid_in(ask("facts"));
    ::kill(first, SIGKILL);
    ASSERT_TRUE(eventually([&] { return ready() && pid_in(ask("facts")) != first; })) << log();
    EXPECT_EQ(count(trust_facts(), "arguments"), 1U) << "a restart of tamga-web is no start of Tamga";
    EXPECT_EQ(count(log(), "tamga trust"), 0U) << "that it ends is nothing to be mended";
}

TEST_F(Launcher, ListensToNobodyWhileItsWebProcessCannotStart) {
    auto const fails = m_folder.path() / "web-fails";
    std::ofstream{fails}.close();
    launch({});
    ASSERT_TRUE(eventually([&] { return count(log(), "program=\"tamga-web\"") >= 2; })) << log();

    EXPECT_EQ(connect_to("127.0.0.1", m_port), ECONNREFUSED);
    EXPECT_FALSE(std::filesystem::exists(socket_path()));

    std::filesystem::remove(fails);
    ASSERT_TRUE(eventually([&] { return ready(); })) << log();
    EXPECT_EQ(connect_to("127.0.0.1", m_port), 0);
}

TEST_F(Launcher, KeepsItsPortsWhileTheWebProcessIsStartedAgain) {
    start();

    ASSERT_EQ(::kill(pid_in(ask("facts")), SIGKILL), 0);

    ASSERT_TRUE(eventually([&] { return log().find("program=\"tamga-web\"") != std::string::npos; })) << log();
    EXPECT_EQ(connect_to("127.0.0.1", m_port), 0);
    EXPECT_TRUE(eventually([&] { return ready(); })) << log();
    EXPECT_EQ(count(log(), "listening on=\"127.0.0.1\""), 1U) << log();
}

TEST_F(Launcher, ClosesItsPortsAndSaysSoWhereTheWebProcessKeepsEnding) {
    start();
    auto const fails = m_folder.path() / "web-fails";
    std::ofstream{fails}.close();

    ASSERT_EQ(::kill(pid_in(ask("facts")), SIGKILL), 0);

    ASSERT_TRUE(eventually([&] { return log().find("not_listening") != std::string::npos; })) << log();
    EXPECT_EQ(connect_to("127.0.0.1", m_port), ECONNREFUSED);
    std::filesystem::remove(fails);
    ASSERT_TRUE(eventually([&] { return ready(); })) << log();
    EXPECT_EQ(connect_to("127.0.0.1", m_port), 0);
}

TEST_F(Launcher, KillsAWebProcessThatDoesNotStopWithinThreeSeconds) {
    start({"TAMGA_DEBUG=1"}); // which the stand-in takes as a reason not to obey

    auto const began = Clock::now();
    EXPECT_EQ(stop(), 0) << log();

    EXPECT_GE(Clock::now() - began, 3s);
    EXPECT_LT(Clock::now() - began, 5s);
}

TEST_F(Launcher, ChildrenEndWhenItIsKilled) {
    start();
    auto const token = pid_in(ask("token 0"));

    ::kill(m_pid, SIGKILL);
    ::waitpid(std::exchange(m_pid, 0), nullptr, 0);

    EXPECT_TRUE(eventually([&] { return !is_running(token); }));
}

TEST_F(Launcher, NamesWhoHasThePortAndTakesItWhenItIsFree) {
    auto squatter = tcp_socket_on("127.0.0.1", m_port);
    ASSERT_TRUE(squatter);
    start();
    auto const owner =
        "uid " + std::to_string(::getuid()) + ", process-launcher (pid " + std::to_string(::getpid()) + ")";
    EXPECT_NE(log().find("port_taken port=" + std::to_string(m_port) + " owner=\"" + owner), std::string::npos)
        << log();

    squatter.reset();

    EXPECT_TRUE(eventually([&] { return count(ask("events"), "listener " + std::to_string(m_port) + "\n") == 2; }));
    EXPECT_EQ(connect_to("127.0.0.1", m_port), 0);
}

TEST_F(Launcher, ReplacesALocalSocketThatACrashLeftBehind) {
    start();
    ::kill(m_pid, SIGKILL);
    ::waitpid(std::exchange(m_pid, 0), nullptr, 0);
    ASSERT_TRUE(std::filesystem::exists(socket_path()));
    ASSERT_TRUE(eventually([&] { return ask("events").empty(); }));

    start();
}

TEST_F(Launcher, S3ListensOnTheLoopbackAddressesAlone) {
    start();

    EXPECT_EQ(connect_to("127.0.0.1", m_port), 0);
    EXPECT_EQ(connect_to("127.0.0.2", m_port), ECONNREFUSED);
    std::ostringstream hexadecimal;
    hexadecimal << ':' << std::uppercase << std::hex << m_port << ' ';
    for (char const* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file{table};
        for (std::string line; std::getline(file, line);) {
            if (line.find(hexadecimal.str()) == std::string::npos || line.find(" 0A ") == std::string::npos) continue;
            auto const address = line.substr(line.find(": ") + 2, line.find(hexadecimal.str()) - line.find(": ") - 2);
            EXPECT_TRUE(address == "0100007F" || address == "00000000000000000000000001000000") << line;
        }
    }
}

TEST_F(Launcher, S24LocalSocketIsPrivateWhateverTheUmask) {
    auto const before = ::umask(0);
    start();
    ::umask(before);

    EXPECT_EQ(mode_of(socket_path()), mode_t{0600});
    EXPECT_EQ(mode_of(socket_path().parent_path()), mode_t{0700});
}

TEST_F(Launcher, NamesTheArgumentItDoesNotUnderstand) {
    for (std::string const wrong : {"--verbose", "13579", "--port"}) {
        auto const ran = m_folder.attempt(TAMGAD " --port 1 " + wrong);

        EXPECT_EQ(ran.status, 2);
        EXPECT_NE(ran.output.find(": " + wrong + "\n"), std::string::npos) << ran.output;
    }
    EXPECT_NE(m_folder.attempt(TAMGAD " --port 65536").output.find(": 65536\n"), std::string::npos);
    EXPECT_EQ(m_folder.attempt(TAMGAD " --help").status, 0);
}

TEST_F(Launcher, TakesSocketsThatSystemdOpened) {
    if (::access("/usr/bin/systemd-socket-activate", X_OK) != 0) GTEST_SKIP() << "systemd-socket-activate is missing";
    auto const activated = free_port();
    launch({}, {"/usr/bin/systemd-socket-activate", "-l", "127.0.0.1:" + std::to_string(activated), "-E",
                "HOME=/nonexistent", "-E", "XDG_RUNTIME_DIR=" + m_folder.path().string()});

    ASSERT_TRUE(eventually([&] { return connect_to("127.0.0.1", activated) == 0; }));

    ASSERT_TRUE(eventually([&] { return ready(); })) << log();
    EXPECT_EQ(count(ask("events"), "listener " + std::to_string(activated) + "\n"), 1U) << ask("events");
    EXPECT_EQ(connect_to("127.0.0.1", m_port), ECONNREFUSED);
    EXPECT_EQ(lines_after(ask("facts"), "env LISTEN").size(), 0U);
}

} // namespace
} // namespace tamga

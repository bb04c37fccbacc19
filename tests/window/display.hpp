// A display of one's own and the real tamga-prompt on it, driven by keyboard. Needs Xvfb, xdotool and ImageMagick's
// import: where one is missing, the test fails.
#pragma once

#include "daemon/launcher/spawn.hpp"
#include "tests/support/prompt_peers.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <xcb/xcb.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace tamga::testing {

/// Ended and waited for on destruction.
class Process {
public:
    Process() = default;
    Process(std::vector<std::string> arguments, std::vector<std::string> environment, int passed_fd, int as_fd) {
        ::posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, passed_fd, as_fd);
        auto const failed = ::posix_spawnp(&m_pid, arguments[0].c_str(), &actions, nullptr, pointers(arguments).data(),
                                           pointers(environment).data());
        ::posix_spawn_file_actions_destroy(&actions);
        EXPECT_EQ(failed, 0) << "cannot start " << arguments[0];
        if (failed != 0) m_pid = -1;
    }
    Process(Process const&) = delete;
    Process& operator=(Process const&) = delete;
    ~Process() {
        if (m_pid <= 0) return;
        ::kill(m_pid, SIGTERM);
        ::waitpid(m_pid, nullptr, 0);
    }
    /// Its exit status as waitpid gives it.
    int wait() {
        int status = -1;
        ::waitpid(std::exchange(m_pid, -1), &status, 0);
        return status;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> list;
        for (auto& text : texts)
            list.push_back(text.data());
        list.push_back(nullptr);
        return list;
    }
    ::pid_t m_pid = -1;
};

/// Xvfb on a number it finds free itself.
class Display {
public:
    Display() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        UniqueFd const reading{ends[0]};
        UniqueFd writing{ends[1]};
        m_server = std::make_unique<Process>(std::vector<std::string>{"Xvfb", "-displayfd", "9", "-screen", "0",
                                                                      "1280x900x24", "-nolisten", "tcp", "-noreset"},
                                             std::vector<std::string>{"PATH=/usr/bin:/bin"}, writing.get(), 9);
        writing.reset();
        for (char c = 0; ::read(reading.get(), &c, 1) == 1 && c != '\n';)
            m_number += c;
        EXPECT_FALSE(m_number.empty()) << "Xvfb did not start";
    }
    [[nodiscard]] std::string name() const { return ":" + m_number; }

    /// The root window's number: giving it the keyboard takes it from every other window.
    [[nodiscard]] std::string root() const {
        auto* connection = ::xcb_connect(name().c_str(), nullptr);
        auto const number = ::xcb_setup_roots_iterator(::xcb_get_setup(connection)).data->root;
        ::xcb_disconnect(connection);
        return std::to_string(number);
    }

    /// Runs a tool on this display and gives what it printed.
    std::string run(std::string const& command) const {
        std::unique_ptr<FILE, int (*)(FILE*)> const tool{::popen(("DISPLAY=" + name() + ' ' + command).c_str(), "r"),
                                                         &::pclose};
        std::string output;
        for (int c = 0; (c = std::fgetc(tool.get())) != EOF;)
            output += static_cast<char>(c);
        if (!output.empty() && output.back() == '\n') output.pop_back();
        return output;
    }

private:
    std::unique_ptr<Process> m_server;
    std::string m_number;
};

/// The program under test; defined beside the tests, where its path is known.
extern char const* const prompt_program;

/// Defined beside the tests, too.
extern char const* const preview_program;

/// What becomes of a tamga-preview that the window wants.
enum class Previews : std::uint8_t { work, cannot_be_started, are_killed, say_nothing };

/// tamga-prompt as tamgad starts it; the test is tamgad and tamga-web.
class RealPrompt {
public:
    RealPrompt(std::string const& display, std::vector<FakeToken*> const& tokens,
               std::string const& home = "/nonexistent") {
        auto control = ipc::make_pair();
        auto web_pair = ipc::make_pair();
        std::vector<std::string> environment{"PATH=/usr/bin:/bin", "HOME=" + home, "TAMGA_DEBUG=1",
                                             "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent",
                                             "ASAN_OPTIONS=detect_leaks=0"};
        if (!display.empty()) environment.push_back("DISPLAY=" + display);
        m_process =
            std::make_unique<Process>(std::vector<std::string>{prompt_program}, environment, control->second.fd(), 3);
        control->second.close();
        auto& launcher = control->first;
        EXPECT_TRUE(ipc::say_hello(launcher, ipc::Role::launcher));
        EXPECT_TRUE(ipc::await_hello(launcher, ipc::Role::prompt, std::chrono::seconds{20}));
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            auto pair = ipc::make_pair();
            ipc::ModuleIndex const module{static_cast<std::uint8_t>(i)};
            EXPECT_TRUE(launcher.send(ipc::TokenChannel{module}, {pair->second.fd()}));
            tokens[i]->serve(std::move(pair->first));
        }
        EXPECT_TRUE(launcher.send(ipc::WebChannel{ipc::RequestId{7}}, {web_pair->second.fd()}));
        web_pair->second.close();
        web = std::move(web_pair->first);
        EXPECT_TRUE(ipc::say_hello(web, ipc::Role::web));
        EXPECT_TRUE(ipc::await_hello(web, ipc::Role::prompt, std::chrono::seconds{20}));
        m_control = std::move(launcher);
    }
    RealPrompt(RealPrompt const&) = delete;
    RealPrompt& operator=(RealPrompt const&) = delete;
    ~RealPrompt() {
        m_process.reset();
        if (m_tamgad.joinable()) m_tamgad.join();
        end_preview();
    }
    int wait() { return m_process->wait(); }

    /// Plays tamgad for previews alone, until the prompt has gone.
    void serve_previews(Previews fate) {
        m_tamgad = std::thread{[this, fate] {
            while (auto packet = m_control.receive()) {
                EXPECT_TRUE(packet->is<ipc::PreviewWanted>());
                end_preview();
                ++previews_wanted;
                introduce_preview(fate);
            }
        }};
    }
    std::atomic<int> previews_wanted = 0;

    /// Waits until the prompt asks for the process of a key file, and has `file` play it.
    void introduce(FakeToken& file) {
        auto packet = m_control.receive(std::chrono::seconds{20});
        ASSERT_TRUE(packet && packet->is<ipc::FileTokenWanted>());
        auto pair = ipc::make_pair();
        ASSERT_TRUE(m_control.send(ipc::FileTokenChannel{ipc::RequestId{7}}, {pair->second.fd()}));
        file.serve(std::move(pair->first));
    }

    ipc::Channel web;

private:
    void introduce_preview(Previews fate) {
        ipc::PreviewChannel const introduced{ipc::RequestId{7}};
        auto pair = ipc::make_pair();
        switch (fate) {
        case Previews::cannot_be_started: EXPECT_TRUE(m_control.send(introduced)); return;
        case Previews::say_nothing: m_silent = std::move(pair->second); break;
        case Previews::work:
        case Previews::are_killed:
            auto started = launcher::spawn(preview_program, {}, {});
            ASSERT_TRUE(started) << started.error().detail;
            m_preview = started->pid;
            m_preview_control = std::move(started->control);
            EXPECT_TRUE(ipc::say_hello(m_preview_control, ipc::Role::launcher));
            EXPECT_TRUE(ipc::await_hello(m_preview_control, ipc::Role::preview, std::chrono::seconds{20}));
            if (fate == Previews::are_killed) ::kill(m_preview, SIGKILL);
            // One that was killed takes its end with it.
            static_cast<void>(m_preview_control.send(introduced, {pair->second.fd()}));
            pair->second.close();
        }
        EXPECT_TRUE(m_control.send(introduced, {pair->first.fd()}));
    }
    void end_preview() {
        m_silent.close();
        m_preview_control.close();
        if (m_preview == 0) return;
        ::kill(m_preview, SIGKILL);
        ::waitpid(std::exchange(m_preview, 0), nullptr, 0);
    }

    ipc::Channel m_control;
    std::unique_ptr<Process> m_process;
    std::thread m_tamgad;
    ipc::Channel m_silent;
    ipc::Channel m_preview_control;
    ::pid_t m_preview = 0;
};

} // namespace tamga::testing

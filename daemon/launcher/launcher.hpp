// tamgad: starts the programs that do the work, makes every private pair between them, keeps one control channel to
// each, and does nothing else. One thread, one ppoll(2); asleep unless a child speaks or ends. From its children it
// takes fixed-size control messages alone; one that says anything else is ended.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"
#include "daemon/launcher/listeners.hpp"
#include "daemon/launcher/spawn.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <list>
#include <optional>
#include <span>
#include <string_view>

namespace tamga::launcher {

struct Settings {
    std::filesystem::path programs;      ///< the folder of those it starts
    std::filesystem::path trust_program; ///< `tamga`, which has browsers trust our certificate; empty: nobody does
    std::uint16_t port = 13579;
    std::span<std::string_view const> more_prompt_variables;
};

class Launcher {
public:
    explicit Launcher(Settings settings);

    /// Runs until SIGTERM or SIGINT. After SIGHUP, or when a child of another build shows that we were upgraded, until
    /// tamga-web has answered what it was asked.
    /// @return the exit code of the program.
    int run();

private:
    using Clock = std::chrono::steady_clock;
    enum class Job : std::uint8_t { count_modules, web, token, prompt, watcher, file, preview, trust };

    /// A child, or between two lives of it the intention to start it again.
    struct Child {
        Job job{};
        ipc::ModuleIndex module; ///< of a token
        ipc::RequestId request;  ///< of a prompt; none yet: a spare one. Of the file or the preview a prompt asked for
        pid_t pid = 0;           ///< 0: not running
        ipc::Channel control;
        bool greeted = false;
        Clock::time_point started;
        std::chrono::milliseconds delay{0};   ///< before its next start
        std::optional<Clock::time_point> due; ///< running: to be killed then; not running: to be started then
    };

    // launcher.cpp: lives and deaths
    Child& add(Job job, ipc::ModuleIndex module = {});
    [[nodiscard]] char const* prompt_program() const;
    bool start(Child& child);
    void kill_group(Child const& child);
    void end_softly(Child& child, std::chrono::milliseconds patience);
    void kill_stopped();
    void reap_all();
    void buried(Child& child, int status);
    void begin_stop(int exit_code);
    void retire();
    void stop_rest();
    [[nodiscard]] bool finished() const;
    void wait();
    void read_signals();
    void run_due();

    // wiring.cpp: messages and pairs
    enum class Heard : std::uint8_t { nothing, something };
    Heard receive_one(Child& child);
    Result<void> handle(Child& child, ipc::Packet& packet);
    Result<void> modules_counted(ipc::Packet& packet);
    Result<void> prompt_wanted(Child& web, ipc::Packet& packet);
    bool start_prompt(Child& web, ipc::PromptWanted const& wanted);
    Result<void> file_token_wanted(Child& prompt);
    bool start_file_token(Child& prompt, Child& web);
    void end_file_token(ipc::RequestId request);
    Result<void> preview_wanted(Child& prompt);
    bool start_preview(Child& prompt);
    void end_preview(ipc::RequestId request);
    Child* spare_prompt();
    void plan_spare_prompt();
    void hurry_spare_prompt();
    void install_trust();
    void introduce(Child& child);
    void connect_to_web(Child& token);
    void connect_to_watcher(Child& token);
    /// Sends without waiting: a child that does not read what we say is of no use, and must not hold us up.
    template <class M>
    void tell(Child& child, M const& message, std::initializer_list<int> descriptors = {}) {
        told(child, child.control.try_send(message, descriptors));
    }
    void told(Child& child, Result<void> const& sent);
    template <class A, class B>
    bool connect(Child& first, A const& to_first, Child& second, B const& to_second);
    void listen();
    void open_missing_listeners();
    void stop_listening();
    void offer(std::vector<Listening const*> const& listening);
    Child* running(Job job, ipc::ModuleIndex module = {});

    Settings m_settings;
    Environment m_service_environment;
    Environment m_prompt_environment;
    Environment m_preview_environment;
    UniqueFd m_signals;
    Listeners m_listeners;
    std::list<Child> m_children;
    std::optional<Clock::time_point> m_retry_listening;
    std::optional<std::size_t> m_modules; ///< as `tamga-token --count` said
    ipc::RequestId m_last_request;
    bool m_trust_installed = false; ///< or tried to
    bool m_retiring = false;        ///< to be started anew once tamga-web has answered
    bool m_stopping = false;
    int m_exit_code = 0;
};

} // namespace tamga::launcher

// tamga-web's side of the control channel: the only way it gets sockets, token processes and prompts.
#pragma once

#include "daemon/async_channel.hpp"

#include <functional>
#include <map>
#include <memory>

namespace tamga::daemon {

/// What tamgad hands over or reports. Each is called on the loop thread.
struct LauncherEvents {
    std::function<void(ipc::Listener, UniqueFd)> listener;
    std::function<void(ipc::ModuleIndex, ipc::Channel)> token_up;
    std::function<void(ipc::ModuleIndex)> token_gone;
    std::function<void(ipc::RequestId, ipc::Channel)> file_token_up; ///< of the key file of a request
    std::function<void()> stop;
    std::function<void()> finish; ///< stop as soon as what was asked is answered
};

class LauncherLink {
public:
    LauncherLink(asio::any_io_executor executor, ipc::Channel control, LauncherEvents events);

    /// Reads control messages until tamgad stops us or is gone. Run once, for the life of the program.
    Task<void> run();

    /// Asks for a prompt that may speak with `modules` (bit n: module n). @return our end of the pair to it.
    /// Errors: prompt_unavailable (none could be started), channel_closed.
    Task<Result<ipc::Channel>> start_prompt(ipc::RequestId request, std::uint64_t modules);

private:
    using PromptAnswer = Result<ipc::Channel>;

    void dispatch(ipc::Packet& packet);

    asio::any_io_executor m_executor;
    AsyncChannel m_control;
    LauncherEvents m_events;
    std::map<ipc::RequestId, std::shared_ptr<Mailbox<PromptAnswer>>> m_waiting;
};

} // namespace tamga::daemon

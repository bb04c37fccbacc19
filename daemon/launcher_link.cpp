#include "daemon/launcher_link.hpp"

#include "base/log.hpp"
#include "base/stop_reason.hpp"

namespace tamga::daemon {

namespace {

constexpr std::chrono::seconds prompt_start_limit{10};

UniqueFd take_descriptor(ipc::Packet& packet) {
    return packet.descriptors.empty() ? UniqueFd{} : std::move(packet.descriptors.front());
}

} // namespace

LauncherLink::LauncherLink(asio::any_io_executor executor, ipc::Channel control, LauncherEvents events)
    : m_executor{executor}, m_control{executor, std::move(control)}, m_events{std::move(events)} {}

Task<void> LauncherLink::run() {
    auto said = co_await m_control.send(ipc::Hello::from(ipc::Role::web));
    auto first = co_await m_control.receive();
    if (!said || !first || !ipc::check_hello(*first, ipc::Role::launcher)) {
        log::error("launcher", {{"outcome", "no greeting of this build"}});
        m_events.stop();
        co_return;
    }
    while (true) {
        auto packet = co_await m_control.receive();
        if (!packet) break;
        dispatch(*packet);
    }
    m_events.stop();
}

void LauncherLink::dispatch(ipc::Packet& packet) {
    if (auto listener = packet.as<ipc::Listener>()) return m_events.listener(*listener, take_descriptor(packet));
    if (auto token = packet.as<ipc::TokenChannel>()) {
        return m_events.token_up(token->module, ipc::Channel{take_descriptor(packet)});
    }
    if (auto file = packet.as<ipc::FileTokenChannel>()) {
        return m_events.file_token_up(file->request, ipc::Channel{take_descriptor(packet)});
    }
    if (auto gone = packet.as<ipc::TokenGone>()) return m_events.token_gone(gone->module);
    if (auto const stop = packet.as<ipc::Stop>()) {
        auto const patient = stop->reason == static_cast<std::uint8_t>(ipc::StopReason::when_answered);
        return patient ? m_events.finish() : m_events.stop();
    }

    ipc::RequestId request;
    PromptAnswer answer{Errc::prompt_unavailable};
    if (auto prompt = packet.as<ipc::PromptChannel>()) {
        request = prompt->request;
        answer = ipc::Channel{take_descriptor(packet)};
    } else if (auto refused = packet.as<ipc::PromptRefused>()) {
        request = refused->request;
    }
    // Nobody waits any more where the page left meanwhile: the channel is closed here, which dismisses the prompt.
    if (auto const found = m_waiting.find(request); found != m_waiting.end()) found->second->put(std::move(answer));
}

Task<Result<ipc::Channel>> LauncherLink::start_prompt(ipc::RequestId request, std::uint64_t modules) {
    struct Waiting {
        LauncherLink& link;
        ipc::RequestId request;
        std::shared_ptr<Mailbox<PromptAnswer>> answer;
        ~Waiting() { link.m_waiting.erase(request); }
    };
    Waiting const waiting{*this, request, std::make_shared<Mailbox<PromptAnswer>>(m_executor)};
    m_waiting[request] = waiting.answer;

    ipc::PromptWanted const wanted{request, modules};
    if (auto sent = co_await m_control.send(wanted); !sent) co_return sent.error();
    auto answer = co_await waiting.answer->next(Clock::now() + prompt_start_limit);
    if (!answer) co_return Error{Errc::prompt_unavailable, "no answer from the launcher"};
    co_return std::move(*answer);
}

} // namespace tamga::daemon

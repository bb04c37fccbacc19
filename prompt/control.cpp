#include "prompt/control.hpp"

namespace tamga::prompt {

namespace {

constexpr std::chrono::seconds patience{2};

template <class M>
Result<ipc::Channel> channel_in(ipc::Packet& packet, Errc failure) {
    if (!packet.as<M>() || packet.descriptors.size() != 1) return Error{failure, "it could not be started"};
    return ipc::Channel{std::move(packet.descriptors.front())};
}

} // namespace

Result<void> Control::want_file_token() {
    auto sent = m_channel.send(ipc::FileTokenWanted{});
    m_awaits_file = static_cast<bool>(sent);
    return sent;
}

Result<std::optional<ipc::Channel>> Control::file_token() {
    auto packet = m_channel.try_receive();
    if (!packet) return Error{Errc::token_crashed, packet.error().detail};
    if (!*packet) return std::optional<ipc::Channel>{};
    m_awaits_file = false;
    auto channel = channel_in<ipc::FileTokenChannel>(**packet, Errc::token_crashed);
    if (!channel) return channel.error();
    return std::optional{std::move(*channel)};
}

Result<ipc::Channel> Control::start_preview() {
    if (m_awaits_file) return Errc::busy;
    if (auto sent = m_channel.send(ipc::PreviewWanted{}); !sent) return sent.error();
    auto packet = m_channel.receive(patience);
    if (!packet) return packet.error();
    return channel_in<ipc::PreviewChannel>(*packet, Errc::prompt_unavailable);
}

} // namespace tamga::prompt

#include "pkcs11/peer.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"

#include <poll.h>

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

constexpr int reading_patience_ms = 3000;

} // namespace

Result<std::optional<ipc::Packet>> Peer::next() {
    auto packet = channel.try_receive();
    if (!packet || !*packet || greeted) return packet;
    if (auto checked = ipc::check_hello(**packet, role); !checked) return checked.error();
    greeted = true;
    return std::optional<ipc::Packet>{};
}

Result<Peer> greet(ipc::Packet& packet, ipc::Role role) {
    if (packet.descriptors.size() != 1) return Error{Errc::message_malformed, "a channel without its descriptor"};
    Peer peer{ipc::Channel{std::move(packet.descriptors.front())}, role};
    tell(peer.channel, ipc::Hello::from(ipc::Role::token));
    return peer;
}

int milliseconds_until(SteadyTime when) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(when - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

bool has_room_soon(ipc::Channel const& channel) {
    ::pollfd room{channel.fd(), POLLOUT, 0};
    return ::poll(&room, 1, reading_patience_ms) > 0;
}

void give_up(ipc::Channel& channel, Error const& error) {
    if (error.code == Errc::channel_closed) return;
    log::warning("channel", {{"error", wire_name(error.code)}, {"detail", error.detail}});
    channel.hang_up();
}

} // namespace tamga::pkcs11

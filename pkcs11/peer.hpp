// Another of our processes, as a tamga-token hears and answers it.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"
#include "pkcs11/module.hpp"
#include "pkcs11/watch.hpp"

#include <map>
#include <optional>

namespace tamga::pkcs11 {

struct Peer {
    ipc::Channel channel;
    ipc::Role role{};
    bool greeted = false;
    std::map<ipc::SlotId, ShownToken> told{}; ///< to a prompt: what it shows of each slot
    bool follows = false;                     ///< a prompt that listed, and was not told of a change since

    /// The next packet after Hello, if one is there. Errors as Channel and check_hello give them.
    Result<std::optional<ipc::Packet>> next();
};

/// A peer that is gone shows as end of file at the next poll. One that stops reading for 3 s is taken for gone, so that
/// it cannot keep us from hearing the others: a cancel, the end of a lease, a deadline.
template <class M>
void tell(ipc::Channel& channel, M const& message);

/// The peer whose channel came with `packet`; it is told who we are. Error: message_malformed.
Result<Peer> greet(ipc::Packet& packet, ipc::Role role);

/// How long poll may sleep: rounded up, so that it does not spin in the last millisecond.
[[nodiscard]] int milliseconds_until(SteadyTime when);

/// For `tell`: waits for room, or hangs up.
[[nodiscard]] bool has_room_soon(ipc::Channel const& channel);
void give_up(ipc::Channel& channel, Error const& error);

template <class M>
void tell(ipc::Channel& channel, M const& message) {
    auto sent = channel.try_send(message);
    while (!sent && sent.error().code == Errc::busy && has_room_soon(channel))
        sent = channel.try_send(message);
    if (!sent) give_up(channel, sent.error());
}

} // namespace tamga::pkcs11

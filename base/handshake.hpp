// The first exchange on every channel: which build, which role.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"

namespace tamga::ipc {

/// Sends our Hello; does not wait.
inline Result<void> say_hello(Channel& channel, Role own) {
    return channel.send(Hello::from(own));
}

/// Checks a packet that must be the other end's Hello. Errors: build_mismatch, message_malformed.
inline Result<void> check_hello(Packet& packet, Role expected) {
    auto const hello = packet.as<Hello>();
    if (!hello) return hello.error();
    if (!hello->same_build()) return Errc::build_mismatch;
    if (hello->role != expected) return Error{Errc::message_malformed, "hello from another role"};
    return ok();
}

/// Waits for the other end's Hello and checks it. Errors: as above, channel_closed, timeout.
inline Result<void> await_hello(Channel& channel, Role expected,
                                std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
    auto packet = channel.receive(timeout);
    if (!packet) return packet.error();
    return check_hello(*packet, expected);
}

} // namespace tamga::ipc

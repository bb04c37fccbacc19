// Where a connection brings its frames: text in, text out. Knows the dialects and the flow, no socket.
#pragma once

#include "daemon/sign_flow.hpp"

#include <optional>
#include <string>

namespace tamga::daemon {

/// Loop thread. One for all connections.
class Desk {
public:
    Desk(SignFlow& flow, Compute& compute) : m_flow{flow}, m_compute{compute} {}

    /// What a connection says first, right after the upgrade.
    [[nodiscard]] static std::string_view greeting() noexcept { return protocol::greeting; }
    /// The reply to a heartbeat, which never waits for requests; nothing where `frame` is none.
    [[nodiscard]] static std::optional<std::string> heartbeat_reply(std::string_view frame);

    /// Hops 2, 3 and 4 for one frame. `asker.language` changes where the page changes it. Nothing is to be said where
    /// the frame was a keep-alive. Cancelled when the page leaves.
    Task<std::optional<std::string>> answer(Asker& asker, std::string frame);

private:
    Task<Result<protocol::Outcome>> act(Asker asker, protocol::Action action);

    SignFlow& m_flow;
    Compute& m_compute;
};

} // namespace tamga::daemon

// The prompt's channel to tamgad: whatever a request needs beside what it was started with is asked for there.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"

namespace tamga::prompt {

/// Not thread-safe. tamgad answers each wish at once, whatever comes of it.
class Control {
public:
    explicit Control(ipc::Channel channel) noexcept : m_channel{std::move(channel)} {}

    [[nodiscard]] int fd() const noexcept { return m_channel.fd(); }

    /// Asks for the process of a key file. Error: channel_closed.
    Result<void> want_file_token();
    /// Its channel once it is there, nothing while it is not; never blocks. Errors: token_crashed, where none could be
    /// started.
    Result<std::optional<ipc::Channel>> file_token();

    /// Starts a tamga-preview, in the place of the last one. Blocks until tamgad answers: it starts programs in less
    /// than a millisecond; at most 2 s. Errors: busy, while the process of a key file is awaited; prompt_unavailable,
    /// where none could be started; channel_closed.
    Result<ipc::Channel> start_preview();

private:
    ipc::Channel m_channel;
    bool m_awaits_file = false;
};

} // namespace tamga::prompt

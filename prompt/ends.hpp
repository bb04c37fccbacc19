// How a prompt begins: its ends of the private pairs, then what tamga-web wants shown.
#pragma once

#include "base/handshake.hpp"
#include "prompt/plugged_in.hpp"
#include "prompt/sheet.hpp"

namespace tamga::prompt {

struct Ends {
    ipc::Channel web;
    TokenEnds tokens;
    ipc::Channel control; ///< to tamgad, for whatever else is needed
};

/// The descriptor a prompt is started with: the control channel to tamgad.
inline constexpr int control_fd = 3;

/// Exchanges Hello with tamgad, waits for a request as long as it takes, and takes the ends that tamgad passes for it,
/// that of tamga-web last; says Hello on each. Each token process is asked what is plugged in: it looks while the
/// window starts. Blocks, at most 10 s for each message after the first. Errors: build_mismatch, message_malformed,
/// channel_closed, timeout.
Result<Ends> receive_ends(ipc::Channel control);

/// Reads the request and its sealed documents. Blocks, at most 10 s. Errors as above.
Result<Sheet> receive_request(ipc::Channel& web);

/// Sends the mandate in as many messages as it needs; the reply is not awaited. Errors: channel_closed, system.
Result<void> send_mandate(ipc::Channel& token, Sheet const& sheet, signing::Certificate const& certificate);

/// Sends the mandate for the work on keys that the sheet shows; the reply is not awaited. Errors: as above.
Result<void> send_key_mandate(ipc::Channel& token, Sheet const& sheet);

} // namespace tamga::prompt

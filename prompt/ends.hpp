// How a prompt begins: its ends of the private pairs, then what tamga-web wants shown.
#pragma once

#include "base/handshake.hpp"
#include "prompt/choices.hpp"

#include <map>

namespace tamga::prompt {

/// The pair to one token process. Its Hello is checked when the first answer is awaited, so that a module that hangs
/// does not keep the window from opening.
struct TokenEnd {
    ipc::Channel channel;
    bool greeted = false;
};

struct Ends {
    ipc::Channel web;
    std::map<ipc::ModuleIndex, TokenEnd> tokens;
};

/// The descriptor a prompt is started with: the control channel to tamgad.
inline constexpr int control_fd = 3;

/// Exchanges Hello with tamgad, waits for a request as long as it takes, and takes the ends that tamgad passes for it,
/// that of tamga-web last; says Hello on each. Blocks, at most 10 s for each message after the first. Errors:
/// build_mismatch, message_malformed, channel_closed, timeout.
Result<Ends> receive_ends(ipc::Channel& control);

struct Asked {
    Sheet sheet;
    std::vector<Candidate> candidates;
};

/// Reads the request, its sealed documents and the candidates. Blocks, at most 10 s for each message. Errors as above.
Result<Asked> receive_request(ipc::Channel& web);

/// Sends the mandate in as many messages as it needs; the reply is not awaited. Errors: channel_closed, system.
Result<void> send_mandate(ipc::Channel& token, Sheet const& sheet, signing::Certificate const& certificate);

} // namespace tamga::prompt

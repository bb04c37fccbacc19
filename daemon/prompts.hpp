// The person, as tamga-web knows them: one prompt at a time, first come first served.
#pragma once

#include "daemon/launcher_link.hpp"

#include <memory>

namespace tamga::daemon {

/// One open prompt. Its destructor closes the channel, which dismisses the window whatever it shows.
class Prompt {
public:
    Prompt(asio::any_io_executor executor, ipc::RequestId request, ipc::Channel channel, Turnstile::Turn turn);

    [[nodiscard]] ipc::RequestId request() const noexcept { return m_request; }

    /// Shows what is asked for (`items` is the sealed memfd, or none) with these candidates and waits for the decision.
    /// Errors: user_cancelled, site_refused, timeout, prompt_unavailable, or what the token said last (pin_locked ...).
    Task<Result<ipc::Accepted>> ask(ipc::PromptRequest question, UniqueFd items,
                                    std::vector<ipc::CandidateToken> tokens,
                                    std::vector<ipc::CandidateCertificate> certificates, std::chrono::seconds limit);

    void progress(std::uint32_t done, std::uint32_t total);
    /// Tells how it ended; the window stays for a failure until the person has read it, without holding up the next.
    void done(Result<void> const& result);

private:
    Task<Result<ipc::Accepted>> decision(std::chrono::seconds limit);

    ipc::RequestId m_request;
    AsyncChannel m_channel;
    Turnstile::Turn m_turn;
};

class Prompts {
public:
    Prompts(asio::any_io_executor executor, LauncherLink& launcher);

    /// Waits for its turn, then starts a prompt that may speak with `modules`. Errors: busy, prompt_unavailable.
    Task<Result<std::unique_ptr<Prompt>>> open(std::uint64_t modules);

private:
    asio::any_io_executor m_executor;
    LauncherLink& m_launcher;
    Turnstile m_turnstile;
    std::uint64_t m_last_request = 0;
};

} // namespace tamga::daemon

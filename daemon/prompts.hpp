// The person, as tamga-web knows them: one prompt at a time, the sites in turn.
#pragma once

#include "daemon/launcher_link.hpp"
#include "daemon/waiting_lines.hpp"
#include "daemon/withdrawals.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace tamga::daemon {

/// One open prompt. Its destructor closes the channel, which dismisses the window whatever it shows.
class Prompt {
public:
    /// What started it: the request, our end of its channel, the right to ask, and who is asked for.
    struct Start {
        ipc::RequestId request;
        ipc::Channel channel;
        WaitingLines::Turn turn;
        std::string who;
    };
    Prompt(asio::any_io_executor executor, Start start, Withdrawals& withdrawals);

    [[nodiscard]] ipc::RequestId request() const noexcept { return m_request; }

    /// What the person decided, and whether they allowed a site that was asked about: they may have done so although
    /// something failed afterwards.
    struct Reply {
        Result<ipc::Accepted> decision;
        bool site_allowed = false;
        UniqueFd file{}; ///< that the person chose, where that was the question
    };
    /// Shows what is asked for (`items` is the sealed memfd, or none) and waits for the decision. The prompt lists the
    /// tokens itself; where there is none it ends without a window.
    /// Errors: user_cancelled, site_refused, timeout, prompt_unavailable, token_absent, or what the token said last
    /// (pin_locked ...).
    Task<Reply> ask(ipc::PromptRequest question, UniqueFd items, std::chrono::seconds limit);

    void progress(std::uint32_t done, std::uint32_t total, ipc::Stage stage = ipc::Stage::signing);

    /// After the decision, while no token is at work that would notice it: calls `dismissed` once when the person
    /// cancels or the window goes away. Until `Watch` ends.
    class Watch {
    public:
        Watch(std::shared_ptr<Prompt> prompt, std::function<void()> dismissed);
        Watch(Watch const&) = delete;
        Watch& operator=(Watch const&) = delete;
        ~Watch();

    private:
        std::shared_ptr<asio::cancellation_signal> m_end;
    };
    /// Tells how it ended; the window stays for a failure until the person has read it, without holding up the next.
    void done(Result<void> const& result);

private:
    Task<Reply> converse(ipc::PromptRequest question, UniqueFd items, std::chrono::seconds limit);
    Task<Reply> reply(std::chrono::seconds limit);
    static Task<void> await_dismissal(std::shared_ptr<Prompt> self, std::shared_ptr<asio::cancellation_signal> end,
                                      std::function<void()> dismissed);

    Withdrawals& m_withdrawals;
    std::string m_who;
    ipc::RequestId m_request;
    AsyncChannel m_channel;
    std::optional<WaitingLines::Turn> m_turn; ///< to ask the person
};

class Prompts {
public:
    Prompts(asio::any_io_executor executor, LauncherLink& launcher);

    /// So many requests of one `who` wait; one more is answered with busy.
    static constexpr std::size_t longest_line = 64;

    /// Waits for its turn, then starts a prompt that may speak with `modules`. Whoever withdrew several of theirs
    /// before the person had answered, or had several cancelled, waits longer, and holds nobody else up meanwhile.
    /// @param who  an allowed site's origin; empty for all others, who could have as many names as they like
    /// Errors: busy, prompt_unavailable.
    Task<Result<std::shared_ptr<Prompt>>> open(std::uint64_t modules, std::string who);

private:
    Task<Result<WaitingLines::Turn>> turn_of(std::string who);

    asio::any_io_executor m_executor;
    LauncherLink& m_launcher;
    WaitingLines m_lines;
    std::map<std::string, std::size_t> m_waiting; ///< how many of each
    Withdrawals m_withdrawals;
    std::uint64_t m_last_request = 0;
};

} // namespace tamga::daemon

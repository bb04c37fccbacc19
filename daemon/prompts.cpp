#include "daemon/prompts.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace tamga::daemon {

namespace {

/// One more that waits, as long as it lives.
class InLine {
public:
    InLine(std::map<std::string, std::size_t>& lines, std::string who) : m_lines{lines}, m_who{std::move(who)} {
        ++m_lines[m_who];
    }
    InLine(InLine const&) = delete;
    InLine& operator=(InLine const&) = delete;
    ~InLine() {
        auto const place = m_lines.find(m_who);
        if (--place->second == 0) m_lines.erase(place);
    }

private:
    std::map<std::string, std::size_t>& m_lines;
    std::string m_who;
};

} // namespace

Prompt::Prompt(asio::any_io_executor executor, Start start, Withdrawals& withdrawals)
    : m_withdrawals{withdrawals},
      m_who{std::move(start.who)},
      m_request{start.request},
      m_channel{std::move(executor), std::move(start.channel)},
      m_turn{std::move(start.turn)} {}

Task<Prompt::Reply> Prompt::ask(ipc::PromptRequest question, UniqueFd items, std::chrono::seconds limit) {
    Pending pending{m_withdrawals, m_who};
    auto answer = co_await converse(std::move(question), std::move(items), limit);
    pending.settle();
    auto const& decision = answer.decision;
    if (decision || decision.error().code == Errc::site_refused) {
        m_withdrawals.forget(m_who);
    } else if (decision.error().code == Errc::user_cancelled) {
        // The person did not want that window; a page that has it open again at once is to slow down.
        m_withdrawals.note(m_who, Clock::now());
    }
    co_return answer;
}

Task<Prompt::Reply> Prompt::converse(ipc::PromptRequest question, UniqueFd items, std::chrono::seconds limit) {
    question.request = m_request;
    auto const lost = Error{Errc::prompt_unavailable, "the prompt went away"};
    if (auto sent = co_await m_channel.send(ipc::Hello::from(ipc::Role::web)); !sent) co_return Reply{lost};
    if (auto sent = co_await m_channel.send(std::move(question), items.get()); !sent) {
        co_return Reply{sent.error().code == Errc::too_large ? sent.error() : lost};
    }
    auto answer = co_await reply(limit);
    co_return answer;
}

Task<Prompt::Reply> Prompt::reply(std::chrono::seconds limit) {
    auto hello = co_await m_channel.receive();
    if (!hello) co_return Reply{Error{Errc::prompt_unavailable, "the prompt ended at once"}};
    if (auto checked = ipc::check_hello(*hello, ipc::Role::prompt); !checked) co_return Reply{checked.error()};
    auto answer = co_await m_channel.receive(Clock::now() + limit);
    if (!answer && answer.error().code == Errc::timeout) co_return Reply{Errc::timeout};
    if (!answer) co_return Reply{Error{Errc::prompt_unavailable, "the prompt ended without a decision"}};
    if (auto accepted = answer->as<ipc::Accepted>()) {
        m_turn.reset(); // nothing more is asked: while this token signs, somebody else may be asked about another
        Reply agreed{std::move(*accepted), true};
        if (answer->descriptors.size() == 1) agreed.file = std::move(answer->descriptors.front());
        co_return agreed;
    }
    auto const ended = answer->as<ipc::PromptEnded>();
    if (!ended) co_return Reply{ended.error()};
    auto const why = ended->status.result();
    co_return Reply{why ? Error{Errc::user_cancelled} : why.error(), ended->site_allowed};
}

void Prompt::progress(std::uint32_t done, std::uint32_t total, ipc::Stage stage) {
    // A window that does not keep up loses a step of its bar, nothing else.
    static_cast<void>(m_channel.try_send(ipc::Progress{done, total, stage}));
}

/// Holds the prompt and the signal until the wait was called off, which takes a turn of the loop.
Task<void> Prompt::await_dismissal(std::shared_ptr<Prompt> self, std::shared_ptr<asio::cancellation_signal>,
                                   std::function<void()> dismissed) {
    auto const said = co_await self->m_channel.receive();
    static_cast<void>(said); // "cancelled", or that it is gone: after the decision a prompt says nothing else
    dismissed();
}

Prompt::Watch::Watch(std::shared_ptr<Prompt> prompt, std::function<void()> dismissed)
    : m_end{std::make_shared<asio::cancellation_signal>()} {
    auto const executor = prompt->m_channel.get_executor();
    asio::co_spawn(executor, await_dismissal(std::move(prompt), m_end, std::move(dismissed)),
                   asio::bind_cancellation_slot(m_end->slot(), asio::detached));
}

Prompt::Watch::~Watch() {
    m_end->emit(asio::cancellation_type::terminal);
}

void Prompt::done(Result<void> const& result) {
    static_cast<void>(m_channel.try_send(ipc::RequestDone{ipc::Status::from(result)}));
}

Prompts::Prompts(asio::any_io_executor executor, LauncherLink& launcher)
    : m_executor{executor}, m_launcher{launcher}, m_lines{executor} {}

Task<Result<WaitingLines::Turn>> Prompts::turn_of(std::string who) {
    if (m_waiting.contains(who) && m_waiting.at(who) >= longest_line) {
        co_return Error{Errc::busy, "too many requests of this site wait for the person"};
    }
    InLine const in_line{m_waiting, who};
    while (true) {
        if (auto const next = m_withdrawals.next(who, Clock::now()); next > Clock::now()) {
            asio::steady_timer pause{m_executor, next};
            auto const waited = co_await pause.async_wait(as_result);
            static_cast<void>(waited);
        }
        auto turn = co_await m_lines.enter(who);
        // Looked at again: another request of theirs may have been withdrawn while this one waited for its turn.
        auto const now = Clock::now();
        if (m_withdrawals.next(who, now) <= now) co_return turn;
    }
}

Task<Result<std::shared_ptr<Prompt>>> Prompts::open(std::uint64_t modules, std::string who) {
    auto turn = co_await turn_of(who);
    if (!turn) co_return turn.error();
    ipc::RequestId const request{++m_last_request};
    Pending pending{m_withdrawals, who};
    auto channel = co_await m_launcher.start_prompt(request, modules);
    pending.settle();
    if (!channel) co_return channel.error();
    Prompt::Start start{request, std::move(*channel), std::move(*turn), std::move(who)};
    co_return std::make_shared<Prompt>(m_executor, std::move(start), m_withdrawals);
}

} // namespace tamga::daemon

// One connection that speaks tamga.v1: messages in, messages out, and what is remembered in between. Knows the flow,
// no socket.
#pragma once

#include "daemon/key_flow.hpp"
#include "daemon/plugged.hpp"
#include "daemon/reminders.hpp"
#include "daemon/sign_flow.hpp"
#include "daemon/status_links.hpp"
#include "daemon/uploads.hpp"

#include <boost/asio/cancellation_signal.hpp>

namespace tamga::daemon {

/// What every session works with; all of it outlives them.
struct SessionParts {
    asio::any_io_executor executor;
    SignFlow& flow;
    KeyFlow& key_flow;
    Compute& compute;
    Plugged& plugged;
    Keys& keys;
    Sites& sites;
    Revocations& revocations;
    StatusLinks& links;
    Reminders& reminders;
    std::size_t message_octets = 0; ///< largest message
};

/// Loop thread. `hear` and `take` come from the one coroutine that reads the connection, in the order of the messages;
/// requests are answered as they are done, what is signed one after the other.
class Session : public std::enable_shared_from_this<Session> {
public:
    /// Sends one text message. False: the connection is closing.
    using Write = std::function<Task<bool>(std::string)>;
    /// What a message's memory is charged to.
    using Held = std::shared_ptr<void>;

    Session(SessionParts parts, Asker asker, Write write);

    /// A text message. Returns when it was read, which is long before a request is answered.
    Task<void> hear(std::string text, Held held);

    /// The uploads of this connection, for whoever reads binary messages.
    [[nodiscard]] Uploads& uploads() noexcept { return m_uploads; }

    /// How many requests wait for their answer.
    [[nodiscard]] std::size_t unanswered() const noexcept { return m_running.size(); }

    /// The page is gone: calls everything off. Nothing is written any more.
    void end();

private:
    using Reply = Result<protocol::v1::Reply>;

    /// A request under way.
    struct Running {
        asio::cancellation_signal signal;
        Clock::time_point started;
        std::string_view asked;
        bool withdrawn = false; ///< by the page
        Held held;
    };

    Task<void> begin(protocol::v1::Request request, Clock::time_point started, Held held);
    void start(protocol::v1::Request request, Clock::time_point started, Held held);
    static Task<Reply> act(std::shared_ptr<Session> self, protocol::v1::Request request);
    static Task<void> finish(std::shared_ptr<Session> self, protocol::v1::Id id, Reply reply);
    Task<void> answer(protocol::v1::Id id, std::string_view asked, Clock::time_point started, Reply reply);

    // References in these refer to the frame of `act`.
    Task<Reply> sign(Asker asker, protocol::v1::SignDocuments& method);
    Task<Reply> authenticate(Asker asker, protocol::v1::Authenticate& method);
    Task<Reply> show_certificate(Asker asker, protocol::v1::ListCertificates& method);
    Task<Reply> work_on_keys(Asker asker, protocol::v1::Method method);
    Task<Reply> verify(Asker asker, protocol::v1::Verify& method);
    Reply make_status_link();
    Task<Reply> list_tokens(Asker asker);
    Task<Reply> subscribe(Asker asker);
    Task<Result<Turnstile::Turn>> in_order();
    Task<Reply> run_in_order(Asker asker, protocol::Sign request);
    Result<std::vector<Held>> fill_in(protocol::v1::SignDocuments& method);
    Result<Bytes> octets_of(protocol::v1::Source& source);

    [[nodiscard]] protocol::v1::Greeting greeting();
    [[nodiscard]] std::vector<protocol::v1::Token> described(Plugged::Tokens const& tokens) const;
    bool cancel(protocol::v1::Id const& id);
    void tell_tokens(Plugged::Tokens const& tokens);
    void tell(std::string about, std::string text);
    static Task<void> write_news(std::shared_ptr<Session> self);
    void log_request(std::string_view asked, std::optional<Errc> error, std::string_view detail,
                     Clock::time_point started) const;

    SessionParts m_parts;
    Asker m_asker;
    Write m_write;
    Uploads m_uploads;
    std::map<protocol::v1::Id, std::shared_ptr<Running>> m_running;
    Turnstile m_in_order; ///< what the person is asked about
    std::size_t m_in_line = 0;
    std::optional<Plugged::Subscription> m_subscription;
    std::vector<protocol::v1::Token> m_told;   ///< which tokens the page heard of last
    std::map<std::string, std::string> m_news; ///< notifications to be sent, the latest of each
    bool m_writing_news = false;
    bool m_ended = false;
};

} // namespace tamga::daemon

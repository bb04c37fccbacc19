// One accepted socket, from its first octet to its last. Private to daemon/server.
#pragma once

#include "daemon/server/gate.hpp"
#include "daemon/server/state.hpp"
#include "daemon/server/stream.hpp"
#include "daemon/session.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace tamga::daemon {

/// Of NCALayer's protocol two coroutines: one reads frames and answers heartbeats, one brings the other frames to the
/// desk, in order. Of tamga.v1 one that reads, and the session's own. All write, one at a time. When reading ends the
/// answering ones are cancelled, which dismisses their prompt.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    /// Who can come in this way: pages over TCP, or commands of this computer over the local socket.
    enum class Door : std::uint8_t { page, command };

    Connection(std::shared_ptr<Server::State> server, Stream::Socket socket, std::uint16_t port, Door door);
    ~Connection();

    Task<void> run();
    /// Server going away: requests cancelled, close frame 1001.
    void leave();
    /// Server about to go away: the same, once nothing of this connection waits for an answer. One that is still being
    /// opened is left alone: it has its own limit.
    void leave_if_answered();
    /// Where its site was allowed when it was heard of last and is not now: requests cancelled, told and closed.
    void reconsider();

private:
    struct Frame {
        std::string text;
        FrameBudget::Claim claim;
        bool uploaded = false; ///< it was binary, and went where uploads go
    };
    struct Held;
    enum class Speaks : std::uint8_t { ncalayer, v1 };
    using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

    [[nodiscard]] Standing standing();
    void expect_within(std::chrono::seconds limit);
    [[nodiscard]] bool peer_is_own_user();
    Task<bool> open();
    Task<bool> admit(Parser::value_type const& request, bool octets_follow);
    Task<bool> accept(Parser::value_type const& request, Speaks speaks);
    Task<void> accept_and_close(Parser::value_type const& request, boost::beast::websocket::close_reason reason);
    Task<void> show(Parser::value_type const& request, std::string_view target);
    Task<bool> seat();
    void begin_session();
    Task<void> respond(unsigned status, std::string_view body, std::string_view type);
    Task<void> read_frames();
    Task<std::optional<Frame>> read_frame();
    Task<void> answer_frames();
    Task<void> hear_messages();
    Task<bool> read_upload(Frame& frame);
    Task<bool> charge_upload(std::size_t octets);
    static Task<bool> write_to(std::shared_ptr<Connection> connection, std::string text);
    Task<bool> write(std::string text);
    Task<void> close(boost::beast::websocket::close_reason reason);
    void end(boost::beast::websocket::close_reason reason);
    void abort() noexcept;

    std::shared_ptr<Server::State> m_server;
    std::shared_ptr<asio::ssl::context> m_tls;
    std::uint16_t m_port;
    Door m_door;
    boost::beast::websocket::stream<Stream, false> m_stream;
    boost::beast::flat_buffer m_head;
    Asker m_asker;
    std::optional<Attendance::Place> m_place;
    Standing m_stood{};             ///< how its site stood when that was looked at last
    FrameBudget::Account m_account; ///< of the frames below
    Mailbox<Frame> m_frames;
    std::size_t m_unanswered = 0;
    Turnstile m_writing;
    asio::steady_timer m_patience;
    asio::cancellation_signal m_answering;
    std::shared_ptr<Session> m_session; ///< of tamga.v1
    bool m_open = false;
    bool m_leaving = false;
};

} // namespace tamga::daemon

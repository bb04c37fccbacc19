// One accepted socket, from its first octet to its last. Private to daemon/server.
#pragma once

#include "daemon/server/gate.hpp"
#include "daemon/server/state.hpp"
#include "daemon/server/stream.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace tamga::daemon {

/// Two coroutines: one reads frames and answers heartbeats, one brings the other frames to the desk, in order. Both
/// write, one at a time. When reading ends the answering one is cancelled, which dismisses its prompt.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Server::State> server, asio::ip::tcp::socket socket, std::uint16_t port);
    ~Connection();

    Task<void> run();
    /// Server going away: requests cancelled, close frame 1001.
    void leave();

private:
    struct Frame {
        std::string text;
        FrameBudget::Claim claim;
    };
    using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

    void expect_within(std::chrono::seconds limit);
    [[nodiscard]] bool peer_is_own_user();
    Task<bool> open();
    Task<bool> admit(Parser::value_type const& request, bool octets_follow);
    Task<bool> seat();
    Task<void> respond(unsigned status, std::string_view body, std::string_view type);
    Task<void> read_frames();
    Task<std::optional<Frame>> read_frame();
    Task<void> answer_frames();
    Task<bool> write(std::string text);
    Task<void> close(boost::beast::websocket::close_code code);
    void abort() noexcept;

    std::shared_ptr<Server::State> m_server;
    std::shared_ptr<asio::ssl::context> m_tls;
    std::uint16_t m_port;
    boost::beast::websocket::stream<Stream, false> m_stream;
    boost::beast::flat_buffer m_head;
    Asker m_asker;
    std::optional<Attendance::Place> m_place;
    FrameBudget::Account m_account; ///< of the frames below
    Mailbox<Frame> m_frames;
    std::size_t m_unanswered = 0;
    Turnstile m_writing;
    asio::steady_timer m_patience;
    asio::cancellation_signal m_answering;
    bool m_open = false;
};

} // namespace tamga::daemon

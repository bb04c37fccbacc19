// TLS or plain, decided by the first octet, over TCP or the local socket: one stream type, so that Beast is
// instantiated once.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <optional>

namespace tamga::daemon {

namespace asio = boost::asio;

/// An accepted socket that speaks plainly until `start_tls`. Loop thread.
class Stream {
public:
    using Socket = asio::generic::stream_protocol::socket;
    using next_layer_type = Socket;
    using executor_type = Socket::executor_type;

    explicit Stream(Socket socket) : m_socket{std::move(socket)} {}

    [[nodiscard]] executor_type get_executor() { return m_socket.get_executor(); }
    [[nodiscard]] Socket& next_layer() noexcept { return m_socket; }
    [[nodiscard]] Socket const& next_layer() const noexcept { return m_socket; }

    [[nodiscard]] asio::ssl::stream<Socket&>& start_tls(asio::ssl::context& context) {
        return m_tls.emplace(m_socket, context);
    }

    template <class Buffers, class Token>
    auto async_read_some(Buffers const& buffers, Token&& token) {
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto handler, Buffers const& into) {
                if (m_tls)
                    m_tls->async_read_some(into, std::move(handler));
                else
                    m_socket.async_read_some(into, std::move(handler));
            },
            token, buffers);
    }

    template <class Buffers, class Token>
    auto async_write_some(Buffers const& buffers, Token&& token) {
        return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](auto handler, Buffers const& from) {
                if (m_tls)
                    m_tls->async_write_some(from, std::move(handler));
                else
                    m_socket.async_write_some(from, std::move(handler));
            },
            token, buffers);
    }

private:
    Socket m_socket;
    std::optional<asio::ssl::stream<Socket&>> m_tls;
};

/// Beast ends a connection through these. TLS's close_notify is left out: the WebSocket close frame has said it all.
template <class Handler>
void async_teardown(boost::beast::role_type role, Stream& stream, Handler&& handler) {
    boost::beast::websocket::async_teardown(role, stream.next_layer(), std::forward<Handler>(handler));
}
inline void teardown(boost::beast::role_type role, Stream& stream, boost::system::error_code& failure) {
    boost::beast::websocket::teardown(role, stream.next_layer(), failure);
}

} // namespace tamga::daemon

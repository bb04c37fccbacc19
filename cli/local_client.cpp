#include "cli/local_client.hpp"

#include "protocol/tamga/client.hpp"
#include "protocol/tamga/tamga.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <cstdlib>

namespace tamga::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace {

constexpr std::size_t largest_message = std::size_t{1} << 30;

Error gone(boost::system::error_code const& failure) {
    return {Errc::channel_closed, failure.message()};
}

} // namespace

struct LocalClient::State {
    asio::io_context context;
    websocket::stream<asio::local::stream_protocol::socket, false> stream{context};
    std::int64_t last_id = 0;
    Heard heard;

    Result<Tree> read() {
        beast::flat_buffer buffer;
        boost::system::error_code failure;
        stream.read(buffer, failure);
        if (failure) return gone(failure);
        return protocol::v1::read_message({static_cast<char const*>(buffer.data().data()), buffer.size()});
    }
    void tell(Tree const& notification) const {
        static Tree const none;
        auto const* const params = notification.find("params");
        if (heard) heard(notification.text("method"), params == nullptr ? none : *params);
    }
};

std::filesystem::path LocalClient::default_path() {
    char const* const runtime = std::getenv("XDG_RUNTIME_DIR");
    return runtime == nullptr ? std::filesystem::path{} : std::filesystem::path{runtime} / "tamga/api.sock";
}

LocalClient::LocalClient(std::unique_ptr<State> state) : m_state{std::move(state)} {}
LocalClient::LocalClient(LocalClient&&) noexcept = default;
LocalClient& LocalClient::operator=(LocalClient&&) noexcept = default;
LocalClient::~LocalClient() = default;

Result<LocalClient> LocalClient::connect(std::filesystem::path const& path) {
    constexpr std::size_t longest_path = 107; // of sockaddr_un
    if (path.empty() || path.native().size() > longest_path) return Error{Errc::channel_closed, path.string()};
    auto state = std::make_unique<State>();
    boost::system::error_code failure;
    state->stream.next_layer().connect(asio::local::stream_protocol::endpoint{path.string()}, failure);
    if (failure) return gone(failure);
    auto offer = [](websocket::request_type& request) {
        request.set(beast::http::field::sec_websocket_protocol, std::string{protocol::v1::subprotocol});
    };
    state->stream.set_option(websocket::stream_base::decorator(offer));
    state->stream.read_message_max(largest_message);
    state->stream.auto_fragment(false);
    state->stream.handshake("localhost", "/", failure);
    if (failure) return gone(failure);
    return LocalClient{std::move(state)};
}

void LocalClient::on_notification(Heard heard) {
    m_state->heard = std::move(heard);
}

Result<LocalClient::Reply> LocalClient::call(std::string_view method, Tree const& params) {
    auto const id = ++m_state->last_id;
    boost::system::error_code failure;
    m_state->stream.text(true);
    m_state->stream.write(asio::buffer(protocol::v1::request(id, method, params)), failure);
    if (failure) return gone(failure);
    while (true) {
        auto message = m_state->read();
        if (!message) return message.error();
        if (message->find("method") != nullptr) {
            m_state->tell(*message);
            continue;
        }
        if (message->number("id") != id) continue; // to what nobody waits for any more
        if (auto const* result = message->find("result")) return Reply{*result, {}};
        auto const* const error = message->find("error");
        auto const* const data = error == nullptr ? nullptr : error->find("data");
        if (data == nullptr) return Error{Errc::message_malformed, "neither a result nor an error"};
        return Reply{{},
                     Refused{std::string{data->text("error")}, std::string{data->text("message")},
                             std::string{data->text("detail")}}};
    }
}

Result<void> LocalClient::send(View octets) {
    boost::system::error_code failure;
    m_state->stream.binary(true);
    m_state->stream.write(asio::buffer(octets.data(), octets.size()), failure);
    if (failure) return gone(failure);
    return ok();
}

Result<void> LocalClient::listen() {
    auto message = m_state->read();
    if (!message) return message.error();
    m_state->tell(*message);
    return ok();
}

} // namespace tamga::cli

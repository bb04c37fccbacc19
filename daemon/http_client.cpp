#include "daemon/http_client.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace tamga::daemon {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Request = http::request<http::vector_body<unsigned char>>;
using ResponseParser = http::response_parser<http::vector_body<unsigned char>>;

constexpr std::uint32_t most_header_octets = 8 * 1024;
constexpr std::size_t most_buffered = 64 * 1024;

Error failed(std::string const& host, boost::system::error_code failure) {
    if (failure == beast::error::timeout) return {Errc::timeout, host};
    if (failure == http::error::body_limit) return {Errc::too_large, host};
    return {Errc::system, host + ": " + failure.message()};
}

/// getaddrinfo(3), which nothing can interrupt, runs in a thread of Asio's: it is waited for until the deadline, and
/// left to itself then.
Task<Result<tcp::resolver::results_type>> resolve(asio::any_io_executor executor, std::string host, std::string port,
                                                  Deadline deadline) {
    using Answer = Result<tcp::resolver::results_type>;
    auto const answers = std::make_shared<Mailbox<Answer>>(executor);
    auto const resolver = std::make_shared<tcp::resolver>(executor);
    resolver->async_resolve(
        host, port, [answers, resolver, host](boost::system::error_code failure, tcp::resolver::results_type found) {
            answers->put(failure ? Answer{failed(host, failure)} : Answer{std::move(found)});
        });
    auto answer = co_await answers->next(deadline);
    if (!answer) co_return Error{Errc::timeout, host + ": name"};
    co_return std::move(*answer);
}

Request written(HttpRequest request, bool for_proxy) {
    auto const method = request.content_type.empty() ? http::verb::get : http::verb::post;
    auto const target = for_proxy ? "http://" + request.url.authority() + request.url.path : request.url.path;
    Request message{method, target, 11};
    message.set(http::field::host, request.url.authority());
    message.set(http::field::user_agent, "Tamga");
    message.set(http::field::connection, "close");
    if (!request.content_type.empty()) {
        message.set(http::field::content_type, request.content_type);
        message.body() = std::move(request.body);
        message.prepare_payload();
    }
    return message;
}

} // namespace

Task<Result<Bytes>> HttpClient::fetch(HttpRequest request, Deadline deadline) {
    auto const peer = m_proxy.value_or(request.url);
    auto const host = peer.authority();
    auto const most_octets = request.most_octets;
    auto addresses = co_await resolve(m_executor, peer.host, peer.port, deadline);
    if (!addresses) co_return addresses.error();

    beast::tcp_stream stream{m_executor};
    stream.expires_at(deadline);
    auto const connected = co_await stream.async_connect(*addresses, as_result);
    if (auto const failure = std::get<0>(connected)) co_return failed(host, failure);
    auto const message = written(std::move(request), m_proxy.has_value());
    auto const sent = co_await http::async_write(stream, message, as_result);
    if (auto const failure = std::get<0>(sent)) co_return failed(host, failure);

    ResponseParser parser;
    parser.body_limit(most_octets);
    parser.header_limit(most_header_octets);
    beast::flat_buffer buffer{most_buffered}; // what is in it is neither header nor body yet
    auto const received = co_await http::async_read(stream, buffer, parser, as_result);
    if (auto const failure = std::get<0>(received)) co_return failed(host, failure);
    if (parser.get().result() != http::status::ok) {
        co_return Error{Errc::system, host + ": status " + std::to_string(parser.get().result_int())};
    }
    co_return std::move(parser.get().body());
}

} // namespace tamga::daemon

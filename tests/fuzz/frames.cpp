// What a socket brings before any of our dialects: the head of an upgrade, judged by the gate, and WebSocket frames,
// read with the settings of daemon/server/connection.cpp. Whatever the octets: no crash, no message over the limit, and
// no upgrade without one of our own hosts and an origin.
#include "daemon/server/gate.hpp"
#include "policy/origin.hpp"

#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <cstdlib>

namespace {

using namespace tamga::daemon;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

constexpr std::uint16_t port = 13579;
constexpr std::size_t frame_limit = 4096;

void judge_head(beast::string_view octets) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(8192);
    boost::system::error_code failure;
    parser.put(boost::asio::buffer(octets.data(), octets.size()), failure);
    if (failure || !parser.is_header_done()) return;
    auto const& request = parser.get();
    auto const field = [&](http::field name) -> std::optional<std::string_view> {
        auto const found = request.find(name);
        if (found == request.end()) return std::nullopt;
        return std::string_view{found->value().data(), found->value().size()};
    };
    Head head;
    head.method = {request.method_string().data(), request.method_string().size()};
    head.target = {request.target().data(), request.target().size()};
    head.host = field(http::field::host);
    head.origin = field(http::field::origin);
    head.key = field(http::field::sec_websocket_key).value_or("");
    head.upgrade = websocket::is_upgrade(request);
    head.offers_v1 = field(http::field::sec_websocket_protocol) == "tamga.v1";
    tamga::policy::OriginRules const rules{{"egov.kz"}, {}, true, false};
    auto const standing = [&](std::string_view origin) {
        return tamga::policy::judge(rules, origin) == tamga::policy::Verdict::allowed ? Standing::allowed
                                                                                      : Standing::denied;
    };
    auto local = head;
    local.local = true;
    auto const command = judge(local, 0, standing).admission;
    if (command != Admission::refused && (head.origin || !head.offers_v1)) std::abort();

    auto const judgement = judge(head, port, standing);
    if (judgement.admission == Admission::refused) return;
    bool const is_told = head.offers_v1 && head.origin && head.origin->starts_with("https://");
    if (judgement.admission == Admission::explained && !is_told) std::abort();
    if (!head.host || head.host->find(":13579") == std::string_view::npos) std::abort();
    if (judgement.admission == Admission::websocket && head.origin != "https://egov.kz") std::abort();
}

void read_frames(beast::string_view octets) {
    static constexpr beast::string_view handshake = "GET / HTTP/1.1\r\nHost: 127.0.0.1:13579\r\nUpgrade: websocket\r\n"
                                                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    boost::asio::io_context loop;
    beast::test::stream client{loop};
    websocket::stream<beast::test::stream, false> server{loop};
    server.next_layer().connect(client);
    server.next_layer().append(handshake);
    boost::system::error_code failure;
    server.accept(failure);
    if (failure) std::abort();
    server.read_message_max(frame_limit);
    server.next_layer().append(octets);
    client.close();
    while (!failure) {
        beast::flat_buffer message;
        server.read(message, failure);
        if (message.size() > frame_limit) std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    beast::string_view const octets{reinterpret_cast<char const*>(data), size};
    judge_head(octets);
    read_frames(octets);
    return 0;
}

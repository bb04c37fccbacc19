#include "daemon/server/gate.hpp"

#include "base/base64.hpp"
#include "daemon/server/status_page.hpp"

namespace tamga::daemon {

namespace {

bool is_own_host(std::string_view host, std::uint16_t port) {
    auto const suffix = ":" + std::to_string(port);
    if (!host.ends_with(suffix)) return false;
    host.remove_suffix(suffix.size());
    return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

/// Of a page that was served here.
bool is_own_origin(std::string_view origin, std::uint16_t port) {
    for (std::string_view const scheme : {"https://", "http://"}) {
        if (origin.starts_with(scheme) && is_own_host(origin.substr(scheme.size()), port)) return true;
    }
    return false;
}

/// RFC 6455 section 4.1: base64 of a 16-octet nonce.
bool is_websocket_key(std::string_view key) {
    auto const nonce = from_base64(key);
    return key.size() == 24 && nonce && nonce->size() == 16;
}

Judgement refuse(unsigned status, std::string_view reason) {
    return {Admission::refused, status, reason};
}

Judgement explain(Errc word) {
    return {Admission::explained, 101, wire_name(word)};
}

/// Its name is the file's, so Host says nothing; a browser, which would say an origin, has no way to it.
Judgement judge_local(Head const& head) {
    if (head.origin) return refuse(403, "no page speaks here");
    if (head.method != "GET") return refuse(405, "only GET is served here");
    if (head.target != "/") return refuse(404, "nothing is served here");
    if (!head.upgrade || !head.offers_v1) return refuse(400, "tamga.v1 over WebSocket is spoken here");
    if (head.octets_follow) return refuse(400, "octets came before the handshake was answered");
    if (!is_websocket_key(head.key)) return refuse(400, "Sec-WebSocket-Key is malformed");
    return {Admission::websocket, 101, {}};
}

Judgement judge_page(Head const& head) {
    auto const target = status_target(head.target);
    if (!target) return refuse(404, "nothing is served here");
    // A link comes from the command, not from a page: a browser that follows it says no origin, and "none".
    bool const led = head.origin || (head.fetch_site != "" && head.fetch_site != "none");
    if (target->kind == StatusTarget::Kind::tokens && led) return refuse(403, "no page may open this");
    return {Admission::status_page, 200, {}};
}

} // namespace

Judgement judge(Head const& head, std::uint16_t port, std::function<Standing(std::string_view)> const& standing) {
    if (head.repeated) return refuse(400, "a header field came twice");
    if (head.local) return judge_local(head);
    if (!head.host || !is_own_host(*head.host, port)) return refuse(421, "this host is not served here");
    if (head.method != "GET") return refuse(405, "only GET is served here");
    if (!head.upgrade) return judge_page(head);
    if (head.target != "/") return refuse(404, "nothing is served here");
    if (head.octets_follow) return refuse(400, "octets came before the handshake was answered");
    if (!is_websocket_key(head.key)) return refuse(400, "Sec-WebSocket-Key is malformed");
    if (!head.origin) return refuse(403, "a page must say its origin");
    if (head.offers_v1 && is_own_origin(*head.origin, port)) return {Admission::tried, 101, "the status page"};
    auto const stands = standing(*head.origin);
    bool const can_be_told = head.offers_v1 && head.origin->starts_with("https://");
    if (stands == Standing::denied && can_be_told) return explain(Errc::origin_denied);
    if (stands == Standing::denied) return refuse(403, "this origin is not allowed");
    if (stands == Standing::refused && can_be_told) return explain(Errc::site_refused);
    return {Admission::websocket, 101, {}};
}

} // namespace tamga::daemon

// Who gets in: every request's head is judged here before anything else happens, WebSocket and plain HTTP alike.
#pragma once

#include "daemon/sites.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tamga::daemon {

/// What counts of a request's head. A field that came twice is `repeated`.
struct Head {
    std::string_view method;
    std::string_view target;
    std::optional<std::string_view> host;
    std::optional<std::string_view> origin;
    std::string_view key;        ///< Sec-WebSocket-Key
    std::string_view fetch_site; ///< Sec-Fetch-Site: who led the browser here
    bool upgrade = false;        ///< asks for WebSocket
    bool repeated = false;       ///< Host, Origin or Sec-WebSocket-Key came more than once
    bool octets_follow = false;  ///< something came behind the head, before any answer
    bool offers_v1 = false;      ///< tamga.v1 is among the sub-protocols it can speak
    bool local = false;          ///< came over the local socket, which no page can reach
};

/// `explained`: let in only to be told why not, by a close with 4403 and the word `reason`. `tried`: a socket of our
/// own status page, which only wants to know whether it opens.
enum class Admission : std::uint8_t { websocket, status_page, refused, explained, tried };

struct Judgement {
    Admission admission{};
    unsigned status = 200;   ///< HTTP status of a refusal
    std::string_view reason; ///< for the log, and the one line of a refusal's body
};

/// Host first, on every route: with plain ws:// it is the only barrier against DNS rebinding (RFC 9110 section 15.5.20,
/// 421). Then the method and target, the form of the upgrade (RFC 6455 section 4.2.1), and the origin: absent, `null`,
/// or one that `standing` denies gets 403. An https origin that is denied or was refused and offers tamga.v1 is
/// explained why. A page of the status page gets no further than an open socket, and what a link alone opens is no
/// business of other pages. On the local socket there is no origin, and tamga.v1 alone.
[[nodiscard]] Judgement judge(Head const& head, std::uint16_t port,
                              std::function<Standing(std::string_view)> const& standing);

} // namespace tamga::daemon

// Who asks: the Origin header of an upgrade, read strictly, and what the lists say of it. Pure functions.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace tamga::policy {

/// A web origin (RFC 6454) as a browser serializes it.
struct Origin {
    std::string scheme;     ///< "https" or "http"
    std::string host;       ///< a name, an IPv4 address or an IPv6 address in brackets; as sent, not lower-cased
    std::uint16_t port = 0; ///< 0: the scheme's own

    [[nodiscard]] std::string host_and_port() const;
};

/// Reads an Origin header. Error: origin_denied for everything that is not scheme://host[:port] and nothing more:
/// "null", file:, user names, paths, a default or malformed port, octets outside ASCII. Upper case and a trailing dot
/// are read, though never equal to a listed host: S1 wants them asked about as look-alikes.
Result<Origin> parse_origin(std::string_view header);

/// What is listed. An entry is a host, or host:port where the port is not 443, as is_list_entry takes it.
struct OriginRules {
    std::set<std::string> allow;
    std::set<std::string> deny;
    bool strict = false;      ///< an origin on no list is denied, not asked about
    bool development = false; ///< pages of http://localhost and http://127.0.0.1 are asked about like others
};

enum class Verdict : std::uint8_t {
    allowed,
    ask,    ///< the person decides, at the first request that would touch a token, and is remembered
    denied, ///< 403 before the upgrade
};

/// Judges an Origin header; an absent one is the empty text.
[[nodiscard]] Verdict judge(OriginRules const& rules, std::string_view header);

/// Whether `entry` can stand in a list: lower-case, exact, no wildcard, no default port.
[[nodiscard]] bool is_list_entry(std::string_view entry);

/// The listed host that the origin of `header` looks like without being it or a subdomain of it; mostly empty.
/// Looks at known hosts inside other names, one or two letters' difference, letters of another script (Punycode is
/// decoded), and odd ports on a known host.
[[nodiscard]] std::string resembles(std::string_view header, std::set<std::string> const& known_hosts);

} // namespace tamga::policy

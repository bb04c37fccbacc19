#include "policy/origin.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tamga::policy {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Error denied(std::string reason) {
    return {Errc::origin_denied, std::move(reason)};
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), [](char c) {
        return is_digit(c) || is_letter(c) || c == '-' || c == '_';
    });
}

bool is_name(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > 253) return false;
    while (true) {
        auto const dot = host.find('.');
        if (!is_label(host.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        host.remove_prefix(dot + 1);
    }
}

bool is_bracketed_address(std::string_view host) {
    if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
    return std::all_of(host.begin(), host.end(),
                       [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.'; });
}

/// A port as a browser writes it: no zero in front, and never the scheme's own.
std::optional<std::uint16_t> port_of(std::string_view digits, std::string_view scheme) {
    std::uint16_t port = 0;
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    auto const standard = scheme == "https" ? 443 : 80;
    if (failure != std::errc{} || end != digits.data() + digits.size() || digits.starts_with('0') || port == standard)
        return std::nullopt;
    return port;
}

bool is_loopback_page(Origin const& origin) {
    return origin.scheme == "http" && (origin.host == "localhost" || origin.host == "127.0.0.1");
}

} // namespace

std::string Origin::host_and_port() const {
    return port == 0 ? host : host + ':' + std::to_string(port);
}

Result<Origin> parse_origin(std::string_view header) {
    auto const separator = header.find("://");
    if (separator == std::string_view::npos) return denied("no scheme");
    Origin origin;
    origin.scheme = header.substr(0, separator);
    if (origin.scheme != "https" && origin.scheme != "http") return denied("neither https nor http");
    auto rest = header.substr(separator + 3);
    auto const colon = rest.find(':', rest.starts_with('[') ? std::min(rest.find(']'), rest.size()) : 0);
    origin.host = rest.substr(0, colon);
    if (!is_name(origin.host) && !is_bracketed_address(origin.host)) return denied("not a host");
    if (colon == std::string_view::npos) return origin;
    auto const port = port_of(rest.substr(colon + 1), origin.scheme);
    if (!port) return denied("not a port a browser would write");
    origin.port = *port;
    return origin;
}

Verdict judge(OriginRules const& rules, std::string_view header) {
    auto const origin = parse_origin(header);
    if (!origin) return Verdict::denied;
    auto const unlisted = rules.strict ? Verdict::denied : Verdict::ask;
    if (origin->scheme == "http") return rules.development && is_loopback_page(*origin) ? unlisted : Verdict::denied;
    auto const entry = origin->host_and_port();
    if (rules.deny.contains(entry)) return Verdict::denied;
    return rules.allow.contains(entry) ? Verdict::allowed : unlisted;
}

bool is_list_entry(std::string_view entry) {
    auto const origin = parse_origin("https://" + std::string{entry});
    return origin && !origin->host.ends_with('.') &&
           std::none_of(entry.begin(), entry.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

} // namespace tamga::policy

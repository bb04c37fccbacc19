#include "policy/http_url.hpp"

#include <algorithm>

namespace tamga::policy {

namespace {

constexpr std::string_view scheme = "http://";
constexpr std::size_t longest_host = 253;
constexpr std::size_t longest_path = 1024;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_host_character(char c) {
    auto const lower = static_cast<char>(c | 0x20);
    return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '.' || c == '-';
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit) && text[0] != '0' &&
           (text.size() < 5 || text <= "65535");
}

} // namespace

Result<HttpUrl> parse_http_url(std::string_view text) {
    Error const wrong{Errc::config_invalid, "an address as \"http://host/path\" required"};
    if (!text.starts_with(scheme)) return wrong;
    text.remove_prefix(scheme.size());
    auto const authority = text.substr(0, text.find('/'));
    auto const path = text.substr(authority.size());
    auto const host = authority.substr(0, authority.find(':'));
    auto const port = host.size() == authority.size() ? std::string_view{"80"} : authority.substr(host.size() + 1);
    bool const path_is_plain =
        path.size() <= longest_path && std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
    if (host.empty() || host.size() > longest_host || !std::ranges::all_of(host, is_host_character)) return wrong;
    if (!is_port(port) || !path_is_plain) return wrong;
    return HttpUrl{std::string{host}, std::string{port}, path.empty() ? "/" : std::string{path}};
}

} // namespace tamga::policy

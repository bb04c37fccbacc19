#include "daemon/status_links.hpp"

#include "base/base64.hpp"

#include <openssl/crypto.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

namespace tamga::daemon {

namespace {

/// In a time that says nothing of where they differ.
bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace

Result<std::string> StatusLinks::make(Language language, Time now) {
    if (m_port == 0) return Error{Errc::port_taken, "no page is served"};
    std::array<std::uint8_t, 16> bits{};
    if (::getrandom(bits.data(), bits.size(), 0) != static_cast<::ssize_t>(bits.size()))
        return Error{Errc::system, "getrandom"};
    if (m_links.size() == most) m_links.erase(m_links.begin());
    auto const& link = m_links.emplace_back(Link{to_hex(View{bits}), language, now + life});
    std::string address = "https://127.0.0.1:" + std::to_string(m_port);
    return address.append(status_link_path).append(link.secret);
}

std::optional<Language> StatusLinks::take(std::string_view secret, Time now) {
    std::erase_if(m_links, [now](Link const& link) { return link.until <= now; });
    auto const found = std::ranges::find_if(m_links, [secret](Link const& link) { return same(link.secret, secret); });
    if (found == m_links.end()) return std::nullopt;
    auto const language = found->language;
    m_links.erase(found);
    return language;
}

} // namespace tamga::daemon

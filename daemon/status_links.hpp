// Links to what the status page does not say to everybody: which tokens are plugged in.
#pragma once

#include "base/result.hpp"
#include "base/text.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::daemon {

/// Loop thread. A link is 128 random bits, good once and for a minute: what a browser keeps of it in its history leads
/// nowhere.
class StatusLinks {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds life{60};
    static constexpr std::size_t most = 16; ///< open at a time; of more the oldest ends

    /// Where pages are served, as soon as they are.
    void served_at(std::uint16_t port) noexcept { m_port = port; }

    /// The address of a page in `language`. Errors: port_taken (no page is served), system (no random numbers).
    [[nodiscard]] Result<std::string> make(Language language, Time now);
    /// The language of its page, and its end; nothing for what is no link, or none any more.
    [[nodiscard]] std::optional<Language> take(std::string_view secret, Time now);

private:
    struct Link {
        std::string secret;
        Language language{};
        Time until;
    };
    std::vector<Link> m_links; ///< oldest first
    std::uint16_t m_port = 0;
};

/// Before the secret, in the path.
inline constexpr std::string_view status_link_path = "/tokens/";

} // namespace tamga::daemon

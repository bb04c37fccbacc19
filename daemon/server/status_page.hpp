// The page at `/`: what runs here, whether the browser trusts it, and what to do where a portal does not find it. Says
// nothing of tokens, people and sites; which tokens there are is told on a page of its own, to whoever has a link of
// daemon/status_links.hpp.
#pragma once

#include "base/messages.hpp"
#include "base/text.hpp"
#include "policy/reminders.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::daemon {

/// What a request's target names.
struct StatusTarget {
    enum class Kind : std::uint8_t { page, asset, tokens };
    Kind kind{};
    std::optional<Language> language; ///< of `/?language=kk`
    std::string_view name;            ///< of the asset; the secret of the link
};

/// Nothing where nothing is served.
[[nodiscard]] std::optional<StatusTarget> status_target(std::string_view target);

/// The best of our languages in the header Accept-Language (RFC 9110 section 12.5.4); nothing where it names none.
[[nodiscard]] std::optional<Language> accepted_language(std::string_view header);

/// What the page says of this computer. Times in seconds since 1970.
struct StatusFacts {
    std::uint16_t port = 0;
    std::time_t since = 0;
    std::time_t certificate_until = 0;
    std::size_t modules_up = 0;
    std::size_t modules = 0; ///< those that are down included
};

struct StatusAsset {
    std::string_view type;
    std::string_view octets; ///< of the program itself
};

/// A style sheet, a script or a picture of the page. `name` is one that status_target gave.
[[nodiscard]] StatusAsset status_asset(std::string_view name);

/// HTML in UTF-8.
[[nodiscard]] std::string status_page(Language language, StatusFacts const& facts);
[[nodiscard]] std::string tokens_page(Language language, std::vector<ipc::TokenInfo> const& tokens,
                                      std::vector<policy::Reminder> const& ending);
/// For a link that is none, or none any more.
[[nodiscard]] std::string dead_link_page(Language language);

/// The policy every answer carries: nothing but this page's own files, no inline script or style, no frame; and a
/// socket to the port of this computer, which is what the page tries.
[[nodiscard]] std::string content_security_policy(std::uint16_t port);

} // namespace tamga::daemon

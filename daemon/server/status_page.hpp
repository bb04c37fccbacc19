// The page at `/`: what this is, and that the browser trusts it. Reveals nothing about tokens or people.
#pragma once

#include <string>

namespace tamga::daemon {

[[nodiscard]] std::string const& status_page();
/// The policy every answer carries: no script, no frame, one style sheet named by its digest.
[[nodiscard]] std::string const& content_security_policy();

} // namespace tamga::daemon

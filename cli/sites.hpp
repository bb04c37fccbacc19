// What `tamga sites` does: shows what was answered about sites, and answers in the window's place.
#pragma once

#include "base/text.hpp"
#include "cli/report_form.hpp"
#include "policy/consent.hpp"

#include <optional>
#include <ostream>
#include <string>

namespace tamga::cli {

struct SitesSettings {
    Language language{};
    std::filesystem::path file; ///< empty without a home
    std::chrono::days lifetime; ///< of a permission that is not used
};

/// `revoke`: the window asks again, whatever else is said of the site, and its sockets are closed. `forget`: as if
/// nobody had ever answered.
enum class SitesAction : std::uint8_t { allow, refuse, forget, revoke };

/// An origin as a browser writes it; "egov.kz" stands for "https://egov.kz". Nothing where it is none.
[[nodiscard]] std::optional<std::string> origin_from(std::string const& typed);

/// Each @return an exit code. Blocking. The daemon, where it runs, sees the change at once.
int list_sites(SitesSettings const& settings, ReportForm form, std::ostream& out, std::ostream& errors);
int answer_about_site(SitesSettings const& settings, SitesAction action, std::string const& typed, std::ostream& out,
                      std::ostream& errors);

} // namespace tamga::cli

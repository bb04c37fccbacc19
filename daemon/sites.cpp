#include "daemon/sites.hpp"

#include "base/log.hpp"

namespace tamga::daemon {

Standing Sites::standing(std::string_view origin) {
    auto const verdict = policy::judge(m_rules, origin);
    if (verdict == policy::Verdict::denied) return Standing::denied;
    // What the person said comes before the lists of allowed hosts: "never" holds for a known portal too.
    if (auto const answer = m_answers.lookup(origin)) {
        return *answer == policy::Answer::allow ? Standing::allowed : Standing::refused;
    }
    return verdict == policy::Verdict::allowed ? Standing::allowed : Standing::asked;
}

std::string Sites::resembles(std::string_view origin) const {
    return policy::resembles(origin, m_rules.allow);
}

void Sites::remember(std::string const& origin, Standing answer) {
    auto const kept = answer == Standing::refused ? policy::Answer::deny : policy::Answer::allow;
    if (auto written = m_answers.remember(origin, kept); !written) {
        log::warning(
            "sites",
            {{"origin", origin}, {"error", wire_name(written.error().code)}, {"detail", written.error().detail}});
    }
}

} // namespace tamga::daemon

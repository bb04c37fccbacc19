#include "daemon/sites.hpp"

#include "base/log.hpp"

namespace tamga::daemon {

namespace {

void complain(std::string const& origin, Error const& error) {
    log::warning("sites", {{"origin", origin}, {"error", wire_name(error.code)}, {"detail", error.detail}});
}

} // namespace

Standing Sites::standing(std::string_view origin) {
    auto const verdict = policy::judge(m_rules, origin);
    if (verdict == policy::Verdict::denied) return Standing::denied;
    // What the person said comes before the lists of allowed hosts: "never" holds for a known portal too.
    if (auto const answer = m_answers.lookup(origin)) {
        switch (*answer) {
        case policy::Answer::allow: return Standing::allowed;
        case policy::Answer::deny: return Standing::refused;
        case policy::Answer::ask: return Standing::asked;
        }
    }
    return verdict == policy::Verdict::allowed ? Standing::allowed : Standing::asked;
}

std::string Sites::resembles(std::string_view origin) const {
    return policy::resembles(origin, m_rules.allow);
}

void Sites::note_use(std::string const& origin) {
    if (auto written = m_answers.note_use(origin); !written) complain(origin, written.error());
}

void Sites::remember(std::string const& origin, Standing answer) {
    auto const kept = answer == Standing::refused ? policy::Answer::deny : policy::Answer::allow;
    if (auto written = m_answers.remember(origin, kept); !written) complain(origin, written.error());
}

} // namespace tamga::daemon

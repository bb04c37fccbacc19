// How a site stands with this person: what configuration says, then what they answered before.
#pragma once

#include "policy/consent.hpp"
#include "policy/origin.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace tamga::daemon {

enum class Standing : std::uint8_t {
    denied,  ///< 403 before the upgrade: no page may come from here
    allowed, ///< by configuration or by the person
    asked,   ///< not answered yet: the window asks at the first request that would touch a token
    refused, ///< the person said never: the dialect's cancel form, without a window
};

/// Loop thread. Changes take effect at once, on open sockets too, those the person made in sites.toml included: every
/// request looks anew.
class Sites {
public:
    Sites(policy::OriginRules rules, policy::ConsentBook answers)
        : m_rules{std::move(rules)}, m_answers{std::move(answers)} {}

    [[nodiscard]] Standing standing(std::string_view origin);
    /// A request of an allowed site: its permission lasts from now on anew.
    void note_use(std::string const& origin);
    /// The known host that `origin` looks like without being it; empty where there is none.
    [[nodiscard]] std::string resembles(std::string_view origin) const;
    /// Keeps the person's answer (allowed or refused) on disk; a failure to do so is logged, and asked again next time.
    void remember(std::string const& origin, Standing answer);

    /// Who hears, on the loop, that answers may be others now.
    void on_change(std::function<void()> changed) { m_changed = std::move(changed); }
    /// The file changed: said by whoever watches it.
    void tell_changed() const {
        if (m_changed) m_changed();
    }

private:
    std::function<void()> m_changed;
    policy::OriginRules m_rules;
    policy::ConsentBook m_answers;
};

} // namespace tamga::daemon

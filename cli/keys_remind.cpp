#include "base/date.hpp"
#include "base/explain.hpp"
#include "cli/key_parts.hpp"
#include "cli/printable.hpp"
#include "policy/reminders.hpp"

namespace tamga::cli {

int remind(KeysSettings const& settings, std::filesystem::path const& told, Notify const& notify, std::int64_t now,
           std::ostream& out, std::ostream& complaints) {
    auto const language = settings.language;
    auto const known = known_keys(settings, now, complaints);
    if (!known) return exit_failed;
    std::vector<signing::Certificate> certificates;
    for (auto const& key : *known) {
        if (key.state != policy::KeyState::revoked) certificates.push_back(key.certificate);
    }
    auto book = policy::ReminderBook::load(told);
    for (auto const& reminder : book.due(certificates, now)) {
        auto const& certificate = reminder.certificate;
        auto const summary = text(language, "A certificate ends in %1 days", {std::to_string(reminder.days_left)});
        auto const body = text(language,
                               "%1, valid until %2. Renew it now: later it can be renewed at a registration centre "
                               "alone. The command: tamga keys renew",
                               {printable(certificate.common_name()), utc_time(certificate.not_after()).substr(0, 10)});
        if (auto given = notify(summary, body); !given) {
            complaints << text(language, "The desktop could not be told: %1", {given.error().detail}) << '\n';
            return exit_failed;
        }
        out << summary << ": " << body << '\n';
        // Written once it was given: a reminder twice is better than none.
        if (auto noted = book.note(reminder, now); !noted) return complain(language, noted.error(), complaints);
    }
    return 0;
}

} // namespace tamga::cli

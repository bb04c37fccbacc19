// When an owner is reminded that a certificate ends: 30, 14 and 3 days ahead, each once.
#pragma once

#include "base/result.hpp"
#include "signing/certificate.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tamga::policy {

/// Days ahead, the earliest first.
inline constexpr std::array reminder_days{30, 14, 3};

/// The stage that a certificate is in at `now` (seconds since 1970): the fewest of reminder_days that are not over yet.
/// Nothing before the first, and once it has ended: then no renewal is possible, and a reminder would be late.
[[nodiscard]] std::optional<int> reminder_stage(std::int64_t not_after, std::int64_t now) noexcept;

/// Whether `later` does for its owner what `certificate` does, and longer: same person, same organisation, same usages.
[[nodiscard]] bool is_succeeded(signing::Certificate const& certificate, signing::Certificate const& later);

/// A reminder to be given.
struct Reminder {
    signing::Certificate certificate;
    int days = 0;               ///< the stage: 30, 14 or 3
    std::int64_t days_left = 0; ///< whole days until it ends
};

/// Which stage of which certificate was told: a small file, 0600.
class ReminderBook {
public:
    /// A missing file says nothing was told; so does one that is damaged: a reminder twice is better than none.
    /// Blocking.
    [[nodiscard]] static ReminderBook load(std::filesystem::path path);

    /// $XDG_STATE_HOME/tamga/reminders.toml; empty without a home.
    [[nodiscard]] static std::filesystem::path default_path();

    /// What is due at `now`, those that end first first. A certificate that has a successor in `all` is not spoken of.
    [[nodiscard]] std::vector<Reminder> due(std::vector<signing::Certificate> const& all, std::int64_t now) const;

    /// It was given: neither this stage nor an earlier one is due again. Forgets certificates that have ended.
    /// Blocking. Error: system.
    Result<void> note(Reminder const& reminder, std::int64_t now);

private:
    struct Told {
        int days = 0;
        std::int64_t not_after = 0;
    };
    explicit ReminderBook(std::filesystem::path path) : m_path{std::move(path)} {}

    std::filesystem::path m_path;
    std::map<std::string, Told> m_told; ///< by fingerprint, lower-case hexadecimal
};

} // namespace tamga::policy

// What `tamga journal` does: shows, exports and erases what is remembered of uses of keys.
#pragma once

#include "base/text.hpp"
#include "cli/report_form.hpp"
#include "journal/book.hpp"

#include <functional>
#include <ostream>

namespace tamga::cli {

struct JournalSettings {
    Language language{};
    std::filesystem::path file; ///< empty without a home
};

/// $XDG_STATE_HOME/tamga/journal.db, mostly ~/.local/state/...; empty without a home.
[[nodiscard]] std::filesystem::path journal_file();

/// "2026-11-23", which begins when that day does here, or "2026-11-23T10:00:00Z". Nothing where it is neither.
[[nodiscard]] std::optional<std::int64_t> moment_from(std::string const& text);

/// Each @return an exit code. Blocking. The daemon need not run.
int show_journal(JournalSettings const& settings, journal::Filter const& filter, ReportForm form, std::ostream& out,
                 std::ostream& errors);
/// As a table where the file's name ends in .csv, else as JSON. The file is made anew, 0600.
int export_journal(JournalSettings const& settings, journal::Filter const& filter, std::filesystem::path const& file,
                   std::ostream& out, std::ostream& errors);
/// @param agrees  asked with a question before anything is gone
int erase_journal(JournalSettings const& settings, std::optional<std::int64_t> before,
                  std::function<bool(std::string const&)> const& agrees, std::ostream& out, std::ostream& errors);

} // namespace tamga::cli

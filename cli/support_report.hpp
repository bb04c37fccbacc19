// `tamga report`: what those who help need, in one file that a person can read before it goes anywhere.
#pragma once

#include "cli/doctor/finding.hpp"
#include "cli/doctor/surroundings.hpp"

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace tamga::cli {

/// `text` without what may name a person or a thing of theirs: the home folder (~), long numbers as those of people,
/// organisations and tokens, long hexadecimal numbers and base64, and which site it was.
[[nodiscard]] std::string redacted(std::string_view text, std::string_view home);

/// The same findings without labels and numbers of tokens and without sites.
[[nodiscard]] Findings redacted(Findings findings);

struct ReportRequest {
    std::filesystem::path file; ///< empty: tamga-report-DATE.txt in the current folder
    /// Asked, after the report was shown, before it is saved.
    std::function<bool(std::string const& question)> agrees;
};

/// Shows the report on `out`, then saves it, 0600, if the person wants it. It has the doctor's findings, versions, and
/// the last errors of the journal of signatures and of systemd's; then the same as JSON. No document, signature, PIN,
/// name or full number; a test plants such secrets and looks for them. Blocking. @return the exit code: 0, or 1 where
/// the file could not be written.
int run_report(Surroundings const& here, ReportRequest const& request, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

// Entries for programs: as values with names, for JSON, and as a table, for CSV.
#pragma once

#include "base/tree.hpp"
#include "journal/entry.hpp"

#include <string>
#include <vector>

namespace tamga::journal {

[[nodiscard]] Tree tree_of(Entry const& entry);

/// One line a document, with a heading (RFC 4180); a request without documents that are listed has one line. A field
/// that a spreadsheet would take for a formula begins with an apostrophe.
[[nodiscard]] std::string csv_of(std::vector<Entry> const& entries);

} // namespace tamga::journal

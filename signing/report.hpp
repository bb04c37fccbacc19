// What verifying found, as named values for programs: `tamga verify --json` prints them, `verify` of tamga.v1 answers
// with them.
#pragma once

#include "base/tree.hpp"
#include "signing/verify.hpp"

namespace tamga::signing {

/// {form, verdict, signers: [...]}; times are UTC in ISO 8601 (docs/tamga-v1.md has every member).
[[nodiscard]] Tree tree_of(Report const& report);

} // namespace tamga::signing

// `tamga explain`: what a code of the doctor, or a word or number of an error, means.
#pragma once

#include "base/text.hpp"

#include <ostream>
#include <string>

namespace tamga::cli {

/// Codes for the telephone ("D4036"), words of docs/errors.md ("pin_locked"), their numbers on the wire (-33023), and
/// causes of the doctor ("port.ncalayer"). @return the exit code: 0, or 2 where it is none of these.
int explain_code(Language language, std::string const& typed, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

// Where the lines of base/log.hpp go.
#pragma once

namespace tamga::log {

/// From here on lines go to a descriptor of their own, which no program inherits, and what anybody else in this process
/// prints on standard error goes nowhere: a library that is loaded later can neither put a secret into the log nor a
/// line that looks like ours. Once, while there is one thread. Where it fails everything stays as it is.
void keep_apart();

} // namespace tamga::log

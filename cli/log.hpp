// `tamga log`: what systemd's journal has of Tamga's programs, in plain words.
#pragma once

#include "base/text.hpp"

#include <ostream>

namespace tamga::cli {

struct LogRequest {
    Language language{};
    bool follow = false; ///< goes on until it is ended
    bool raw = false;    ///< lines as they were written
    unsigned lines = 50; ///< of what was there before
};

/// One line for each of the log's: when, who must act, what happened. Blocking; with `follow` for ever.
/// @return the exit code: 0, or 1 where systemd's journal cannot be read or has no line of ours.
int run_log(LogRequest const& request, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli

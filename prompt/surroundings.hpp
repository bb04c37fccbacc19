// The graphical session around the prompt: which display, and whether somebody can sit before it.
#pragma once

namespace tamga::prompt {

/// Takes DISPLAY and its like from the user manager, which knows the present session; the daemon's own environment may
/// be older than it. Where the manager does not answer, this process's environment stays. Blocks 200 ms at most.
void take_display_environment();

/// Whether the session on the person's display is locked (logind's LockedHint). Not to be found out counts as no.
[[nodiscard]] bool session_is_locked();

} // namespace tamga::prompt

// The graphical session around the prompt: which display, and whether somebody can sit before it.
#pragma once

namespace tamga::prompt {

/// Takes DISPLAY and its like from the user manager, which knows the present session; the daemon's own environment may
/// be older than it. Where the manager does not answer, this process's environment stays. Blocks 200 ms at most.
void take_display_environment();

/// Takes away every other choice of Qt's than a window here: its `vnc` platform would put the window, and what is typed
/// into it, on the network.
void keep_to_this_screen();

/// Whether a display accepts us: Qt would end the process if none did.
[[nodiscard]] bool display_answers();

/// Whether the session on the person's display is locked (logind's LockedHint). Not to be found out counts as no.
[[nodiscard]] bool session_is_locked();

} // namespace tamga::prompt

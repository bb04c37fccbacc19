// The display that the window would be on.
#pragma once

namespace tamga::prompt {

/// Takes away every other choice of Qt's than a window here: its `vnc` platform would put the window, and what is typed
/// into it, on the network.
void keep_to_this_screen();

/// Whether a display accepts us: Qt would end the process if none did.
[[nodiscard]] bool display_answers();

} // namespace tamga::prompt

// Files in which something is remembered: written whole or not at all.
#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <string_view>

namespace tamga::policy {

/// $XDG_STATE_HOME/tamga, mostly ~/.local/state/tamga; empty without a home.
[[nodiscard]] std::filesystem::path state_folder();

/// The folder, its parents as the person's umask has them, itself for the person alone. Blocking. Error: system.
Result<void> make_private_folder(std::filesystem::path const& folder);

/// As long as the descriptor is open nobody else who asks gets one. Blocking: waits for whoever has it, which is for
/// as long as a file takes to be written. Error: system.
Result<UniqueFd> lock_folder(std::filesystem::path const& folder);

/// Replaces `path` by `text`, mode 0600, so that a crash leaves the old file or the new one, never half of it.
/// Blocking: waits for the disk. Error: system.
Result<void> replace_file(std::filesystem::path const& path, std::string_view text);

} // namespace tamga::policy

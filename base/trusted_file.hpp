// Which files may decide what this program does: configuration and PKCS#11 modules.
#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace tamga {

/// Whether `path` and every folder above it belong to root or to this process's user and are not writable by others; a
/// folder with the sticky bit (/tmp) passes, because others cannot replace what is ours in it. Symbolic links are
/// followed and their targets judged. @return the canonical path.
/// Errors: file_untrusted with the component at fault and why; system where it does not exist or cannot be looked at.
Result<std::filesystem::path> trusted_path(std::filesystem::path const& path);

/// Reads a file judged by trusted_path, at most `limit` octets (too_large beyond). Blocking.
Result<std::string> read_trusted_file(std::filesystem::path const& path, std::size_t limit = 1 << 20);

} // namespace tamga

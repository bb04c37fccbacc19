// Which files may decide what this program does: configuration and PKCS#11 modules.
#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace tamga {

/// What a detail of file_untrusted consists of.
struct FileFault {
    std::string path;    ///< the file, or the folder above it, that is at fault
    std::string why;     ///< owner, mode or access list
    std::string command; ///< what mends it; empty where no command does

    [[nodiscard]] std::string detail() const;
    /// The detail taken apart again. Of one that is none, everything is `path`.
    static FileFault from(std::string_view detail);
};

/// Whether `path` and every folder above it belong to root or to this process's user and are not writable by others; a
/// folder with the sticky bit (/tmp) passes, because others cannot replace what is ours in it. Symbolic links are
/// followed and their targets judged. @return the canonical path.
/// Errors: file_untrusted with "PATH: WHY; mend it with: COMMAND" (FileFault); system where it does not exist or cannot
/// be looked at.
Result<std::filesystem::path> trusted_path(std::filesystem::path const& path);

/// Reads a file judged by trusted_path, at most `limit` octets (too_large beyond). Blocking.
Result<std::string> read_trusted_file(std::filesystem::path const& path, std::size_t limit = 1 << 20);

} // namespace tamga

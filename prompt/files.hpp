// The chooser's side of files: what is in a folder, what is opened, and which key files were opened last. Nothing of it
// leaves this process but an opened descriptor.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tamga::prompt {

enum class FileUse : std::uint8_t {
    key,      ///< .p12 and .pfx
    document, ///< whatever the person wants to have signed
};

struct FolderEntry {
    std::filesystem::path path;
    bool is_folder = false;
    std::uint64_t size = 0; ///< octets, of a file
};

/// Folders, then files that may be meant, each by name; hidden ones are left out. At most 5000. Blocking. Empty where
/// the folder cannot be read.
[[nodiscard]] std::vector<FolderEntry> entries_of(std::filesystem::path const& folder, FileUse use);

/// The person's home, or the root where there is none.
[[nodiscard]] std::filesystem::path home_folder();

/// Opens a regular file for reading. Error: file_not_found.
Result<UniqueFd> open_file(std::filesystem::path const& path);

/// Puts `octets` in the place of what is in `path`: a new file beside it (0600) is written, flushed and read back, and
/// only then takes its name; until then, and where anything fails, the old one is as it was. A link stays one.
/// Blocking. Error: system.
Result<void> replace_file(std::filesystem::path const& path, View octets);

/// Whether it looks like PKCS#12, a Java key store or a private key in DER or PEM, by its first MiB. No site needs one.
/// Reads without moving the descriptor's place.
[[nodiscard]] bool looks_like_key_file(UniqueFd const& file);

/// The key files that were unlocked last, newest first: their paths and nothing else, in a file of the person's.
class RecentFiles {
public:
    static constexpr std::size_t most = 8;

    /// Those of `file` that are still there; none where it cannot be read. Blocking.
    static RecentFiles load(std::filesystem::path file);
    /// $XDG_STATE_HOME/tamga/recent-key-files, mostly ~/.local/state/...; empty where neither is known.
    [[nodiscard]] static std::filesystem::path default_path();

    [[nodiscard]] std::vector<std::filesystem::path> const& paths() const noexcept { return m_paths; }
    /// Puts it first, and writes the list (0600). A failure is logged, without a path.
    void add(std::filesystem::path const& path);
    void clear();

private:
    explicit RecentFiles(std::filesystem::path file) : m_file{std::move(file)} {}
    void write() const;

    std::filesystem::path m_file;
    std::vector<std::filesystem::path> m_paths;
};

} // namespace tamga::prompt

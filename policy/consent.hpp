// What the person answered when a site was new: the memory behind "ask me once", "no" included.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tamga::policy {

enum class Answer : std::uint8_t { allow, deny };

/// The answers in one file, readable by its owner alone. Not thread-safe; one process writes it, and the person may
/// edit it: it is read anew when it changed, looked at when an answer is wanted.
class ConsentBook {
public:
    /// $XDG_STATE_HOME/tamga/sites.toml, mostly ~/.local/state/...; empty without a home.
    [[nodiscard]] static std::filesystem::path default_path();

    /// Reads the answers. Blocking. Never fails: a missing file is an empty book; one that is damaged, or that others
    /// may write, is renamed to sites.toml.damaged with a line in the log, and people are asked again.
    [[nodiscard]] static ConsentBook load(std::filesystem::path path);

    /// The answer in the file as it is now. Blocking: one stat(2), and where the file is another one since, its
    /// reading. An edit that cannot be read is refused with a line in the log that says why; until it is mended the
    /// answers from before it count.
    [[nodiscard]] std::optional<Answer> lookup(std::string_view origin);

    /// Notes the answer and writes the file anew: beside the old one, synced, then renamed over it, mode 0600 whatever
    /// the umask. What the person edited meanwhile is kept; an edit that cannot be read is renamed, as by `load`, not
    /// overwritten. Blocking. The answer holds for this process even where the file could not be written. Error:
    /// system.
    Result<void> remember(std::string const& origin, Answer answer);

private:
    struct Entry {
        Answer answer{};
        std::int64_t at = 0; ///< seconds since 1970
    };
    using Entries = std::map<std::string, Entry, std::less<>>;
    /// By which a file is told from what it was: another inode where it was replaced, other times where it was edited
    /// or its mode changed.
    struct Stamp {
        int failure = 0; ///< errno, where it cannot be looked at; ENOENT: there is none
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified_ns = 0; ///< since 1970, as the next
        std::int64_t changed_ns = 0;

        bool operator==(Stamp const&) const = default;
    };

    explicit ConsentBook(std::filesystem::path path) : m_path{std::move(path)} {}
    [[nodiscard]] Stamp look() const;
    [[nodiscard]] Result<Entries> read() const;
    void read_if_changed();
    void set_aside();
    [[nodiscard]] Result<void> write() const;

    std::filesystem::path m_path;
    std::optional<Stamp> m_seen;    ///< the file as it was read last, or refused
    std::optional<Error> m_refused; ///< why the file as it is now was not taken
    Entries m_entries;
};

} // namespace tamga::policy

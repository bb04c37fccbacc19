// What the person answered when a site was new: the memory behind "ask me once", "no" included. A permission that is
// not used for long ends; one that was taken back is asked about again.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::policy {

/// `ask`: whatever else is said of the site, the window is to ask; a permission that was taken back.
enum class Answer : std::uint8_t { allow, deny, ask };

[[nodiscard]] std::string_view name_of(Answer answer) noexcept;

/// One answer, as it is told to people.
struct Grant {
    std::string origin;
    Answer answer{};
    std::int64_t at = 0;   ///< seconds since 1970, as the next two
    std::int64_t used = 0; ///< the last day on which the site used its permission, not before `at`
    std::int64_t ends = 0; ///< when it ends unless it is used before; 0: it does not
};

/// The answers in one file, readable by its owner alone. Not thread-safe. Several processes may write it, one after the
/// other (a lock on the folder), and the person may edit it: it is read anew when it changed, looked at when an answer
/// is wanted.
class ConsentBook {
public:
    /// $XDG_STATE_HOME/tamga/sites.toml, mostly ~/.local/state/...; empty without a home.
    [[nodiscard]] static std::filesystem::path default_path();

    /// Reads the answers. Blocking. Never fails: a missing file is an empty book; one that is damaged, or that others
    /// may write, is renamed to sites.toml.damaged with a line in the log, and people are asked again.
    /// @param lifetime  of a permission that is not used; without it for ever
    [[nodiscard]] static ConsentBook load(std::filesystem::path path,
                                          std::optional<std::chrono::days> lifetime = std::nullopt);

    /// The same for a command: a file that is damaged stays where it is, and `refused` says why it was not read.
    [[nodiscard]] static ConsentBook look_at(std::filesystem::path path, std::optional<std::chrono::days> lifetime);

    /// The answer in the file as it is now. Blocking: one stat(2), and where the file is another one since, its
    /// reading. An edit that cannot be read is refused with a line in the log that says why; until it is mended the
    /// answers from before it count.
    [[nodiscard]] std::optional<Answer> lookup(std::string_view origin);

    /// Notes the answer and writes the file anew: beside the old one, synced, then renamed over it, mode 0600 whatever
    /// the umask. What the person edited meanwhile is kept; an edit that cannot be read is renamed, as by `load`, not
    /// overwritten. Blocking. The answer holds for this process even where the file could not be written. Error:
    /// system.
    Result<void> remember(std::string const& origin, Answer answer);

    /// The site uses its permission, in the file as `lookup` read it last: written once a day at most, and then as by
    /// `remember`. Nothing happens where it has none here.
    Result<void> note_use(std::string_view origin);

    /// As if that site had never been answered. @return false where it was not. Otherwise as `remember`.
    Result<bool> forget(std::string_view origin);

    /// Every answer that still holds, by origin. Blocking, as `lookup`.
    [[nodiscard]] std::vector<Grant> all();

    /// Why the file as it is now was not taken; nothing where it was.
    [[nodiscard]] std::optional<Error> const& refused() const noexcept { return m_refused; }

private:
    struct Entry {
        Answer answer{};
        std::int64_t at = 0; ///< seconds since 1970, as the next
        std::int64_t used = 0;
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

    ConsentBook(std::filesystem::path path, std::optional<std::chrono::days> lifetime)
        : m_path{std::move(path)}, m_lifetime{lifetime} {}
    [[nodiscard]] std::int64_t end_of(Entry const& entry) const;
    [[nodiscard]] Entry* find(std::string_view origin);
    template <class Change>
    Result<void> change(Change make);
    [[nodiscard]] Stamp look() const;
    [[nodiscard]] Result<Entries> read() const;
    void read_if_changed();
    void set_aside();
    [[nodiscard]] Result<void> write() const;

    std::filesystem::path m_path;
    std::optional<std::chrono::days> m_lifetime;
    std::optional<Stamp> m_seen;    ///< the file as it was read last, or refused
    std::optional<Error> m_refused; ///< why the file as it is now was not taken
    Entries m_entries;
};

} // namespace tamga::policy

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

/// The answers in one file, readable by its owner alone. Not thread-safe; one process writes it.
class ConsentBook {
public:
    /// $XDG_STATE_HOME/tamga/sites.toml, mostly ~/.local/state/...; empty without a home.
    [[nodiscard]] static std::filesystem::path default_path();

    /// Reads the answers. Blocking. Never fails: a missing file is an empty book; one that is damaged, or that others
    /// may write, is renamed to sites.toml.damaged with a line in the log, and people are asked again.
    [[nodiscard]] static ConsentBook load(std::filesystem::path path);

    [[nodiscard]] std::optional<Answer> lookup(std::string_view origin) const;

    /// Notes the answer and writes the file anew: beside the old one, synced, then renamed over it, mode 0600 whatever
    /// the umask. Blocking. The answer holds for this process even where the file could not be written. Error: system.
    Result<void> remember(std::string const& origin, Answer answer);

private:
    struct Entry {
        Answer answer{};
        std::int64_t at = 0; ///< seconds since 1970
    };
    using Entries = std::map<std::string, Entry, std::less<>>;

    explicit ConsentBook(std::filesystem::path path) : m_path{std::move(path)} {}
    static Result<Entries> read(std::filesystem::path const& path);
    [[nodiscard]] Result<void> write() const;

    std::filesystem::path m_path;
    Entries m_entries;
};

} // namespace tamga::policy

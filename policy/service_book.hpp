// Every catalogue of this computer: what is in effect, what was refused and why, and the memory that keeps an old file
// from coming back.
#pragma once

#include "policy/gate.hpp"
#include "policy/signed_catalogue.hpp"

#include <filesystem>
#include <map>
#include <optional>

namespace tamga::policy {

/// What was seen of one catalogue before.
struct Seen {
    std::uint64_t version = 0;
    std::string digest; ///< of its text
    std::string file;   ///< where it lay
};

/// services/ in the state folder: for each catalogue the highest version seen, and a copy of that file. What cannot be
/// read counts as nothing seen, with a line in the log.
class CatalogueMemory {
public:
    /// Blocking.
    [[nodiscard]] static CatalogueMemory load(std::filesystem::path folder);

    [[nodiscard]] std::optional<Seen> find(std::string const& id) const;
    /// Those that lay in this file.
    [[nodiscard]] std::vector<std::string> seen_in(std::filesystem::path const& file) const;
    /// The copy. Blocking. Errors: system, file_untrusted, too_large.
    [[nodiscard]] Result<Bytes> copy(std::string const& id) const;
    /// Notes what is in effect now, each file whole or not at all; the memory last, so that it never names a copy that
    /// is not there. Blocking. Error: system.
    Result<void> keep(std::string const& id, Seen seen, View file);
    /// Whoever took a file away meant it: its copy goes, the version stays. Blocking. Error: system.
    Result<void> forget_missing();

private:
    [[nodiscard]] std::filesystem::path copy_of(std::string const& id) const;
    void read();
    [[nodiscard]] Result<void> write() const;

    std::filesystem::path m_folder; ///< empty without a home: nothing is remembered
    std::map<std::string, Seen> m_seen;
};

enum class Remembering : bool { looked_at, kept };

/// Not thread-safe. tamga-web keeps what it saw; the command line only looks.
class ServiceBook {
public:
    struct InEffect {
        std::filesystem::path file; ///< where it lies, or lay
        Verified verified;
        bool is_copy = false; ///< the file that lies there now was refused
    };
    struct RefusedFile {
        std::filesystem::path file;
        Refused refused;
    };

    ServiceBook(ServiceFolders folders, UserCatalogues user, Remembering remembering)
        : m_folders{std::move(folders)}, m_user{user}, m_remembering{remembering} {}

    /// Reads anew what changed since the last time, or where another day (UTC) has begun; else it only looks at the
    /// folders and files. Where it keeps what it saw, each catalogue and each refused file is a line in the log.
    /// Blocking.
    void refresh(std::int64_t now);

    [[nodiscard]] KnownServices const& services() const noexcept { return m_services; }
    [[nodiscard]] std::vector<InEffect> const& in_effect() const noexcept { return m_in_effect; }
    [[nodiscard]] std::vector<RefusedFile> const& refused() const noexcept { return m_refused; }

    /// What one file is worth here, by itself and beside what was seen before. Blocking.
    [[nodiscard]] Judged judge(std::filesystem::path const& file, std::int64_t now) const;

private:
    [[nodiscard]] std::vector<std::filesystem::path> folders() const;
    [[nodiscard]] std::string look(std::int64_t now) const;
    void read(std::int64_t now);
    void take(std::filesystem::path const& file, Verified verified);
    void fall_back(std::filesystem::path const& file, std::vector<Publisher> const& publishers, std::int64_t now);
    void refuse_doubles();
    void remember(CatalogueMemory& memory) const;

    ServiceFolders m_folders;
    UserCatalogues m_user;
    Remembering m_remembering;
    std::string m_looked; ///< by which a change is noticed
    std::vector<InEffect> m_in_effect;
    std::vector<RefusedFile> m_refused;
    KnownServices m_services;
};

} // namespace tamga::policy

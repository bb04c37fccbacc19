// The journal itself: entries in one file of SQLite's, for the person alone, the oldest going first when it is full.
#pragma once

#include "journal/database.hpp"
#include "journal/entry.hpp"

#include <optional>

namespace tamga::journal {

/// When an entry goes, give or take one in 64. Of requests by which nothing was signed fewer are kept, so that a page
/// which asks in vain pushes no signature out.
struct Limits {
    std::int64_t entries = 10'000;
    std::int64_t in_vain = 1'000;
    std::int64_t octets = 32 << 20; ///< of the file, its log aside
};

/// A certificate that was used, or shown to its owner, on this computer: so that its end can be told in time, and that
/// there is a list of what to have revoked where a token is lost.
struct KnownCertificate {
    std::string fingerprint; ///< SHA-256, lower-case hexadecimal
    std::string der;         ///< base64
    std::int64_t seen = 0;   ///< seconds since 1970: last

    bool operator==(KnownCertificate const&) const = default;
};
inline constexpr std::int64_t most_certificates = 200;

/// Which entries; all that is set must hold.
struct Filter {
    std::optional<std::int64_t> since; ///< seconds since 1970, this one included
    std::optional<std::int64_t> before;
    std::string site; ///< part of it
    std::string text; ///< part of anything else that is kept of an entry or its documents, in any case
};

/// One connection to the file; several processes may have one each. Every member blocks. Errors of all: system, also
/// where a later Tamga wrote the file; file_untrusted: it is damaged, and opening it again helps.
class Book {
public:
    /// For writing: makes the file, 0600, where there is none. One that is damaged, or that others may write, is
    /// renamed to NAME.damaged with a line in the log, and a new one begun. The folder must be there.
    static Result<Book> open(std::filesystem::path const& path, Limits limits);
    /// What is there, for searching and erasing; nothing where there is no file.
    static Result<std::optional<Book>> open_existing(std::filesystem::path const& path);

    /// Adds it behind the others. @return its id.
    Result<std::int64_t> add(Entry const& entry);
    /// A remembered login signed `signatures` times in all, and last at `until`.
    Result<void> count_on(std::int64_t id, std::int64_t until, std::int64_t signatures);

    /// Oldest first.
    Result<std::vector<Entry>> find(Filter const& filter);
    /// Notes it, or that it was seen again. Of more than most_certificates the ones not seen for longest go.
    Result<void> note(KnownCertificate const& certificate);
    /// The ones seen last first.
    Result<std::vector<KnownCertificate>> certificates();
    /// Erases what began before that time, or everything, certificates not seen since among it, and what the file still
    /// held of it. @return how many entries.
    Result<std::int64_t> erase(std::optional<std::int64_t> before);

private:
    Book(Database database, Limits limits) : m_database{std::move(database)}, m_limits{limits} {}
    static Result<Book> take(std::filesystem::path const& path, Limits limits);
    Result<void> prepare_tables();
    Result<void> list(std::int64_t id, std::vector<Document> const& documents);
    Result<void> make_room();
    Result<std::vector<Document>> documents_of(std::int64_t id);

    Database m_database;
    Limits m_limits;
};

} // namespace tamga::journal

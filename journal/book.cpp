#include "journal/book.hpp"

#include "base/log.hpp"
#include "base/trusted_file.hpp"
#include "base/unique_fd.hpp"
#include "journal/fold.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace tamga::journal {

namespace {

constexpr std::int64_t layout = 2; ///< PRAGMA user_version

/// The log beside the file lets others read while one writes, and spares the disk: what a power cut may cost is the
/// last entries, never the file. What is erased is overwritten.
constexpr char const* manners = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                                "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -256;";

constexpr char const* tables =
    "CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, until INTEGER NOT NULL,"
    " site TEXT NOT NULL, service TEXT NOT NULL, use TEXT NOT NULL, form TEXT NOT NULL, certificate TEXT NOT NULL,"
    " subject TEXT NOT NULL, outcome TEXT NOT NULL, documents INTEGER NOT NULL, signatures INTEGER NOT NULL,"
    " remembered INTEGER NOT NULL);"
    "CREATE TABLE document (entry INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE, number INTEGER NOT NULL,"
    " title TEXT NOT NULL, algorithm TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (entry, number)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

/// What came with the second layout.
constexpr char const* more_tables =
    "CREATE TABLE certificate (fingerprint TEXT PRIMARY KEY, der TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 2;";

/// There is a file at `path` afterwards, which belongs to us and which nobody else may read or write.
Result<void> make_file(std::filesystem::path const& path) {
    UniqueFd const file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return system_error(path.string(), errno);
    if (auto trusted = trusted_path(path); !trusted) return trusted.error();
    if (::fchmod(file.get(), 0600) != 0) return system_error(path.string(), errno);
    return ok();
}

void set_aside(std::filesystem::path const& path, std::string const& why) {
    auto const aside = path.string() + ".damaged";
    std::error_code failure;
    std::filesystem::rename(path, aside, failure);
    // Without their file they say nothing, and beside another they would be taken for its own.
    for (char const* end : {"-wal", "-shm"})
        std::filesystem::remove(path.string() + end, failure);
    log::warning("journal_set_aside", {{"file", path.string()}, {"why", why}, {"kept_as", aside}});
}

Entry entry_of(Statement const& row) {
    Entry entry;
    entry.id = row.number(0);
    entry.at = row.number(1);
    entry.until = row.number(2);
    entry.site = row.text(3);
    entry.service = row.text(4);
    entry.use = row.text(5);
    entry.form = row.text(6);
    entry.certificate = row.text(7);
    entry.subject = row.text(8);
    entry.outcome = row.text(9);
    entry.documents = row.number(10);
    entry.signatures = row.number(11);
    entry.remembered = row.number(12) != 0;
    return entry;
}

} // namespace

Result<Book> Book::take(std::filesystem::path const& path, Limits limits) {
    auto database = Database::open(path);
    if (!database) return database.error();
    Book book{std::move(*database), limits};
    if (auto prepared = book.prepare_tables(); !prepared) return prepared.error();
    return book;
}

Result<Book> Book::open(std::filesystem::path const& path, Limits limits) {
    if (auto made = make_file(path); !made) {
        if (made.error().code != Errc::file_untrusted) return made.error();
        set_aside(path, made.error().detail);
        if (made = make_file(path); !made) return made.error();
    }
    auto book = take(path, limits);
    if (book || book.error().code != Errc::file_untrusted) return book;
    set_aside(path, book.error().detail);
    if (auto made = make_file(path); !made) return made.error();
    return take(path, limits);
}

Result<std::optional<Book>> Book::open_existing(std::filesystem::path const& path) {
    std::error_code failure;
    if (!std::filesystem::exists(path, failure)) return std::optional<Book>{};
    auto book = take(path, Limits{});
    if (!book) return book.error();
    return std::optional{std::move(*book)};
}

Result<void> Book::prepare_tables() {
    if (auto set = m_database.run(manners); !set) return set;
    auto const version = m_database.number("PRAGMA user_version");
    if (!version) return version.error();
    if (*version == layout) return ok();
    if (*version > layout) return Error{Errc::system, "journal: written by a later Tamga"};
    auto change = Transaction::begin(m_database);
    if (!change) return change.error();
    // Asked again: another process may have been quicker.
    auto const now = m_database.number("PRAGMA user_version");
    if (!now) return now.error();
    if (*now == 0) {
        if (auto made = m_database.run(tables); !made) return made;
    }
    if (*now < layout) {
        if (auto made = m_database.run(more_tables); !made) return made;
    }
    return change->commit();
}

Result<std::int64_t> Book::add(Entry const& entry) {
    auto change = Transaction::begin(m_database);
    if (!change) return change.error();
    auto insert = m_database.prepare(
        "INSERT INTO entry (at, until, site, service, use, form, certificate, subject, outcome, documents, signatures,"
        " remembered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (!insert) return insert.error();
    insert->bind(entry.at).bind(entry.until).bind(entry.site).bind(entry.service).bind(entry.use).bind(entry.form);
    insert->bind(entry.certificate).bind(entry.subject).bind(entry.outcome).bind(entry.documents);
    insert->bind(entry.signatures).bind(std::int64_t{entry.remembered});
    if (auto done = insert->run(); !done) return done.error();
    auto const id = m_database.last_id();
    if (auto listed = list(id, entry.listed); !listed) return listed.error();
    if (id % std::max<std::int64_t>(m_limits.entries / 64, 1) == 0) { // counting them takes longer than writing one
        if (auto made = make_room(); !made) return made.error();
    }
    if (auto done = change->commit(); !done) return done.error();
    return id;
}

Result<void> Book::list(std::int64_t id, std::vector<Document> const& documents) {
    auto insert = m_database.prepare("INSERT INTO document VALUES (?, ?, ?, ?, ?)");
    if (!insert) return insert.error();
    std::int64_t number = 0;
    for (auto const& document : documents) {
        insert->bind(id).bind(++number).bind(document.title).bind(document.algorithm).bind(document.digest);
        if (auto done = insert->run(); !done) return done;
        insert->reset();
    }
    return ok();
}

/// The newest stays, however small the limits are.
Result<void> Book::make_room() {
    auto const oldest_beyond = [&](char const* which, std::int64_t most) -> Result<void> {
        auto erase = m_database.prepare(std::string{"DELETE FROM entry WHERE id IN (SELECT id FROM entry "} + which +
                                        " ORDER BY id DESC LIMIT -1 OFFSET ?)");
        return erase ? erase->bind(most).run() : erase.error();
    };
    if (auto done = oldest_beyond("WHERE signatures = 0", m_limits.in_vain); !done) return done;
    if (auto done = oldest_beyond("", m_limits.entries); !done) return done;
    while (true) {
        auto const pages = m_database.number("PRAGMA page_count");
        auto const unused = m_database.number("PRAGMA freelist_count");
        auto const size = m_database.number("PRAGMA page_size");
        auto const count = m_database.number("SELECT count(*) FROM entry");
        for (auto const* each : {&pages, &unused, &size, &count}) {
            if (!*each) return each->error();
        }
        if ((*pages - *unused) * *size <= m_limits.octets || *count <= 1) return ok();
        if (auto done = oldest_beyond("", *count - *count / 16 - 1); !done) return done;
    }
}

Result<void> Book::count_on(std::int64_t id, std::int64_t until, std::int64_t signatures) {
    auto update = m_database.prepare("UPDATE entry SET until = ?, signatures = ?, documents = ? WHERE id = ?");
    if (!update) return update.error();
    return update->bind(until).bind(signatures).bind(signatures).bind(id).run();
}

Result<std::vector<Entry>> Book::find(Filter const& filter) {
    std::string sql = "SELECT id, at, until, site, service, use, form, certificate, subject, outcome, documents,"
                      " signatures, remembered FROM entry WHERE until >= ? AND at < ?";
    if (!filter.site.empty()) sql += " AND holds(site, ?)";
    if (!filter.text.empty()) {
        sql += " AND (holds(service || char(10) || use || char(10) || form || char(10) || certificate || char(10) ||"
               " subject || char(10) || outcome, ?) OR EXISTS (SELECT 1 FROM document WHERE entry = entry.id AND"
               " holds(title || char(10) || digest, ?)))";
    }
    auto search = m_database.prepare(sql + " ORDER BY id");
    if (!search) return search.error();
    search->bind(filter.since.value_or(INT64_MIN)).bind(filter.before.value_or(INT64_MAX));
    if (!filter.site.empty()) search->bind(folded(filter.site));
    if (!filter.text.empty()) search->bind(folded(filter.text)).bind(folded(filter.text));
    std::vector<Entry> found;
    while (true) {
        auto const row = search->step();
        if (!row) return row.error();
        if (!*row) break;
        found.push_back(entry_of(*search));
    }
    for (auto& entry : found) {
        auto documents = documents_of(entry.id);
        if (!documents) return documents.error();
        entry.listed = std::move(*documents);
    }
    return found;
}

Result<std::vector<Document>> Book::documents_of(std::int64_t id) {
    auto search = m_database.prepare("SELECT title, algorithm, digest FROM document WHERE entry = ? ORDER BY number");
    if (!search) return search.error();
    search->bind(id);
    std::vector<Document> documents;
    while (true) {
        auto const row = search->step();
        if (!row) return row.error();
        if (!*row) return documents;
        documents.push_back({search->text(0), search->text(1), search->text(2)});
    }
}

Result<void> Book::note(KnownCertificate const& certificate) {
    auto change = Transaction::begin(m_database);
    if (!change) return change.error();
    auto insert = m_database.prepare("INSERT INTO certificate VALUES (?, ?, ?)"
                                     " ON CONFLICT (fingerprint) DO UPDATE SET seen = max(seen, excluded.seen)");
    if (!insert) return insert.error();
    if (auto done = insert->bind(certificate.fingerprint).bind(certificate.der).bind(certificate.seen).run(); !done)
        return done;
    auto trim = m_database.prepare("DELETE FROM certificate WHERE fingerprint IN"
                                   " (SELECT fingerprint FROM certificate ORDER BY seen DESC LIMIT -1 OFFSET ?)");
    if (!trim) return trim.error();
    if (auto done = trim->bind(most_certificates).run(); !done) return done;
    return change->commit();
}

Result<std::vector<KnownCertificate>> Book::certificates() {
    auto search = m_database.prepare("SELECT fingerprint, der, seen FROM certificate ORDER BY seen DESC, fingerprint");
    if (!search) return search.error();
    std::vector<KnownCertificate> found;
    while (true) {
        auto const row = search->step();
        if (!row) return row.error();
        if (!*row) return found;
        found.push_back({search->text(0), search->text(1), search->number(2)});
    }
}

Result<std::int64_t> Book::erase(std::optional<std::int64_t> before) {
    auto erase = m_database.prepare("DELETE FROM entry WHERE at < ?");
    if (!erase) return erase.error();
    if (auto done = erase->bind(before.value_or(INT64_MAX)).run(); !done) return done.error();
    auto const count = m_database.changes();
    auto forget = m_database.prepare("DELETE FROM certificate WHERE seen < ?");
    if (!forget) return forget.error();
    if (auto done = forget->bind(before.value_or(INT64_MAX)).run(); !done) return done.error();
    forget->reset();
    // What was there is to be gone from the file and its log, not just out of sight.
    erase->reset();
    if (auto shrunk = m_database.run("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"); !shrunk) return shrunk.error();
    return count;
}

} // namespace tamga::journal

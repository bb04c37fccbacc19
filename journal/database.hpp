// SQLite with owners for its handles and Results for its codes. Private to journal/.
//
// Errors of everything: system; file_untrusted where the file is none of SQLite's, or no longer.
#pragma once

#include "base/result.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tamga::journal {

/// A statement being filled in and stepped through. Must not outlive its database.
class Statement {
public:
    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view value);
    /// True: there is a row to read.
    Result<bool> step();
    /// To the end, for what gives no rows.
    Result<void> run();
    /// Ready for the next values.
    void reset();

    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::string text(int column) const;

private:
    friend class Database;
    struct Finalizer {
        void operator()(::sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
    };
    explicit Statement(::sqlite3_stmt* statement) : m_statement{statement} {}

    std::unique_ptr<::sqlite3_stmt, Finalizer> m_statement;
    int m_bound = 0;
};

/// One connection, used from one thread at a time. Every member blocks; another process that writes is waited for, at
/// most two seconds.
class Database {
public:
    /// Opens the file, which must be there.
    static Result<Database> open(std::filesystem::path const& path);

    Result<Statement> prepare(std::string_view sql);
    Result<void> run(char const* sql);
    /// The one number that a statement gives.
    Result<std::int64_t> number(std::string_view sql);

    [[nodiscard]] std::int64_t changes() const noexcept { return ::sqlite3_changes64(m_handle.get()); }
    [[nodiscard]] std::int64_t last_id() const noexcept { return ::sqlite3_last_insert_rowid(m_handle.get()); }

private:
    struct Closer {
        void operator()(::sqlite3* handle) const noexcept { ::sqlite3_close(handle); }
    };
    explicit Database(::sqlite3* handle) : m_handle{handle} {}

    std::unique_ptr<::sqlite3, Closer> m_handle;
};

/// All or nothing: undone by its destructor unless committed.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : m_database{std::exchange(other.m_database, nullptr)} {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(Database& database) : m_database{&database} {}
    Database* m_database;
};

} // namespace tamga::journal

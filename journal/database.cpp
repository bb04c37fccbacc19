#include "journal/database.hpp"

#include "journal/fold.hpp"

namespace tamga::journal {

namespace {

constexpr int patience_ms = 2000;

std::string_view text_of(::sqlite3_value* value) {
    auto const* const text = reinterpret_cast<char const*>(::sqlite3_value_text(value));
    return text == nullptr ? std::string_view{}
                           : std::string_view{text, static_cast<std::size_t>(::sqlite3_value_bytes(value))};
}

/// holds(TEXT, FOLDED): SQLite's own LIKE knows the case of ASCII letters alone.
void holds(::sqlite3_context* context, int, ::sqlite3_value** values) {
    ::sqlite3_result_int(context, folded(text_of(values[0])).find(text_of(values[1])) != std::string::npos ? 1 : 0);
}

Error fault_of(::sqlite3* handle) {
    auto const code = ::sqlite3_errcode(handle);
    bool const damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return {damaged ? Errc::file_untrusted : Errc::system, std::string{"journal: "} + ::sqlite3_errmsg(handle)};
}

} // namespace

Statement& Statement::bind(std::int64_t value) {
    ::sqlite3_bind_int64(m_statement.get(), ++m_bound, value);
    return *this;
}

Statement& Statement::bind(std::string_view value) {
    ::sqlite3_bind_text64(m_statement.get(), ++m_bound, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Result<bool> Statement::step() {
    auto const code = ::sqlite3_step(m_statement.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fault_of(::sqlite3_db_handle(m_statement.get()));
}

Result<void> Statement::run() {
    while (true) {
        auto const stepped = step();
        if (!stepped) return stepped.error();
        if (!*stepped) return ok();
    }
}

void Statement::reset() {
    ::sqlite3_reset(m_statement.get());
    m_bound = 0;
}

std::int64_t Statement::number(int column) const {
    return ::sqlite3_column_int64(m_statement.get(), column);
}

std::string Statement::text(int column) const {
    auto const* const text = reinterpret_cast<char const*>(::sqlite3_column_text(m_statement.get(), column));
    auto const size = static_cast<std::size_t>(::sqlite3_column_bytes(m_statement.get(), column));
    return text == nullptr ? std::string{} : std::string{text, size};
}

Result<Database> Database::open(std::filesystem::path const& path) {
    ::sqlite3* handle = nullptr;
    auto const code = ::sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database{handle};
    if (code != SQLITE_OK) return fault_of(handle);
    ::sqlite3_busy_timeout(handle, patience_ms);
    ::sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    ::sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    ::sqlite3_create_function_v2(handle, "holds", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 holds, nullptr, nullptr, nullptr);
    return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
    ::sqlite3_stmt* statement = nullptr;
    auto const code =
        ::sqlite3_prepare_v2(m_handle.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) return fault_of(m_handle.get());
    return Statement{statement};
}

Result<void> Database::run(char const* sql) {
    if (::sqlite3_exec(m_handle.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fault_of(m_handle.get());
    return ok();
}

Result<std::int64_t> Database::number(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) return statement.error();
    auto const row = statement->step();
    if (!row) return row.error();
    return *row ? statement->number(0) : 0;
}

Result<Transaction> Transaction::begin(Database& database) {
    if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) return begun.error();
    return Transaction{database};
}

Transaction::~Transaction() {
    if (m_database != nullptr) static_cast<void>(m_database->run("ROLLBACK"));
}

Result<void> Transaction::commit() {
    if (auto done = m_database->run("COMMIT"); !done) return done;
    m_database = nullptr;
    return ok();
}

} // namespace tamga::journal

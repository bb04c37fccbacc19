#include "policy/consent.hpp"

#include "base/log.hpp"
#include "base/trusted_file.hpp"
#include "base/unique_fd.hpp"

#include <toml++/toml.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sstream>
#include <sys/stat.h>

namespace tamga::policy {

namespace {

constexpr std::string_view allow_word = "allow";
constexpr std::string_view deny_word = "deny";

Result<void> write_all(int file, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("write", errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok();
}

/// Replaces `path` by `text` so that a crash leaves the old file or the new one, never half of it.
Result<void> replace_file(std::filesystem::path const& path, std::string_view text) {
    auto const fresh = path.string() + ".new";
    ::unlink(fresh.c_str()); // left by a crash
    UniqueFd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return system_error(fresh, errno);
    if (::fchmod(file.get(), 0600) != 0) return system_error(fresh, errno);
    if (auto written = write_all(file.get(), text); !written) return written.error();
    if (::fsync(file.get()) != 0) return system_error(fresh, errno);
    if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error(path.string(), errno);
    UniqueFd const folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) return system_error(path.parent_path().string(), errno);
    return ok();
}

/// The folder, its parents as the person's umask has them, itself for the person alone.
Result<void> make_folder(std::filesystem::path const& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder.parent_path(), failure);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error(folder.string(), errno);
    UniqueFd const made{
        ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}; // its mode by name we may not change
    if (!made || ::fchmod(made.get(), 0700) != 0) return system_error(folder.string(), errno);
    return ok();
}

} // namespace

std::filesystem::path ConsentBook::default_path() {
    if (char const* folder = std::getenv("XDG_STATE_HOME"); folder != nullptr && *folder == '/') {
        return std::filesystem::path{folder} / "tamga/sites.toml";
    }
    char const* home = std::getenv("HOME");
    return home == nullptr || *home != '/' ? std::filesystem::path{}
                                           : std::filesystem::path{home} / ".local/state/tamga/sites.toml";
}

Result<ConsentBook::Entries> ConsentBook::read(std::filesystem::path const& path) {
    auto const text = read_trusted_file(path);
    if (!text) return text.error();
    auto const parsed = toml::parse(*text);
    if (!parsed) return Error{Errc::config_invalid, std::string{parsed.error().description()}};
    Entries entries;
    for (auto const& [origin, node] : parsed.table()) {
        auto const word =
            node.as_table() == nullptr ? std::nullopt : node.as_table()->at_path("answer").value<std::string>();
        auto const at = word ? node.as_table()->at_path("at").value_exact<std::int64_t>() : std::nullopt;
        if (!at || (*word != allow_word && *word != deny_word)) {
            return Error{Errc::config_invalid, "no answer for " + std::string{origin.str()}};
        }
        entries.emplace(origin.str(), Entry{*word == allow_word ? Answer::allow : Answer::deny, *at});
    }
    return entries;
}

ConsentBook ConsentBook::load(std::filesystem::path path) {
    ConsentBook book{std::move(path)};
    std::error_code failure;
    if (!std::filesystem::exists(book.m_path, failure)) return book;
    auto entries = read(book.m_path);
    if (entries) {
        book.m_entries = *std::move(entries);
        return book;
    }
    auto const aside = book.m_path.string() + ".damaged";
    std::filesystem::rename(book.m_path, aside, failure);
    log::warning("sites_set_aside",
                 {{"file", book.m_path.string()}, {"why", entries.error().detail}, {"kept_as", aside}});
    return book;
}

std::optional<Answer> ConsentBook::lookup(std::string_view origin) const {
    auto const entry = m_entries.find(origin);
    if (entry == m_entries.end()) return std::nullopt;
    return entry->second.answer;
}

Result<void> ConsentBook::remember(std::string const& origin, Answer answer) {
    m_entries.insert_or_assign(origin, Entry{answer, static_cast<std::int64_t>(std::time(nullptr))});
    if (m_path.empty()) return Error{Errc::system, "no home folder to remember answers in"};
    if (auto made = make_folder(m_path.parent_path()); !made) return made;
    return write();
}

Result<void> ConsentBook::write() const {
    toml::table file;
    for (auto const& [origin, entry] : m_entries) {
        auto const word = entry.answer == Answer::allow ? allow_word : deny_word;
        file.insert(origin, toml::table{{"answer", word}, {"at", entry.at}});
    }
    std::ostringstream text;
    text << "# Sites asked about, and the answers (at: seconds since 1970). Remove one to be asked again.\n"
         << file << '\n';
    return replace_file(m_path, text.str());
}

} // namespace tamga::policy

#include "policy/consent.hpp"

#include "base/log.hpp"
#include "base/toml.hpp"
#include "base/trusted_file.hpp"
#include "policy/state_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <sys/stat.h>

namespace tamga::policy {

namespace {

constexpr std::string_view allow_word = "allow";
constexpr std::string_view deny_word = "deny";

} // namespace

std::filesystem::path ConsentBook::default_path() {
    auto const folder = state_folder();
    return folder.empty() ? folder : folder / "sites.toml";
}

ConsentBook::Stamp ConsentBook::look() const {
    auto const nanoseconds = [](::timespec const& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; };
    struct stat info {};
    if (::stat(m_path.c_str(), &info) != 0) return Stamp{.failure = errno};
    return {0, info.st_ino, info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

Result<ConsentBook::Entries> ConsentBook::read() const {
    auto const text = read_trusted_file(m_path);
    if (!text) return text.error();
    auto const parsed = toml::parse(*text);
    if (!parsed) {
        auto const line = std::to_string(parsed.error().source().begin.line);
        return Error{Errc::config_invalid, "line " + line + ": " + std::string{parsed.error().description()}};
    }
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

/// Afterwards m_entries is what the file says, or m_refused why it is not.
void ConsentBook::read_if_changed() {
    auto const now = look();
    if (m_seen == now) return;
    m_seen = now;
    m_refused.reset();
    if (now.failure == ENOENT || now.failure == ENOTDIR) {
        m_entries.clear(); // deleted: everything is asked anew
        return;
    }
    auto entries = read();
    if (entries)
        m_entries = *std::move(entries);
    else
        m_refused = entries.error();
}

/// The file that was refused gets another name.
void ConsentBook::set_aside() {
    auto const aside = m_path.string() + ".damaged";
    std::error_code failure;
    std::filesystem::rename(m_path, aside, failure);
    log::warning("sites_set_aside", {{"file", m_path.string()}, {"why", m_refused->detail}, {"kept_as", aside}});
    m_refused.reset();
}

ConsentBook ConsentBook::load(std::filesystem::path path) {
    ConsentBook book{std::move(path)};
    book.read_if_changed();
    if (book.m_refused) book.set_aside();
    return book;
}

std::optional<Answer> ConsentBook::lookup(std::string_view origin) {
    auto const seen = m_seen;
    read_if_changed();
    if (m_refused && m_seen != seen) {
        log::warning("sites_refused",
                     {{"file", m_path.string()}, {"why", m_refused->detail}, {"until_mended", "the answers before"}});
    }
    auto const entry = m_entries.find(origin);
    if (entry == m_entries.end()) return std::nullopt;
    return entry->second.answer;
}

Result<void> ConsentBook::remember(std::string const& origin, Answer answer) {
    read_if_changed();
    if (m_refused) set_aside();
    m_entries.insert_or_assign(origin, Entry{answer, static_cast<std::int64_t>(std::time(nullptr))});
    if (m_path.empty()) return Error{Errc::system, "no home folder to remember answers in"};
    if (auto made = make_private_folder(m_path.parent_path()); !made) return made;
    auto written = write();
    if (written) m_seen = look();
    return written;
}

Result<void> ConsentBook::write() const {
    toml::table file;
    for (auto const& [origin, entry] : m_entries) {
        auto const word = entry.answer == Answer::allow ? allow_word : deny_word;
        file.insert(origin, toml::table{{"answer", word}, {"at", entry.at}});
    }
    std::ostringstream text;
    text
        << "# Sites asked about, and the answers (at: seconds since 1970). Remove one to be asked again: its line in\n"
        << "# brackets and the lines under it. It counts at the site's next request, nothing has to be started again.\n"
        << file << '\n';
    return replace_file(m_path, text.str());
}

} // namespace tamga::policy

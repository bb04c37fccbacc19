#include "policy/consent.hpp"

#include "base/log.hpp"
#include "base/toml.hpp"
#include "base/trusted_file.hpp"
#include "policy/state_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <sys/stat.h>

namespace tamga::policy {

namespace {

constexpr std::array answers{Answer::allow, Answer::deny, Answer::ask};
constexpr std::int64_t day_s = 24 * 60 * 60;

std::optional<Answer> answer_called(std::string_view word) {
    auto const* const found = std::ranges::find(answers, word, name_of);
    return found == answers.end() ? std::nullopt : std::optional{*found};
}

std::int64_t now() {
    return std::time(nullptr);
}

} // namespace

std::string_view name_of(Answer answer) noexcept {
    switch (answer) {
    case Answer::allow: return "allow";
    case Answer::deny: return "deny";
    case Answer::ask: return "ask";
    }
    return "ask";
}

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
        auto const answer = word ? answer_called(*word) : std::nullopt;
        auto const at = answer ? node.as_table()->at_path("at").value_exact<std::int64_t>() : std::nullopt;
        if (!at) return Error{Errc::config_invalid, "no answer for " + std::string{origin.str()}};
        auto const used = node.as_table()->at_path("used").value_exact<std::int64_t>();
        entries.emplace(origin.str(), Entry{*answer, *at, std::max(*at, used.value_or(*at))});
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

ConsentBook ConsentBook::load(std::filesystem::path path, std::optional<std::chrono::days> lifetime) {
    ConsentBook book{std::move(path), lifetime};
    book.read_if_changed();
    if (book.m_refused) book.set_aside();
    return book;
}

ConsentBook ConsentBook::look_at(std::filesystem::path path, std::optional<std::chrono::days> lifetime) {
    ConsentBook book{std::move(path), lifetime};
    book.read_if_changed();
    return book;
}

/// 0: it does not end by itself.
std::int64_t ConsentBook::end_of(Entry const& entry) const {
    if (!m_lifetime || entry.answer != Answer::allow) return 0;
    return entry.used + m_lifetime->count() * day_s;
}

/// What still holds of the file as it was read last.
ConsentBook::Entry* ConsentBook::find(std::string_view origin) {
    auto const place = m_entries.find(origin);
    if (place == m_entries.end()) return nullptr;
    auto const end = end_of(place->second);
    return end != 0 && end <= now() ? nullptr : &place->second;
}

std::optional<Answer> ConsentBook::lookup(std::string_view origin) {
    auto const seen = m_seen;
    read_if_changed();
    if (m_refused && m_seen != seen) {
        log::warning("sites_refused",
                     {{"file", m_path.string()}, {"why", m_refused->detail}, {"until_mended", "the answers before"}});
    }
    auto const* const entry = find(origin);
    return entry == nullptr ? std::nullopt : std::optional{entry->answer};
}

std::vector<Grant> ConsentBook::all() {
    std::vector<Grant> grants;
    read_if_changed();
    for (auto const& [origin, entry] : m_entries) {
        if (find(origin) != nullptr) grants.push_back({origin, entry.answer, entry.at, entry.used, end_of(entry)});
    }
    return grants;
}

/// Reads, changes and writes while no other process of ours does. `make` is given the entries.
template <class Change>
Result<void> ConsentBook::change(Change make) {
    if (m_path.empty()) {
        make(m_entries);
        return Error{Errc::system, "no home folder to remember answers in"};
    }
    auto const made = make_private_folder(m_path.parent_path());
    auto const lock = made ? lock_folder(m_path.parent_path()) : Result<UniqueFd>{made.error()};
    read_if_changed();
    if (m_refused) set_aside();
    make(m_entries);
    if (!lock) return lock.error();
    std::erase_if(m_entries, [this](auto const& entry) {
        auto const end = end_of(entry.second);
        return end != 0 && end <= now();
    });
    auto written = write();
    if (written) m_seen = look();
    return written;
}

Result<void> ConsentBook::remember(std::string const& origin, Answer answer) {
    return change([&](Entries& entries) { entries.insert_or_assign(origin, Entry{answer, now(), now()}); });
}

Result<void> ConsentBook::note_use(std::string_view origin) {
    auto const* const entry = find(origin);
    if (entry == nullptr || entry->answer != Answer::allow || entry->used + day_s > now()) return ok();
    return change([&](Entries& entries) {
        if (auto const place = entries.find(origin); place != entries.end()) place->second.used = now();
    });
}

Result<bool> ConsentBook::forget(std::string_view origin) {
    bool was_there = false;
    auto done = change([&](Entries& entries) {
        auto const place = entries.find(origin);
        was_there = place != entries.end();
        if (was_there) entries.erase(place);
    });
    if (!done) return done.error();
    return was_there;
}

Result<void> ConsentBook::write() const {
    toml::table file;
    for (auto const& [origin, entry] : m_entries) {
        toml::table line{{"answer", name_of(entry.answer)}, {"at", entry.at}};
        if (entry.used != entry.at) line.insert("used", entry.used);
        file.insert(origin, std::move(line));
    }
    std::ostringstream text;
    text << "# Sites asked about, and the answers (at, used: seconds since 1970). Remove one to be asked again: its "
            "line\n"
         << "# in brackets and the lines under it; or use the command: tamga sites. It counts at once.\n"
         << file << '\n';
    return replace_file(m_path, text.str());
}

} // namespace tamga::policy

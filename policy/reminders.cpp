#include "policy/reminders.hpp"

#include "base/log.hpp"
#include "base/toml.hpp"
#include "base/trusted_file.hpp"
#include "policy/state_file.hpp"

#include <algorithm>
#include <sstream>

namespace tamga::policy {

namespace {

constexpr std::int64_t day_s = 24 * 60 * 60;

} // namespace

std::optional<int> reminder_stage(std::int64_t not_after, std::int64_t now) noexcept {
    if (now > not_after) return std::nullopt;
    std::optional<int> stage;
    for (int const days : reminder_days) {
        if (not_after - now <= days * day_s) stage = days;
    }
    return stage;
}

bool is_succeeded(signing::Certificate const& certificate, signing::Certificate const& later) {
    if (later.not_after() <= certificate.not_after()) return false;
    if (later.iin() != certificate.iin() || later.bin() != certificate.bin()) return false;
    auto const usages = certificate.extended_key_usages();
    return std::ranges::all_of(usages, [&](auto const& usage) { return later.has_extended_key_usage(usage); });
}

std::filesystem::path ReminderBook::default_path() {
    auto const folder = state_folder();
    return folder.empty() ? folder : folder / "reminders.toml";
}

ReminderBook ReminderBook::load(std::filesystem::path path) {
    ReminderBook book{std::move(path)};
    std::error_code failure;
    if (book.m_path.empty() || !std::filesystem::exists(book.m_path, failure)) return book;
    auto const text = read_trusted_file(book.m_path);
    if (!text) {
        log::warning("reminders", {{"file", book.m_path.string()}, {"why", text.error().detail}});
        return book;
    }
    auto const parsed = toml::parse(*text);
    if (!parsed) {
        log::warning("reminders", {{"file", book.m_path.string()}, {"why", parsed.error().description()}});
        return book;
    }
    for (auto const& [fingerprint, node] : parsed.table()) {
        auto const* entry = node.as_table();
        auto const days = entry == nullptr ? std::nullopt : (*entry)["days"].value_exact<std::int64_t>();
        auto const not_after = entry == nullptr ? std::nullopt : (*entry)["not_after"].value_exact<std::int64_t>();
        if (days && not_after) book.m_told[std::string{fingerprint.str()}] = {static_cast<int>(*days), *not_after};
    }
    return book;
}

std::vector<Reminder> ReminderBook::due(std::vector<signing::Certificate> const& all, std::int64_t now) const {
    std::vector<Reminder> due;
    for (auto const& certificate : all) {
        auto const stage = reminder_stage(certificate.not_after(), now);
        if (!stage) continue;
        auto const told = m_told.find(to_hex(certificate.fingerprint()));
        if (told != m_told.end() && told->second.days <= *stage) continue;
        auto const succeeds = [&](auto const& other) { return is_succeeded(certificate, other); };
        if (std::ranges::any_of(all, succeeds)) continue;
        due.push_back({certificate, *stage, (certificate.not_after() - now) / day_s});
    }
    std::ranges::sort(due, {}, [](Reminder const& reminder) { return reminder.certificate.not_after(); });
    return due;
}

Result<void> ReminderBook::note(Reminder const& reminder, std::int64_t now) {
    if (m_path.empty()) return Error{Errc::system, "no home folder to remember reminders in"};
    auto const& certificate = reminder.certificate;
    m_told[to_hex(certificate.fingerprint())] = {reminder.days, certificate.not_after()};
    std::erase_if(m_told, [now](auto const& entry) { return entry.second.not_after < now; });
    toml::table file;
    for (auto const& [fingerprint, told] : m_told)
        file.insert(fingerprint, toml::table{{"days", told.days}, {"not_after", told.not_after}});
    std::ostringstream text;
    text << "# Which end of which certificate (SHA-256) was told how many days ahead. Delete it to be told again.\n"
         << file << '\n';
    if (auto made = make_private_folder(m_path.parent_path()); !made) return made;
    return replace_file(m_path, text.str());
}

} // namespace tamga::policy

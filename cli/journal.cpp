#include "cli/journal.hpp"

#include "base/date.hpp"
#include "base/unique_fd.hpp"
#include "cli/daemon_talk.hpp"
#include "cli/printable.hpp"
#include "cli/verify.hpp"
#include "journal/forms.hpp"
#include "policy/state_file.hpp"

#include <ctime>

namespace tamga::cli {

namespace {

using journal::Entry;

std::string use_words(Language language, Entry const& entry) {
    if (entry.use == "sign_in") return std::string{text(language, "to sign in")};
    if (entry.use == "service_request") {
        return entry.service.empty() ? std::string{text(language, "for a public service")}
                                     : text(language, "for the public service %1", {printable(entry.service)});
    }
    if (entry.use == "key_account") return std::string{text(language, "for the account of the keys")};
    if (entry.use == "document") return std::string{text(language, "as a document")};
    return std::string{text(language, "the site did not say what for")};
}

std::string outcome_words(Language language, Entry const& entry) {
    auto const count = std::to_string(entry.signatures);
    if (entry.remembered)
        return text(language, "signed %1 times without a window, the last time %2", {count, local_time(entry.until)});
    if (entry.outcome == "signed") return text(language, "signed: %1", {count});
    if (entry.signatures == 0) return text(language, "not signed (%1)", {printable(entry.outcome)});
    return text(language, "%1 of %2 signed, then it ended (%3)",
                {count, std::to_string(entry.documents), printable(entry.outcome)});
}

std::string site_words(Language language, Entry const& entry) {
    return entry.site == "local" ? std::string{text(language, "a command of this computer")} : printable(entry.site);
}

void describe(Language language, Entry const& entry, std::ostream& out) {
    out << local_time(entry.at) << "  " << site_words(language, entry) << '\n'
        << "   " << use_words(language, entry) << "; " << outcome_words(language, entry) << '\n';
    if (!entry.certificate.empty()) {
        out << "   " << printable(entry.subject) << '\n'
            << "   " << text(language, "certificate %1", {entry.certificate.substr(0, 8)}) << '\n';
    }
    for (auto const& document : entry.listed) {
        if (document.title.empty() && document.digest.empty()) continue;
        out << "   - " << printable(document.title) << (document.title.empty() || document.digest.empty() ? "" : "  ")
            << document.digest << '\n';
    }
    auto const listed = static_cast<std::int64_t>(entry.listed.size());
    if (!entry.remembered && listed < entry.documents)
        out << "   " << text(language, "... and %1 more", {std::to_string(entry.documents - listed)}) << '\n';
}

int failed(Language language, Error const& error, std::ostream& errors) {
    errors << text(language, "The journal cannot be read: %1", {error.detail}) << '\n';
    return exit_failed;
}

/// Nothing where it cannot be read, which was said.
std::optional<std::vector<Entry>> entries_of(JournalSettings const& settings, journal::Filter const& filter,
                                             std::ostream& errors) {
    auto book = journal::Book::open_existing(settings.file);
    if (book && !*book) return std::vector<Entry>{};
    auto found = book ? (*book)->find(filter) : Result<std::vector<Entry>>{book.error()};
    if (found) return std::move(*found);
    failed(settings.language, found.error(), errors);
    return std::nullopt;
}

} // namespace

std::filesystem::path journal_file() {
    auto const folder = policy::state_folder();
    return folder.empty() ? folder : folder / "journal.db";
}

std::optional<std::int64_t> moment_from(std::string const& text) {
    auto const seconds = time_from(text);
    if (!seconds || text.find('T') != std::string::npos) return seconds;
    std::time_t const midnight = *seconds;
    std::tm parts{};
    ::gmtime_r(&midnight, &parts);
    parts.tm_isdst = -1;
    return std::mktime(&parts);
}

int show_journal(JournalSettings const& settings, journal::Filter const& filter, ReportForm form, std::ostream& out,
                 std::ostream& errors) {
    auto const entries = entries_of(settings, filter, errors);
    if (!entries) return exit_failed;
    if (form == ReportForm::json) {
        Tree::List all;
        for (auto const& entry : *entries)
            all.push_back(journal::tree_of(entry));
        out << printable_json(Tree{std::move(all)}) << '\n';
        return 0;
    }
    for (auto const& entry : *entries)
        describe(settings.language, entry, out);
    if (entries->empty()) out << text(settings.language, "The journal has nothing of that.") << '\n';
    return 0;
}

int export_journal(JournalSettings const& settings, journal::Filter const& filter, std::filesystem::path const& file,
                   std::ostream& out, std::ostream& errors) {
    auto const entries = entries_of(settings, filter, errors);
    if (!entries) return exit_failed;
    std::string content;
    if (file.extension() == ".csv") {
        content = journal::csv_of(*entries);
    } else {
        Tree::List all;
        for (auto const& entry : *entries)
            all.push_back(journal::tree_of(entry));
        content = printable_json(Tree{std::move(all)}) + '\n';
    }
    if (auto written = policy::replace_file(std::filesystem::absolute(file), content); !written) {
        errors << text(settings.language, "%1 cannot be written.", {file.string()}) << '\n';
        return exit_failed;
    }
    out << text(settings.language, "Entries written: %1.", {std::to_string(entries->size())}) << '\n';
    return 0;
}

int erase_journal(JournalSettings const& settings, std::optional<std::int64_t> before,
                  std::function<bool(std::string const&)> const& agrees, std::ostream& out, std::ostream& errors) {
    auto const language = settings.language;
    auto book = journal::Book::open_existing(settings.file);
    if (!book) return failed(language, book.error(), errors);
    journal::Filter filter;
    filter.before = before;
    auto const found = *book ? (*book)->find(filter) : std::vector<Entry>{};
    if (!found) return failed(language, found.error(), errors);
    if (found->empty()) {
        out << text(language, "There is nothing to be erased.") << '\n';
        return 0;
    }
    auto const question =
        text(language, "Erase %1 entries, from %2 to %3? This cannot be undone.",
             {std::to_string(found->size()), local_time(found->front().at), local_time(found->back().at)});
    if (!agrees(question)) {
        out << text(language, "Nothing was erased.") << '\n';
        return exit_cancelled;
    }
    auto const erased = (*book)->erase(before);
    if (!erased) return failed(language, erased.error(), errors);
    out << text(language, "Entries erased: %1.", {std::to_string(*erased)}) << '\n';
    return 0;
}

} // namespace tamga::cli

#include "cli/sites.hpp"

#include "base/date.hpp"
#include "cli/daemon_talk.hpp"
#include "cli/printable.hpp"
#include "journal/forms.hpp"
#include "policy/origin.hpp"

namespace tamga::cli {

namespace {

using policy::Answer;
using policy::ConsentBook;

constexpr int exit_usage = 2;

std::string line_of(Language language, policy::Grant const& grant) {
    switch (grant.answer) {
    case Answer::allow:
        return text(language, "allowed since %1, last used %2, until %3 unless it is used",
                    {local_date(grant.at), local_date(grant.used), local_date(grant.ends)});
    case Answer::deny: return text(language, "never, since %1", {local_date(grant.at)});
    case Answer::ask: return text(language, "asked about again, since %1", {local_date(grant.at)});
    }
    return {};
}

Tree tree_of(policy::Grant const& grant) {
    Tree tree;
    tree.add("origin", grant.origin).add("answer", policy::name_of(grant.answer)).add("at", utc_time(grant.at));
    if (grant.answer == Answer::allow) tree.add("used", utc_time(grant.used));
    if (grant.ends != 0) tree.add("ends", utc_time(grant.ends));
    return tree;
}

int damaged(Language language, Error const& error, std::ostream& errors) {
    errors << text(language, "The answers about sites cannot be read: %1", {error.detail}) << '\n';
    return exit_failed;
}

Result<void> act(ConsentBook& book, SitesAction action, std::string const& origin) {
    switch (action) {
    case SitesAction::allow: return book.remember(origin, Answer::allow);
    case SitesAction::refuse: return book.remember(origin, Answer::deny);
    case SitesAction::revoke: return book.remember(origin, Answer::ask);
    case SitesAction::forget: {
        auto const gone = book.forget(origin);
        return gone ? ok() : Result<void>{gone.error()};
    }
    }
    return ok();
}

std::string done_words(Language language, SitesAction action, std::string const& origin) {
    switch (action) {
    case SitesAction::allow: return text(language, "%1 may ask from now on.", {origin});
    case SitesAction::refuse: return text(language, "%1 is refused from now on, without a window.", {origin});
    case SitesAction::revoke:
        return text(language, "%1 has lost its permission; a window asks when it comes again.", {origin});
    case SitesAction::forget: return text(language, "Nothing is remembered of %1 any more.", {origin});
    }
    return {};
}

} // namespace

std::optional<std::string> origin_from(std::string const& typed) {
    auto const origin = typed.find("://") == std::string::npos ? "https://" + typed : typed;
    auto const parsed = policy::parse_origin(origin);
    return parsed ? std::optional{origin} : std::nullopt;
}

int list_sites(SitesSettings const& settings, ReportForm form, std::ostream& out, std::ostream& errors) {
    auto const language = settings.language;
    auto book = ConsentBook::look_at(settings.file, settings.lifetime);
    auto const grants = book.all();
    if (book.refused()) return damaged(language, *book.refused(), errors);
    if (form == ReportForm::json) {
        Tree::List all;
        for (auto const& grant : grants)
            all.push_back(tree_of(grant));
        out << printable_json(Tree{std::move(all)}) << '\n';
        return 0;
    }
    for (auto const& grant : grants)
        out << printable(grant.origin) << '\n' << "   " << line_of(language, grant) << '\n';
    if (grants.empty()) out << text(language, "No site was answered yet.") << '\n';
    out << text(language, "The portals that are allowed from the beginning are not in this list.") << '\n';
    return 0;
}

int answer_about_site(SitesSettings const& settings, SitesAction action, std::string const& typed, std::ostream& out,
                      std::ostream& errors) {
    auto const language = settings.language;
    auto const origin = origin_from(typed);
    if (!origin) {
        errors << text(language, "This is no address of a site: %1. It is written as https://egov.kz, without a path.",
                       {printable(typed)})
               << '\n';
        return exit_usage;
    }
    auto book = ConsentBook::look_at(settings.file, settings.lifetime);
    if (book.refused()) return damaged(language, *book.refused(), errors);
    if (auto done = act(book, action, *origin); !done) {
        errors << text(language, "%1 cannot be written.", {settings.file.string()}) << '\n';
        return exit_failed;
    }
    out << done_words(language, action, *origin) << '\n';
    return 0;
}

} // namespace tamga::cli

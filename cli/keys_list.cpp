#include "base/date.hpp"
#include "cli/key_parts.hpp"
#include "cli/printable.hpp"
#include "journal/book.hpp"

#include <algorithm>
#include <ctime>

namespace tamga::cli {

namespace {

constexpr std::size_t latest_uses = 10;

/// What was in the answer of keys.list, or a certificate that is only known, as one kind of entry.
Tree entry_of(KnownKey const& known) {
    auto certificate = policy::describe(known.certificate, known.state);
    Tree tree;
    tree.add("state", policy::name_of(known.state)).add("algorithm", known.certificate.algorithm().name);
    return tree.add("certificates", Tree::List{std::move(certificate)});
}

std::string pair_words(Language language, Tree const& entry) {
    std::string words;
    for (auto const& certificate : entry.list("certificates"))
        words += (words.empty() ? "" : "\n") + certificate_words(language, certificate);
    if (words.empty()) {
        words = printable(entry.text("label")) + "\n   " + printable(entry.text("algorithm")) + "; " +
                state_words(language, entry.text("state"));
        auto const* const ours = entry.find("made_here");
        if (ours != nullptr && *ours == Tree{true})
            words += "; " + std::string{text(language, "made by Tamga: its application may be under way")};
    } else if (entry.text("state") == "no-key") {
        words += "; " + state_words(language, "no-key");
    }
    if (!entry.text("id").empty()) words += "\n   " + text(language, "key %1", {printable(entry.text("id"))});
    return words;
}

int print(KeysSettings const& settings, KeysListing const& wanted, Tree::List const& entries, std::ostream& out) {
    Tree::List chosen;
    for (auto const& entry : entries) {
        if (wanted.state.empty() || entry.text("state") == wanted.state) chosen.push_back(entry);
    }
    if (settings.form == ReportForm::json) {
        out << printable_json(Tree{std::move(chosen)}) << '\n';
        return 0;
    }
    for (auto const& entry : chosen)
        out << pair_words(settings.language, entry) << '\n';
    if (chosen.empty()) out << text(settings.language, "There are none.") << '\n';
    return 0;
}

std::string day(std::int64_t seconds) {
    return utc_time(seconds).substr(0, 10);
}

} // namespace

int list_keys(KeysSettings const& settings, KeysListing const& wanted, std::ostream& out, std::ostream& complaints) {
    if (!wanted.on_token) {
        auto const known = known_keys(settings, std::time(nullptr), complaints);
        if (!known) return exit_failed;
        Tree::List entries;
        for (auto const& key : *known)
            entries.push_back(entry_of(key));
        print(settings, wanted, entries, out);
        complaints
            << text(settings.language,
                    "These certificates were used on this computer. Whether their keys are still there, and which "
                    "pairs have no certificate, is known after the PIN alone: tamga keys list --pin")
            << '\n';
        return 0;
    }
    KeyTalk talk{settings, complaints};
    auto const told = talk.call("keys.list", Tree{}.add("token", tree_of(wanted.token)));
    return told ? print(settings, wanted, told->list("keys"), out) : talk.exit_code();
}

int tell_of_lost_keys(KeysSettings const& settings, std::ostream& out, std::ostream& complaints) {
    auto const language = settings.language;
    auto const known = known_keys(settings, std::time(nullptr), complaints);
    if (!known) return exit_failed;
    out << text(language,
                "Nobody can open a token without its PIN, or a key file without its password: nobody keeps them. What "
                "is lost, or was in other hands, is to be revoked, and new keys are issued.")
        << "\n\n"
        << text(language,
                "With another signature key of yours that is valid: tamga keys revoke, or the account at pki.gov.kz. "
                "Without one: a registration centre, with an identity document.")
        << "\n\n";
    if (known->empty()) {
        out << text(language, "No certificate is known on this computer.") << '\n';
        return 0;
    }
    out << text(language, "Your certificates, as far as they were used on this computer:") << '\n';
    for (auto const& key : *known)
        out << certificate_words(language, policy::describe(key.certificate, key.state)) << '\n';
    auto book = journal::Book::open_existing(settings.journal);
    auto const uses = book && *book ? (*book)->find({}) : Result<std::vector<journal::Entry>>{Errc::system};
    if (!uses || uses->empty()) return 0;
    out << '\n' << text(language, "What they were used for last (tamga journal shows all):") << '\n';
    auto const count = std::min(uses->size(), latest_uses);
    for (auto at = uses->rbegin(); at != uses->rbegin() + static_cast<std::ptrdiff_t>(count); ++at) {
        out << day(at->until) << "  " << printable(at->site) << "  " << at->certificate.substr(0, 8) << "  "
            << printable(at->outcome) << '\n';
    }
    return 0;
}

} // namespace tamga::cli

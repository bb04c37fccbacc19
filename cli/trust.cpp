#include "cli/trust.hpp"

#include <algorithm>
#include <fstream>

namespace tamga::cli {

namespace {

using trust::Certutil;
using trust::Generation;
using trust::Store;

enum class Outcome : std::uint8_t { as_wanted, changed, missing, not_made };

std::string name_of(Store const& store) {
    return (store.browser == trust::Browser::chromium ? "Chromium: " : "Firefox: ") + store.folder.string();
}

bool is_one_of(std::string const& nickname, std::vector<Generation> const& current) {
    return std::any_of(current.begin(), current.end(), [&](Generation const& g) { return g.nickname == nickname; });
}

/// Removes those of our authorities that are not in `current`.
Result<Outcome> remove_others(Certutil const& certutil, Store const& store, std::vector<Generation> const& current) {
    auto const present = certutil.list(store);
    if (!present) return present.error();
    auto outcome = Outcome::as_wanted;
    for (auto const& authority : *present) {
        if (is_one_of(authority.nickname, current)) continue;
        if (auto const removed = certutil.remove(store, authority.nickname); !removed) return removed.error();
        outcome = Outcome::changed;
    }
    return outcome;
}

/// Whether `current` stand in the store, all of them and with exactly our flags.
Result<std::vector<Generation>> not_trusted(Certutil const& certutil, Store const& store,
                                            std::vector<Generation> const& current) {
    auto const present = certutil.list(store);
    if (!present) return present.error();
    std::vector<Generation> missing;
    std::copy_if(current.begin(), current.end(), std::back_inserter(missing), [&](Generation const& generation) {
        return std::none_of(present->begin(), present->end(), [&](trust::TrustedAuthority const& authority) {
            return authority.nickname == generation.nickname && authority.flags == trust::server_authority_flags;
        });
    });
    return missing;
}

Result<Outcome> install(Certutil const& certutil, Store const& store, std::vector<Generation> const& current) {
    if (auto const created = certutil.create_missing(store); !created) return created.error();
    auto outcome = remove_others(certutil, store, current);
    if (!outcome) return outcome;
    auto const missing = not_trusted(certutil, store, current);
    if (!missing) return missing.error();
    for (auto const& generation : *missing) {
        auto const added = certutil.add(store, generation.nickname, generation.authority);
        if (!added) return added.error();
        outcome = Outcome::changed;
    }
    return outcome;
}

Result<Outcome> status(Certutil const& certutil, Store const& store, std::vector<Generation> const& current) {
    if (current.empty()) return Outcome::not_made;
    auto const missing = not_trusted(certutil, store, current);
    if (!missing) return missing.error();
    return missing->empty() ? Outcome::as_wanted : Outcome::missing;
}

Result<Outcome> act(TrustAction action, Certutil const& certutil, Store const& store,
                    std::vector<Generation> const& current) {
    switch (action) {
    case TrustAction::install: return install(certutil, store, current);
    case TrustAction::remove: return remove_others(certutil, store, {});
    case TrustAction::status: return status(certutil, store, current);
    }
    return Result<Outcome>{};
}

std::string_view words_for(Language language, TrustAction action, Outcome outcome) {
    if (outcome == Outcome::missing) return text(language, "the certificate is not trusted");
    if (outcome == Outcome::not_made) return text(language, "there is no certificate yet; --install makes one");
    auto const changed = outcome == Outcome::changed;
    switch (action) {
    case TrustAction::install:
        return changed ? text(language, "the certificate is now trusted")
                       : text(language, "the certificate was trusted already");
    case TrustAction::remove:
        return changed ? text(language, "the certificate was removed") : text(language, "there was nothing to remove");
    case TrustAction::status: return text(language, "the certificate is trusted");
    }
    return {};
}

/// The authorities that stores should hold: made on installing where there is none, only read otherwise.
Result<std::vector<Generation>> authorities(TrustAction action, TrustSettings const& settings) {
    if (action != TrustAction::install) return trust::load(settings.tls_folder, settings.now);
    auto tls = trust::load_or_create(settings.tls_folder, settings.now);
    if (!tls) return tls.error();
    return std::move(tls->trusted);
}

/// That the person had the certificate taken out, and Tamga is not to put it back by itself.
std::filesystem::path refusal_in(TrustSettings const& settings) {
    return settings.tls_folder / "not-by-itself";
}

/// What the person wants from now on; a state that cannot be written is seen the next time.
void remember(TrustAction action, TrustSettings const& settings) {
    std::error_code ignored;
    if (action == TrustAction::install) std::filesystem::remove(refusal_in(settings), ignored);
    if (action == TrustAction::remove && std::filesystem::is_directory(settings.tls_folder, ignored))
        std::ofstream{refusal_in(settings)}.flush();
}

} // namespace

int run_trust(TrustAction action, TrustSettings const& settings, std::ostream& out) {
    auto const language = settings.language;
    auto const automatic = settings.wish == TrustWish::automatic;
    if (automatic && action == TrustAction::install && std::filesystem::exists(refusal_in(settings))) {
        out << text(language, "The certificate was removed by tamga trust --remove, and stays so.") << '\n';
        return 0;
    }
    if (!automatic) remember(action, settings);
    auto const certutil = Certutil::find(settings.certutil);
    if (!certutil) {
        out << text(language, "The program certutil is missing. Install the package libnss3-tools.") << '\n';
        return 1;
    }
    auto const current = authorities(action, settings);
    if (!current) {
        out << text(language, "The certificates of this computer cannot be read or made: %1", {current.error().detail})
            << '\n';
        return 1;
    }

    auto exit_code = 0;
    auto changed = false;
    for (auto const& store : trust::find_stores(settings.home)) {
        out << name_of(store) << ": ";
        auto const outcome = act(action, *certutil, store, *current);
        if (!outcome) {
            out << text(language, "failed: %1", {outcome.error().detail}) << '\n';
            exit_code = 1;
            continue;
        }
        out << words_for(language, action, *outcome) << '\n';
        if (*outcome == Outcome::missing || *outcome == Outcome::not_made) exit_code = 1;
        changed |= *outcome == Outcome::changed;
    }
    if (changed) out << text(language, "Restart your browser: one that is running does not notice the change.") << '\n';
    return exit_code;
}

} // namespace tamga::cli

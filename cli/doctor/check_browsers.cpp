#include "cli/doctor/checks.hpp"
#include "protocol/json_file.hpp"
#include "trust/local_ca.hpp"
#include "trust/nss_stores.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 32U << 20;

/// A browser as it can be installed for a person. Chromium and its kin share a format, Firefox has another.
struct Kind {
    trust::Browser browser{};
    char const* name = "";
    std::array<char const*, 2> profiles{}; ///< below the home folder; the first that is there
    char const* policies = nullptr;        ///< below /etc: a folder of *.json, or one file; null: it cannot look there
};

/// Folders of policies: tried with Debian's Chromium 156 and Firefox 153; Chrome's and the snaps' are from what their
/// makers publish. A flatpak does not see /etc.
constexpr std::array kinds{
    Kind{trust::Browser::chromium, "Chromium", {".config/chromium", nullptr}, "chromium/policies/managed"},
    Kind{trust::Browser::chromium,
         "Chromium (snap)",
         {"snap/chromium/common/chromium", nullptr},
         "chromium-browser/policies/managed"},
    Kind{trust::Browser::chromium,
         "Chromium (flatpak)",
         {".var/app/org.chromium.Chromium/config/chromium", nullptr},
         nullptr},
    Kind{trust::Browser::chromium, "Chrome", {".config/google-chrome", nullptr}, "opt/chrome/policies/managed"},
    Kind{trust::Browser::chromium,
         "Chrome (flatpak)",
         {".var/app/com.google.Chrome/config/google-chrome", nullptr},
         nullptr},
    Kind{trust::Browser::firefox,
         "Firefox",
         {".config/mozilla/firefox", ".mozilla/firefox"},
         "firefox/policies/policies.json"},
    Kind{trust::Browser::firefox,
         "Firefox (snap)",
         {"snap/firefox/common/.config/mozilla/firefox", "snap/firefox/common/.mozilla/firefox"},
         "firefox/policies/policies.json"},
    Kind{trust::Browser::firefox,
         "Firefox (flatpak)",
         {".var/app/org.mozilla.firefox/config/mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox"},
         nullptr},
};

std::optional<Tree> json_in(fs::path const& path) {
    std::error_code failed;
    if (!fs::is_regular_file(path, failed) || fs::file_size(path, failed) > largest_file || failed) return std::nullopt;
    std::ifstream file{path, std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{file}, {}};
    auto read = protocol::read_json(text);
    return read ? std::optional{std::move(*read)} : std::nullopt;
}

std::string joined(Tree::List const& list) {
    std::string all;
    for (auto const& element : list) {
        auto const* text = std::get_if<std::string>(&element.value);
        if (text != nullptr) all += (all.empty() ? "" : ", ") + *text;
    }
    return all;
}

// ---- policies ----

std::vector<Tree> policies_in(fs::path const& place) {
    std::vector<Tree> policies;
    std::error_code failed;
    if (auto single = json_in(place)) policies.push_back(std::move(*single));
    for (auto it = fs::directory_iterator{place, failed}; !failed && it != fs::directory_iterator{};
         it.increment(failed)) {
        if (it->path().extension() != ".json") continue;
        if (auto policy = json_in(it->path())) policies.push_back(std::move(*policy));
    }
    return policies;
}

std::optional<Finding> judge_chromium(char const* name, Tree const& policy) {
    if (auto const& blocked = policy.list("LoopbackNetworkBlockedForUrls"); !blocked.empty())
        return Finding{Cause::browser_blocked_by_policy, name, joined(blocked)};
    for (auto const* key : {"LoopbackNetworkAllowedForUrls", "LocalNetworkAccessAllowedForUrls"}) {
        if (auto const& allowed = policy.list(key); !allowed.empty())
            return Finding{Cause::browser_allowed, name, joined(allowed)};
    }
    return std::nullopt;
}

std::optional<Finding> judge_firefox(char const* name, Tree const& policy) {
    auto const* const policies = policy.find("policies");
    auto const* const access = policies == nullptr ? nullptr : policies->find("LocalNetworkAccess");
    auto const& allowed = access == nullptr ? Tree::List{} : access->list("SkipDomains");
    if (allowed.empty()) return std::nullopt;
    return Finding{Cause::browser_allowed, name, joined(allowed)};
}

std::optional<Finding> judge_policies(Surroundings const& here, Kind const& kind) {
    std::optional<Finding> judged;
    if (kind.policies == nullptr) return judged;
    for (auto const& policy : policies_in(here.policies / kind.policies)) {
        auto found = kind.browser == trust::Browser::firefox ? judge_firefox(kind.name, policy)
                                                             : judge_chromium(kind.name, policy);
        if (found && (!judged || found->cause == Cause::browser_blocked_by_policy)) judged = std::move(found);
    }
    return judged;
}

// ---- what the person answered ----

/// Of the permission's exceptions, "https://egov.kz:443,*": {"setting": 2} is a Block. The names of the permission
/// since Chromium 142, and since it was parted in two.
std::string blocked_in(Tree const& preferences) {
    constexpr std::int64_t block = 2;
    std::string sites;
    auto const* at = &preferences;
    for (auto const* step : {"profile", "content_settings", "exceptions"}) {
        at = at->find(step);
        if (at == nullptr) return sites;
    }
    for (auto const* permission : {"local_network_access", "loopback_network"}) {
        auto const* const answers = at->find(permission);
        auto const* const members = answers == nullptr ? nullptr : std::get_if<Tree::Members>(&answers->value);
        for (std::size_t i = 0; members != nullptr && i < members->size(); ++i) {
            auto const& [site, answer] = (*members)[i];
            if (answer.number("setting") != block) continue;
            sites += (sites.empty() ? "" : ", ") + site.substr(0, site.find(','));
        }
    }
    return sites;
}

/// In every profile of a Chromium: "Default", "Profile 1" ...
std::string blocked_below(fs::path const& root) {
    std::string sites;
    std::error_code failed;
    for (auto it = fs::directory_iterator{root, failed}; !failed && it != fs::directory_iterator{};
         it.increment(failed)) {
        auto const preferences = json_in(it->path() / "Preferences");
        auto const blocked = preferences ? blocked_in(*preferences) : std::string{};
        if (!blocked.empty()) sites += (sites.empty() ? "" : ", ") + blocked;
    }
    return sites;
}

Finding judge(Surroundings const& here, Kind const& kind, fs::path const& root) {
    auto policy = judge_policies(here, kind);
    if (policy && policy->cause == Cause::browser_blocked_by_policy) return *policy;
    if (auto const blocked = kind.browser == trust::Browser::chromium ? blocked_below(root) : std::string{};
        !blocked.empty()) {
        return {Cause::browser_blocked_by_person, kind.name, blocked};
    }
    return policy ? *policy : Finding{Cause::browser_asks, kind.name};
}

// ---- stores of certificates ----

std::string name_of(trust::Store const& store) {
    return (store.browser == trust::Browser::chromium ? "Chromium: " : "Firefox: ") + store.folder.string();
}

Finding judge(trust::Certutil const& certutil, trust::Store const& store,
              std::vector<trust::Generation> const& current) {
    auto const present = certutil.list(store);
    if (!present) return {Cause::trust_unreadable, name_of(store), present.error().detail};
    auto const trusted = [&](trust::Generation const& generation) {
        return std::ranges::any_of(*present, [&](trust::TrustedAuthority const& authority) {
            return authority.nickname == generation.nickname && authority.flags == trust::server_authority_flags;
        });
    };
    auto const all = std::ranges::all_of(current, trusted);
    return {all ? Cause::trust_good : Cause::trust_missing, name_of(store)};
}

} // namespace

Findings check_trust(Surroundings const& here) {
    auto const current = trust::load(here.tls_folder, here.now);
    if (!current || current->empty()) return {}; // check_tls says so
    auto const certutil = trust::Certutil::find(here.certutil);
    if (!certutil) return {{Cause::trust_no_certutil}};
    Findings findings;
    for (auto const& store : trust::find_stores(here.home))
        findings.push_back(judge(*certutil, store, *current));
    return findings;
}

Findings check_browsers(Surroundings const& here) {
    Findings findings;
    std::error_code failed;
    for (auto const& kind : kinds) {
        for (auto const* profile : kind.profiles) {
            if (profile == nullptr) continue;
            auto const root = here.home / profile;
            if (!fs::is_directory(root, failed)) continue;
            findings.push_back(judge(here, kind, root));
            break;
        }
    }
    if (findings.empty()) findings.push_back({Cause::browser_none});
    return findings;
}

} // namespace tamga::cli

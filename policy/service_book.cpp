#include "policy/service_book.hpp"

#include "base/log.hpp"
#include "base/toml.hpp"
#include "base/trusted_file.hpp"
#include "policy/state_file.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <sys/stat.h>

namespace tamga::policy {

namespace {

constexpr std::string_view suffix = ".services";
constexpr std::int64_t seconds_a_day = 86'400;

Judged judge_file(std::filesystem::path const& file, std::vector<Publisher> const& publishers, std::int64_t now) {
    auto const octets = read_trusted_file(file, most_catalogue_octets);
    if (!octets) return Refused{Refusal::unreadable, octets.error().detail};
    return judge_catalogue(as_view(*octets), publishers,
                           signing::RevocationCache{signing::RevocationCache::default_folder()}, now);
}

/// Beside what was seen of it before.
std::optional<Refused> outdated(Verified const& verified, std::optional<Seen> const& seen) {
    auto const& [id, version] = std::pair{verified.catalogue.id, verified.catalogue.version};
    if (!seen) return std::nullopt;
    if (version < seen->version) {
        return Refused{Refusal::older, id + ": version " + std::to_string(version) + ", " +
                                           std::to_string(seen->version) + " was seen"};
    }
    if (version == seen->version && verified.digest != seen->digest)
        return Refused{Refusal::changed, id + ": version " + std::to_string(version)};
    return std::nullopt;
}

/// By which a file is told from what it was.
std::string stamp_of(std::filesystem::path const& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return path.string() + " -\n";
    std::ostringstream text;
    text << path.string() << ' ' << info.st_ino << ' ' << info.st_size << ' ' << info.st_mode << ' ' << info.st_uid
         << ' ' << info.st_mtim.tv_sec << '.' << info.st_mtim.tv_nsec << ' ' << info.st_ctim.tv_sec << '.'
         << info.st_ctim.tv_nsec << '\n';
    return text.str();
}

} // namespace

// ---- the memory ----

CatalogueMemory CatalogueMemory::load(std::filesystem::path folder) {
    CatalogueMemory memory;
    memory.m_folder = std::move(folder);
    memory.read();
    return memory;
}

void CatalogueMemory::read() {
    std::error_code failure;
    auto const path = m_folder / "seen.toml";
    if (m_folder.empty() || !std::filesystem::exists(path, failure)) return;
    auto const text = read_trusted_file(path);
    auto const parsed = text ? toml::parse(*text) : toml::parse("[");
    if (!parsed) {
        log::warning("services_memory", {{"file", path.string()},
                                         {"detail", text ? "damaged: nothing counts as seen" : text.error().detail}});
        return;
    }
    for (auto const& [id, node] : parsed.table()) {
        auto const version =
            node.as_table() == nullptr ? std::nullopt : node.as_table()->at_path("version").value<std::int64_t>();
        if (!version || *version < 1) continue;
        auto const text_at = [&row = *node.as_table()](char const* key) {
            return row.at_path(key).value<std::string>().value_or("");
        };
        m_seen[std::string{id.str()}] = {static_cast<std::uint64_t>(*version), text_at("digest"), text_at("file")};
    }
}

std::optional<Seen> CatalogueMemory::find(std::string const& id) const {
    auto const at = m_seen.find(id);
    return at == m_seen.end() ? std::nullopt : std::optional{at->second};
}

std::vector<std::string> CatalogueMemory::seen_in(std::filesystem::path const& file) const {
    std::vector<std::string> ids;
    for (auto const& [id, seen] : m_seen) {
        if (seen.file == file) ids.push_back(id);
    }
    return ids;
}

/// A name has no dot.
std::filesystem::path CatalogueMemory::copy_of(std::string const& id) const {
    auto name = id;
    std::ranges::replace(name, '/', '.');
    return m_folder / name.append(suffix);
}

Result<Bytes> CatalogueMemory::copy(std::string const& id) const {
    auto const octets = read_trusted_file(copy_of(id), most_catalogue_octets);
    if (!octets) return octets.error();
    return to_bytes(as_view(*octets));
}

Result<void> CatalogueMemory::keep(std::string const& id, Seen seen, View file) {
    if (m_folder.empty()) return Error{Errc::system, "no home folder to remember catalogues in"};
    if (auto made = make_private_folder(m_folder); !made) return made;
    if (auto written = replace_file(copy_of(id), as_text(file)); !written) return written;
    m_seen[id] = std::move(seen);
    return write();
}

Result<void> CatalogueMemory::forget_missing() {
    bool changed = false;
    for (auto& [id, seen] : m_seen) {
        std::error_code failure;
        if (seen.file.empty() || std::filesystem::exists(seen.file, failure) || failure) continue;
        seen.file.clear();
        std::filesystem::remove(copy_of(id), failure);
        changed = true;
    }
    return changed ? write() : ok();
}

Result<void> CatalogueMemory::write() const {
    toml::table file;
    for (auto const& [id, seen] : m_seen) {
        file.insert(id, toml::table{{"version", static_cast<std::int64_t>(seen.version)},
                                    {"digest", seen.digest},
                                    {"file", seen.file}});
    }
    std::ostringstream text;
    text << "# Catalogues of services seen here, and their highest versions: an older one is refused.\n"
         << file << '\n';
    return replace_file(m_folder / "seen.toml", text.str());
}

// ---- the book ----

std::vector<std::filesystem::path> ServiceBook::folders() const {
    std::vector<std::filesystem::path> folders{m_folders.shipped, m_folders.computer};
    if (m_user == UserCatalogues::counted) folders.push_back(m_folders.person);
    std::erase(folders, std::filesystem::path{});
    return folders;
}

std::string ServiceBook::look(std::int64_t now) const {
    auto looked = std::to_string(now / seconds_a_day) + '\n';
    for (auto const& folder : folders()) {
        for (auto const* name : {"publishers.d", "services.d"}) {
            looked += stamp_of(folder / name);
            std::error_code failure;
            std::filesystem::directory_iterator at{folder / name, failure};
            std::vector<std::string> stamps;
            for (; !failure && at != std::filesystem::directory_iterator{}; at.increment(failure))
                stamps.push_back(stamp_of(at->path()));
            std::ranges::sort(stamps);
            for (auto const& stamp : stamps)
                looked += stamp;
        }
    }
    return looked;
}

void ServiceBook::refresh(std::int64_t now) {
    auto looked = look(now);
    if (looked == m_looked) return;
    m_looked = std::move(looked);
    read(now);
}

Judged ServiceBook::judge(std::filesystem::path const& file, std::int64_t now) const {
    auto judged = judge_file(file, load_publishers(m_folders, m_user), now);
    if (auto const* verified = std::get_if<Verified>(&judged)) {
        auto const memory = CatalogueMemory::load(m_folders.memory);
        if (auto refused = outdated(*verified, memory.find(verified->catalogue.id))) return *std::move(refused);
    }
    return judged;
}

void ServiceBook::read(std::int64_t now) {
    auto const publishers = load_publishers(m_folders, m_user);
    auto memory = CatalogueMemory::load(m_folders.memory);
    m_in_effect.clear();
    m_refused.clear();
    for (auto const& folder : folders()) {
        for (auto const& file : files_in(folder / "services.d", suffix)) {
            auto judged = judge_file(file, publishers, now);
            if (auto* verified = std::get_if<Verified>(&judged)) {
                auto refused = outdated(*verified, memory.find(verified->catalogue.id));
                if (!refused) {
                    take(file, std::move(*verified));
                    continue;
                }
                judged = *std::move(refused);
            }
            m_refused.push_back({file, std::get<Refused>(std::move(judged))});
        }
    }
    auto const broken = m_refused;
    for (auto const& [file, refused] : broken)
        fall_back(file, publishers, now);
    refuse_doubles();
    if (m_remembering == Remembering::kept) remember(memory);

    m_services.clear();
    for (auto const& [file, verified, is_copy] : m_in_effect) {
        auto const& catalogue = verified.catalogue;
        for (auto const& service : catalogue.services) {
            m_services.push_back({service, classify(service.criteria, service.flags, service.channel), verified.body,
                                  catalogue.id, catalogue.valid_from, catalogue.valid_until});
        }
        if (m_remembering == Remembering::looked_at) continue;
        log::info("services", {{"catalogue", catalogue.id},
                               {"version", catalogue.version},
                               {"services", static_cast<std::uint64_t>(catalogue.services.size())},
                               {"from", is_copy ? "the last good copy" : file.string()}});
    }
    for (auto const& [file, refused] : m_refused) {
        if (m_remembering == Remembering::looked_at) break;
        log::warning("services_refused",
                     {{"file", file.string()}, {"why", name_of(refused.why)}, {"detail", refused.detail}});
    }
}

/// Of two files of one catalogue the later version counts.
void ServiceBook::take(std::filesystem::path const& file, Verified verified) {
    auto const same = std::ranges::find_if(
        m_in_effect, [&](InEffect const& each) { return each.verified.catalogue.id == verified.catalogue.id; });
    if (same == m_in_effect.end()) {
        m_in_effect.push_back({file, std::move(verified), false});
        return;
    }
    auto const elsewhere = [](InEffect const& other) {
        return Seen{other.verified.catalogue.version, other.verified.digest, other.file.string()};
    };
    if (verified.catalogue.version > same->verified.catalogue.version) {
        auto const passed_over = std::exchange(*same, {file, std::move(verified), false});
        m_refused.push_back({passed_over.file, *outdated(passed_over.verified, elsewhere(*same))});
    } else if (auto refused = outdated(verified, elsewhere(*same))) {
        m_refused.push_back({file, *std::move(refused)});
    }
}

/// What lay in a file that is refused now stays in effect, if it still stands by itself.
void ServiceBook::fall_back(std::filesystem::path const& file, std::vector<Publisher> const& publishers,
                            std::int64_t now) {
    auto const memory = CatalogueMemory::load(m_folders.memory);
    for (auto const& id : memory.seen_in(file)) {
        auto const is_here = [&](InEffect const& each) { return each.verified.catalogue.id == id; };
        if (std::ranges::any_of(m_in_effect, is_here)) continue;
        auto const copy = memory.copy(id);
        if (!copy) continue;
        auto judged = judge_catalogue(*copy, publishers,
                                      signing::RevocationCache{signing::RevocationCache::default_folder()}, now);
        auto* verified = std::get_if<Verified>(&judged);
        if (verified == nullptr || verified->catalogue.id != id || outdated(*verified, memory.find(id))) continue;
        m_in_effect.push_back({file, std::move(*verified), true});
    }
}

void ServiceBook::refuse_doubles() {
    std::set<std::string> ids;
    std::vector<InEffect> kept;
    for (auto& each : m_in_effect) {
        auto const& services = each.verified.catalogue.services;
        auto const taken =
            std::ranges::find_if(services, [&](Service const& service) { return ids.contains(service.id); });
        if (taken != services.end()) {
            m_refused.push_back({each.file, {Refusal::taken, taken->id}});
            continue;
        }
        for (auto const& service : services)
            ids.insert(service.id);
        kept.push_back(std::move(each));
    }
    m_in_effect = std::move(kept);
}

void ServiceBook::remember(CatalogueMemory& memory) const {
    if (auto forgotten = memory.forget_missing(); !forgotten)
        log::warning("services_memory", {{"detail", forgotten.error().detail}});
    for (auto const& [file, verified, is_copy] : m_in_effect) {
        auto const& [id, version] = std::pair{verified.catalogue.id, verified.catalogue.version};
        auto const seen = memory.find(id);
        if (is_copy || (seen && seen->version == version && seen->file == file)) continue;
        auto const octets = read_trusted_file(file, most_catalogue_octets);
        auto kept = octets ? memory.keep(id, {version, verified.digest, file.string()}, as_view(*octets))
                           : Result<void>{octets.error()};
        if (!kept) log::warning("services_memory", {{"catalogue", id}, {"detail", kept.error().detail}});
    }
}

} // namespace tamga::policy

#include "pkcs11/module_search.hpp"

#include "base/log.hpp"
#include "base/messages.hpp"
#include "base/trusted_file.hpp"
#include "pkcs11/families_file.hpp"
#include "pkcs11/p11_kit.hpp"

#include <elf.h>

#include <algorithm>
#include <fstream>

namespace tamga::pkcs11 {

namespace {

using std::filesystem::path;

constexpr std::string_view not_there = "not there";

#if defined(__x86_64__)
constexpr unsigned own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned own_machine = EM_AARCH64;
#else
#error "name the ELF machine of this processor"
#endif

/// A vendor's package for another processor, or for 32 bits, is better passed over than failed at.
bool made_for_this_processor(path const& library) {
    std::ifstream file{library, std::ios::binary};
    Elf64_Ehdr header{};
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    return file && std::equal(header.e_ident, header.e_ident + SELFMAG, ELFMAG) &&
           header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == own_machine;
}

bool same_file_name(std::vector<path> const& paths, path const& library) {
    return std::any_of(paths.begin(), paths.end(),
                       [&](path const& known) { return known.filename() == library.filename(); });
}

/// What modules.toml says of a module goes first.
void bear_with(ModuleConfig& module, Quirks const& quirks) {
    module.single_threaded |= quirks.single_threaded;
    if (!module.allow) module.allow = quirks.allow;
}

class Search {
public:
    Search(Families families, std::vector<ModuleConfig> explicit_modules, P11KitEntries p11_kit)
        : m_p11_kit{std::move(p11_kit.entries)}, m_explicit{explicit_modules.size()} {
        m_found.families = std::move(families);
        m_found.modules = std::move(explicit_modules);
        m_found.refused = std::move(p11_kit.refused);
        m_serves.resize(m_found.modules.size());
    }

    Modules run() && {
        for (auto const& row : m_found.families.rows())
            look_for(row);
        for (std::size_t i = m_explicit; i < m_found.modules.size(); ++i) {
            for (auto const& [family, module] : m_served_by)
                if (module != i && !m_serves[i].contains(family)) m_found.modules[i].elsewhere.insert(family);
        }
        return std::move(m_found);
    }

private:
    void look_for(Family const& row) {
        if (named_in_modules_toml(row)) return;
        for (auto const& [library, source] : candidates_of(row)) {
            auto const judged = usable_library(library);
            m_found.candidates.push_back({row.id, library, source, judged ? "" : judged.error().detail});
            if (!judged) continue;
            serve(row, *judged);
            return;
        }
    }

    /// A module of modules.toml is for a family where it says so, or where its file name is that of a candidate.
    bool named_in_modules_toml(Family const& row) {
        for (std::size_t i = 0; i < m_explicit; ++i) {
            auto const& module = m_found.modules[i];
            auto const meant = module.family.empty() ? is_candidate(row, module.path) : module.family == row.id;
            if (!meant) continue;
            m_found.candidates.push_back({row.id, module.path, Source::modules_toml, ""});
            m_serves[i].insert(row.id);
            m_served_by.emplace_back(row.id, i);
            bear_with(m_found.modules[i], row.quirks);
            return true;
        }
        return false;
    }

    bool is_candidate(Family const& row, path const& library) const {
        return same_file_name(row.modules, library) ||
               (row.opensc && same_file_name(m_found.families.opensc_modules(), library));
    }

    std::vector<std::pair<path, Source>> candidates_of(Family const& row) const {
        std::vector<std::pair<path, Source>> candidates;
        auto const of_p11_kit = [&](std::vector<path> const& known) {
            for (auto const& entry : m_p11_kit)
                if (same_file_name(known, entry.library)) candidates.emplace_back(entry.library, Source::p11_kit);
        };
        for (auto const& library : row.modules)
            candidates.emplace_back(library, Source::vendor);
        of_p11_kit(row.modules);
        if (!row.opensc) return candidates;
        for (auto const& library : m_found.families.opensc_modules())
            candidates.emplace_back(library, Source::opensc);
        of_p11_kit(m_found.families.opensc_modules());
        return candidates;
    }

    void serve(Family const& row, path const& library) {
        auto const same = [&](ModuleConfig const& module) { // modules.toml may name it by a link
            std::error_code failure;
            return module.path == library || std::filesystem::canonical(module.path, failure) == library;
        };
        auto place = std::find_if(m_found.modules.begin(), m_found.modules.end(), same);
        if (place == m_found.modules.end()) {
            ModuleConfig module;
            module.name = library.stem();
            module.path = library;
            m_found.modules.push_back(std::move(module));
            m_serves.emplace_back();
            place = m_found.modules.end() - 1;
        }
        bear_with(*place, row.quirks);
        auto const number = static_cast<std::size_t>(place - m_found.modules.begin());
        m_serves[number].insert(row.id);
        m_served_by.emplace_back(row.id, number);
    }

    Modules m_found;
    std::vector<P11KitEntry> m_p11_kit;
    std::size_t m_explicit;
    std::vector<std::set<std::string>> m_serves; ///< by module: the families it was found for
    std::vector<std::pair<std::string, std::size_t>> m_served_by;
};

std::string_view words(Source source) {
    switch (source) {
    case Source::modules_toml: return "modules.toml";
    case Source::vendor: return "vendor";
    case Source::p11_kit: return "p11-kit";
    case Source::opensc: return "OpenSC";
    }
    return {};
}

std::string report_of(ModuleConfig const& module, std::size_t number) {
    std::string text = "module " + std::to_string(number) + ": " + module.name + ", " + module.path.string() + '\n';
    if (!module.storage.empty()) text += "  every token of it is shown as " + module.storage + '\n';
    if (auto const judged = usable_library(module.path); !judged)
        text += "  cannot be used: " + judged.error().detail + '\n';
    for (auto const& family : module.elsewhere)
        text += "  tokens of " + family + " are left to another module\n";
    return text;
}

std::string report_of(Family const& row, std::vector<Candidate> const& candidates) {
    std::string text = "family " + row.id + ", " + row.storage + '\n';
    bool none = true;
    for (auto const& candidate : candidates) {
        if (candidate.family != row.id) continue;
        text += candidate.passed_over.empty() ? "  taken        " : "  passed over  ";
        text += candidate.path.string() + " (" + std::string{words(candidate.source)} + ')';
        text += candidate.passed_over.empty() ? "\n" : ": " + candidate.passed_over + '\n';
        none = none && !candidate.passed_over.empty();
    }
    return none ? text + "  no module: its tokens are seen only where another module shows them\n" : text;
}

} // namespace

Result<path> usable_library(path const& library) {
    std::error_code failure;
    if (!std::filesystem::exists(library, failure)) return Error{Errc::system, std::string{not_there}};
    auto const trusted = trusted_path(library);
    if (!trusted) return trusted.error();
    if (!made_for_this_processor(*trusted)) {
        return Error{Errc::module_unloadable, "not a library for this processor"};
    }
    return *trusted;
}

Result<Modules> find_modules(ConfigFiles const& files) {
    auto explicit_modules = read_module_files(files.computer_modules, files.person_modules);
    if (!explicit_modules) return explicit_modules.error();
    // What the person may not name in modules.toml, they may not name in a row either.
    std::vector<path> tables;
    std::vector<path> left_out;
    std::error_code failure;
    if (explicit_modules->user_modules.value_or(true)) {
        tables.push_back(files.person_families);
    } else {
        for (auto const& file : {files.person_modules, files.person_families})
            if (std::filesystem::exists(file, failure)) left_out.push_back(file);
    }
    tables.push_back(files.computer_families);
    tables.push_back(files.shipped_families);
    auto families = read_families(tables);
    if (!families) return families.error();
    for (auto const& module : explicit_modules->modules) {
        if (!module.family.empty() && families->find(module.family) == nullptr) {
            return module.unknown_family;
        }
    }
    auto found = Search{std::move(*families), std::move(explicit_modules->modules),
                        read_p11_kit(files.p11_kit, files.p11_kit_libraries)}
                     .run();
    found.left_out = std::move(left_out);
    for (auto& module : found.modules)
        module.remembering = explicit_modules->remembering;
    if (found.modules.size() > ipc::max_modules) return Error{Errc::config_invalid, "more than 64 modules"};
    return found;
}

void log_refusals(Modules const& modules) {
    if (modules.families.rows().empty()) {
        log::warning("families", {{"detail", "no table: tokens are found by modules.toml alone"}});
    }
    for (auto const& candidate : modules.candidates) {
        if (candidate.passed_over.empty() || candidate.passed_over == not_there) continue;
        log::warning(
            "module_passed_over",
            {{"family", candidate.family}, {"path", candidate.path.string()}, {"reason", candidate.passed_over}});
    }
    for (auto const& file : modules.left_out)
        log::warning("file_left_out", {{"path", file.string()}, {"reason", "user_modules = false in /etc/tamga"}});
    for (auto const& error : modules.refused)
        log::warning("module_passed_over", {{"reason", error.detail}});
}

std::string report(Modules const& modules) {
    std::string text;
    for (std::size_t i = 0; i < modules.modules.size(); ++i)
        text += report_of(modules.modules[i], i);
    if (modules.modules.empty()) text += "no module\n";
    for (auto const& row : modules.families.rows())
        text += report_of(row, modules.candidates);
    if (modules.families.rows().empty()) text += "no table of families\n";
    for (auto const& file : modules.left_out)
        text += "left out, by user_modules = false: " + file.string() + '\n';
    for (auto const& error : modules.refused)
        text += "refused: " + error.detail + '\n';
    auto const& storage = modules.families.other().storage;
    return text + "tokens of no family are " + (storage.empty() ? "not shown" : "shown as " + storage) + '\n';
}

bool is_opensc(Families const& families, path const& library) {
    return same_file_name(families.opensc_modules(), library);
}

} // namespace tamga::pkcs11

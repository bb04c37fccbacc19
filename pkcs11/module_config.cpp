#include "pkcs11/module_config.hpp"

#include "pkcs11/toml_file.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

/// Variables by which the environment, not modules.toml, would choose libraries: ld.so(8), iconv, OpenSSL.
bool steers_the_loader(std::string_view name) {
    static std::set<std::string_view> const names{"PATH",         "GCONV_PATH",      "LOCPATH",
                                                  "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES"};
    return name.empty() || name.find('=') != name.npos || name.starts_with("LD_") || name.starts_with("GLIBC_") ||
           names.contains(name);
}

/// Reads one file key by key; the first fault ends it.
class Reader {
public:
    /// @param above  the file of the computer, where this one is the person's; else empty
    Reader(TomlFile const& file, std::filesystem::path above) : m_file{file}, m_above{std::move(above)} {}

    Result<ModuleFiles> read() {
        ModuleFiles files;
        for (auto const& [key, node] : m_file.table()) {
            if (key == "user_modules") {
                auto const allowed = m_file.flag_of(node, "user_modules");
                if (!allowed) return allowed.error();
                if (!m_above.empty()) return m_file.fault(node, "user_modules", "belongs into " + m_above.string());
                files.user_modules = *allowed;
            } else if (key == "remember_minutes" || key == "remember_unused_minutes") {
                if (auto taken = remembering(files.remembering, key.str(), node); !taken) return taken.error();
            } else if (key == "module" && node.is_array_of_tables()) {
                for (auto const& entry : *node.as_array()) {
                    auto module = module_entry(*entry.as_table());
                    if (!module) return module.error();
                    files.modules.push_back(std::move(*module));
                }
            } else if (key == "module") {
                return m_file.fault(node, key.str(), "entries are needed: [[module]]");
            } else {
                return m_file.unknown_key(node, key.str(),
                                          {"user_modules", "remember_minutes", "remember_unused_minutes", "module"});
            }
        }
        return files;
    }

private:
    Result<void> remembering(Remembering& into, std::string_view key, toml::node const& node) const {
        bool const unused = key == "remember_unused_minutes";
        auto const minutes = unused ? m_file.number_of(node, key, 1, Remembering::most_unused_minutes)
                                    : m_file.number_of(node, key, 0, Remembering::most_minutes);
        if (!minutes) return minutes.error();
        (unused ? into.unused_minutes : into.minutes) = *minutes;
        return ok();
    }

    Result<ModuleConfig> module_entry(toml::table const& table) {
        ModuleConfig config;
        for (auto const& [key, node] : table) {
            auto taken = member(config, key.str(), node);
            if (!taken) return taken.error();
        }
        auto const said = [&](std::string_view key) -> toml::node const& { // the table, where it is not
            auto const* const node = table.get(key);
            return node == nullptr ? table : *node;
        };
        if (config.name.empty()) return m_file.fault(said("name"), "module.name", "missing");
        if (!config.path.is_absolute()) return m_file.fault(said("path"), "module.path", "an absolute path is needed");
        if (!config.storage.empty() && !is_token_storage(config.storage)) {
            return m_file.fault(said("storage"), "module.storage", "not a known storage name: " + token_storages());
        }
        return config;
    }

    Result<void> member(ModuleConfig& config, std::string_view key, toml::node const& node) {
        auto const full_key = "module." + std::string{key};
        if (key == "environment") return environment(config, node);
        if (key == "single_threaded") {
            auto const flag = m_file.flag_of(node, full_key);
            if (!flag) return flag.error();
            config.single_threaded = *flag;
            return ok();
        }
        if (key != "name" && key != "path" && key != "storage" && key != "family" && key != "allow") {
            return m_file.unknown_key(node, full_key,
                                      {"name", "path", "storage", "family", "environment", "single_threaded", "allow"});
        }
        auto const text = m_file.text_of(node, full_key);
        if (!text) return text.error();
        if (key == "name")
            config.name = *text;
        else if (key == "path")
            config.path = *text;
        else if (key == "storage")
            config.storage = *text;
        else if (key == "family")
            take_family(config, node, *text);
        else {
            config.allow = permit_of(*text);
            if (!config.allow) return m_file.fault(node, full_key, "can be one of: " + permit_words());
        }
        return ok();
    }

    /// Whether there is such a row is known only later.
    void take_family(ModuleConfig& config, toml::node const& node, std::string const& family) const {
        config.family = family;
        config.unknown_family = m_file.fault(node, "module.family", "no row of families.toml is called " + family);
    }

    Result<void> environment(ModuleConfig& config, toml::node const& node) {
        auto const* const table = node.as_table();
        if (table == nullptr) return m_file.fault(node, "module.environment", "a table is needed");
        for (auto const& [key, value] : *table) {
            auto const full_key = "module.environment." + std::string{key.str()};
            auto const text = m_file.text_of(value, full_key);
            if (!text) return text.error();
            if (steers_the_loader(key.str())) return m_file.fault(value, full_key, "decides what code is loaded");
            config.environment.emplace_back(key.str(), *text);
        }
        return ok();
    }

    TomlFile const& m_file;
    std::filesystem::path m_above;
};

Result<ModuleFiles> read_file(std::filesystem::path const& path, std::filesystem::path const& above = {}) {
    auto const file = TomlFile::read(path);
    if (!file) return file.error();
    return *file ? Reader{**file, above}.read() : ModuleFiles{};
}

} // namespace

void Remembering::narrow(Remembering const& other) {
    minutes = std::min(minutes.value_or(most_minutes), other.minutes.value_or(most_minutes));
    unused_minutes =
        std::min(unused_minutes.value_or(most_unused_minutes), other.unused_minutes.value_or(most_unused_minutes));
}

bool ModuleConfig::introduce(View atr, std::string const& reader, ipc::TokenInfo& info) const {
    auto const* row = families.find(family);
    if (row == nullptr) row = &families.classify({to_bytes(atr), reader, info.manufacturer, info.model});
    info.storage = storage.empty() ? row->storage : storage;
    info.family = row->id;
    info.family_name = row->name;
    info.unblocking = row->unblocking;
    info.remember_s = remembering.lifetime_s();
    info.remember_unused_s = remembering.unused_s();
    return !elsewhere.contains(row->id);
}

Result<ModuleFiles> read_module_files(std::filesystem::path const& system_file,
                                      std::filesystem::path const& user_file) {
    auto files = read_file(system_file);
    if (!files || !files->user_modules.value_or(true)) return files;
    auto own = read_file(user_file, system_file);
    if (!own) return own.error();
    files->remembering.narrow(own->remembering);
    for (auto& module : own->modules)
        files->modules.push_back(std::move(module));
    return files;
}

} // namespace tamga::pkcs11

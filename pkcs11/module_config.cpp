#include "pkcs11/module_config.hpp"

#include "base/messages.hpp"
#include "base/trusted_file.hpp"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <set>

namespace tamga::pkcs11 {

namespace {

constexpr std::array storages{"AKKaztokenStore",   "AKKZIDCardStore", "AKEToken72KStore",
                              "AKEToken5110Store", "AKJaCartaStore",  "AKAKEYStore"};

struct File {
    std::vector<ModuleConfig> modules;
    std::optional<bool> user_modules;
};

/// Reads one file; every method leaves the first thing it could not accept in `m_error`.
class Parser {
public:
    explicit Parser(std::filesystem::path const& path) : m_path{path} {}

    Result<File> parse(std::string_view text) {
        auto const parsed = toml::parse(text, m_path.string());
        if (!parsed) {
            auto const& error = parsed.error();
            return invalid("line " + std::to_string(error.source().begin.line), error.description());
        }
        File file;
        for (auto const& [key, node] : parsed.table()) {
            if (key == "user_modules" && node.is_boolean()) {
                file.user_modules = node.ref<bool>();
            } else if (key == "module" && node.is_array_of_tables()) {
                for (auto const& entry : *node.as_array()) {
                    auto parsed_module = module_entry(*entry.as_table());
                    if (!parsed_module) return parsed_module.error();
                    file.modules.push_back(std::move(*parsed_module));
                }
            } else {
                return invalid(key.str(), "unknown key or wrong type");
            }
        }
        return file;
    }

private:
    [[nodiscard]] Error invalid(std::string_view key, std::string_view why) const {
        return {Errc::config_invalid, m_path.string() + ": " + std::string{key} + ": " + std::string{why}};
    }

    Result<ModuleConfig> module_entry(toml::table const& table) const {
        ModuleConfig config;
        for (auto const& [key, node] : table) {
            auto const text = node.value_exact<std::string>();
            if (key == "name" && text)
                config.name = *text;
            else if (key == "path" && text)
                config.path = *text;
            else if (key == "storage" && text)
                config.storage = *text;
            else if (key == "single_threaded" && node.is_boolean())
                config.single_threaded = node.ref<bool>();
            else if (key == "environment" && node.is_table()) {
                if (auto read = environment(*node.as_table(), config); !read) return read.error();
            } else {
                return invalid("module." + std::string{key.str()}, "unknown key or wrong type");
            }
        }
        if (config.name.empty()) return invalid("module.name", "missing");
        if (!config.path.is_absolute()) return invalid("module.path", "an absolute path is needed");
        if (std::find(storages.begin(), storages.end(), config.storage) == storages.end()) {
            return invalid("module.storage", "not a known storage name");
        }
        return config;
    }

    Result<void> environment(toml::table const& table, ModuleConfig& config) const {
        for (auto const& [key, node] : table) {
            auto const text = node.value_exact<std::string>();
            if (!text) return invalid("module.environment." + std::string{key.str()}, "text is needed");
            if (steers_the_loader(key.str())) {
                return invalid("module.environment." + std::string{key.str()}, "decides what code is loaded");
            }
            config.environment.emplace_back(key.str(), *text);
        }
        return ok();
    }

    /// Variables by which the environment, not modules.toml, would choose libraries: ld.so(8), iconv, OpenSSL.
    static bool steers_the_loader(std::string_view name) {
        static std::set<std::string_view> const names{"PATH",         "GCONV_PATH",      "LOCPATH",
                                                      "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES"};
        return name.empty() || name.find('=') != name.npos || name.starts_with("LD_") || name.starts_with("GLIBC_") ||
               names.contains(name);
    }

    std::filesystem::path m_path;
};

Result<File> read_file(std::filesystem::path const& path) {
    std::error_code failure;
    if (!std::filesystem::exists(path, failure) && !failure) return File{};
    auto const text = read_trusted_file(path);
    if (!text) return text.error();
    return Parser{path}.parse(*text);
}

} // namespace

Result<std::vector<ModuleConfig>> read_modules(std::filesystem::path const& system_file,
                                               std::filesystem::path const& user_file) {
    auto file = read_file(system_file);
    if (!file) return file.error();
    auto modules = std::move(file->modules);
    if (file->user_modules.value_or(true)) {
        auto const own = read_file(user_file);
        if (!own) return own.error();
        if (own->user_modules) {
            return Error{Errc::config_invalid,
                         user_file.string() + ": user_modules: belongs into " + system_file.string()};
        }
        modules.insert(modules.end(), own->modules.begin(), own->modules.end());
    }
    if (modules.size() > ipc::max_modules) return Error{Errc::config_invalid, "more than 64 modules"};
    return modules;
}

Result<std::vector<ModuleConfig>> read_modules() {
    std::filesystem::path folder;
    if (char const* configured = std::getenv("XDG_CONFIG_HOME"); configured != nullptr && *configured == '/') {
        folder = configured;
    } else if (char const* home = std::getenv("HOME"); home != nullptr && *home == '/') {
        folder = std::filesystem::path{home} / ".config";
    } else {
        return Error{Errc::config_invalid, "neither XDG_CONFIG_HOME nor HOME is set"};
    }
    return read_modules("/etc/tamga/modules.toml", folder / "tamga" / "modules.toml");
}

} // namespace tamga::pkcs11

// modules.toml: which PKCS#11 modules exist on this computer. The only place a module's path can come from.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace tamga::pkcs11 {

struct ModuleConfig {
    std::string name;           ///< for the log
    std::filesystem::path path; ///< of the shared library, absolute; judged when it is loaded
    std::string storage;        ///< one of NCALayer's storage names, such as AKKaztokenStore
    std::vector<std::pair<std::string, std::string>> environment; ///< set before the library is loaded
    bool single_threaded = false; ///< not to be called by two threads at once, whatever C_Initialize says
};

/// The modules of `system_file`, then those of `user_file` unless the former says `user_modules = false`, which the
/// latter may not. A file that does not exist has none. Blocking. Errors: file_untrusted (base/trusted_file.hpp),
/// config_invalid with file and key.
Result<std::vector<ModuleConfig>> read_modules(std::filesystem::path const& system_file,
                                               std::filesystem::path const& user_file);

/// The same with /etc/tamga/modules.toml and $XDG_CONFIG_HOME/tamga/modules.toml (default ~/.config/tamga).
Result<std::vector<ModuleConfig>> read_modules();

} // namespace tamga::pkcs11

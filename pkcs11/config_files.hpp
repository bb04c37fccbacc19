// Where the configuration of tamga-token lies.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <vector>

namespace tamga::pkcs11 {

struct ConfigFiles {
    std::filesystem::path computer_modules; ///< /etc/tamga/modules.toml
    std::filesystem::path person_modules;   ///< $XDG_CONFIG_HOME/tamga/modules.toml, mostly ~/.config/...
    std::filesystem::path shipped_families; ///< families.toml of the package
    std::filesystem::path computer_families;
    std::filesystem::path person_families;
    std::vector<std::filesystem::path> p11_kit; ///< folders of *.module files, the most important first
    std::filesystem::path p11_kit_libraries;    ///< what a relative path in such a file is relative to
};

/// For this process's environment. p11-kit's per-user folder is not among them.
/// Error: config_invalid, where neither XDG_CONFIG_HOME nor HOME is an absolute path.
Result<ConfigFiles> config_files();

} // namespace tamga::pkcs11

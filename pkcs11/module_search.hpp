// Which PKCS#11 modules this computer has. The only place a module's path can come from; no request of a page gets
// here.
#pragma once

#include "pkcs11/config_files.hpp"
#include "pkcs11/families.hpp"
#include "pkcs11/module_config.hpp"

namespace tamga::pkcs11 {

enum class Source : std::uint8_t { modules_toml, vendor, p11_kit, opensc };

/// A library that was looked at for a family, in the order of looking.
struct Candidate {
    std::string family;
    std::filesystem::path path;
    Source source{};
    std::string passed_over; ///< why; empty: this one it is
};

struct Modules {
    Families families;
    /// The modules of modules.toml, then those that were found, each once. The place here is the number of the process.
    std::vector<ModuleConfig> modules;
    std::vector<Candidate> candidates;
    /// Files of the person that do not count, because the computer's say `user_modules = false`.
    std::vector<std::filesystem::path> left_out;
    std::vector<Error> refused; ///< configuration of p11-kit that could not be taken
};

/// For each family the first of these that is there and may be trusted (base/trusted_file.hpp): a module that
/// modules.toml names for it, the vendor's paths, libraries of the same file names in p11-kit's module files, OpenSC. A
/// library that serves several families is one module. Looks at files, loads none. Blocking.
/// Errors: config_invalid with file, line and key, also beyond 64 modules; file_untrusted for a configuration file.
Result<Modules> find_modules(ConfigFiles const& files);

/// The library as it may be loaded (base/trusted_file.hpp), or why it cannot be, as far as its path and its first
/// octets tell: nothing is loaded for the answer. Blocking. Errors: system (not there), file_untrusted,
/// module_unloadable (not for this processor).
Result<std::filesystem::path> usable_library(std::filesystem::path const& library);

/// One line for the log about each candidate that is there and was refused, each refused file, and a missing table.
void log_refusals(Modules const& modules);

/// Everything `find_modules` looked at and what came of it, in English, for whoever helps somebody.
[[nodiscard]] std::string report(Modules const& modules);

/// Whether the library is OpenSC's: then OPENSC_CONF is ours.
[[nodiscard]] bool is_opensc(Families const& families, std::filesystem::path const& library);

} // namespace tamga::pkcs11

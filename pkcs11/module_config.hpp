// One PKCS#11 module of this computer, and modules.toml, which names modules explicitly. Which others there are follows
// from the table of families: module_search.hpp.
#pragma once

#include "pkcs11/families.hpp"
#include "pkcs11/sandbox.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tamga::pkcs11 {

/// How long a login may be remembered for a site, as far as configuration says: nothing longer than this is given.
struct Remembering {
    static constexpr std::int64_t most_minutes = 15;
    static constexpr std::int64_t most_unused_minutes = 5;
    std::optional<std::int64_t> minutes; ///< 0: never
    std::optional<std::int64_t> unused_minutes;

    [[nodiscard]] std::uint32_t lifetime_s() const noexcept {
        return static_cast<std::uint32_t>(60 * minutes.value_or(most_minutes));
    }
    [[nodiscard]] std::uint32_t unused_s() const noexcept {
        return static_cast<std::uint32_t>(60 * unused_minutes.value_or(most_unused_minutes));
    }
    /// The less of both.
    void narrow(Remembering const& other);
};

struct ModuleConfig {
    std::string name;           ///< for the log
    std::filesystem::path path; ///< of the shared library, absolute; judged when it is loaded
    std::string storage;        ///< a storage name for all its tokens; empty: each token's family decides
    std::string family;         ///< the row of families.toml that it is for; empty: whichever its tokens belong to
    Error unknown_family;       ///< what is said where there is no such row
    std::vector<std::pair<std::string, std::string>> environment; ///< set before the library is loaded
    bool single_threaded = false;    ///< not to be called by two threads at once, whatever C_Initialize says
    std::optional<Permit> allow;     ///< the one thing its sandbox leaves it
    std::set<std::string> elsewhere; ///< families whose tokens another module shows: here they are passed over
    Remembering remembering;         ///< of all modules; as the next
    Families families;               ///< the table; left empty in lists of modules
    std::optional<Error> fault;      ///< the configuration cannot be read: nothing is loaded, whoever asks gets this

    /// Writes what the table says of a token into `info`. @return false where another module shows it.
    [[nodiscard]] bool introduce(View atr, std::string const& reader, ipc::TokenInfo& info) const;
};

/// The modules of `system_file`, then those of `user_file` unless the former says `user_modules = false`, which the
/// latter may not. A file that does not exist has none.
struct ModuleFiles {
    std::vector<ModuleConfig> modules;
    /// Whether what the person configured counts, here and in families.toml; it does where nothing is said.
    std::optional<bool> user_modules;
    Remembering remembering; ///< the less of what both say
};

/// Blocking. Errors: file_untrusted (base/trusted_file.hpp), config_invalid with file, line and key.
Result<ModuleFiles> read_module_files(std::filesystem::path const& system_file, std::filesystem::path const& user_file);

} // namespace tamga::pkcs11

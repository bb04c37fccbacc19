// What p11-kit's module files say: where packages put PKCS#11 libraries. Only read; nothing of p11-kit is run.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tamga::pkcs11 {

struct P11KitEntry {
    std::filesystem::path file;    ///< the *.module file
    std::filesystem::path library; ///< its `module:`, absolute
};

struct P11KitEntries {
    std::vector<P11KitEntry> entries;
    std::vector<Error> refused; ///< files that could not be taken, each with its name and the reason
};

/// The entries of *.module in `folders`, by name; of two files with the same name the `module:` in the earlier folder
/// counts. A relative path is one in `libraries`. Other keys, `remote:` above all, mean nothing here. Blocking. Source:
/// pkcs11.conf(5).
P11KitEntries read_p11_kit(std::vector<std::filesystem::path> const& folders, std::filesystem::path const& libraries);

} // namespace tamga::pkcs11

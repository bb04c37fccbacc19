// families.toml: the table that is shipped, with what the computer and the person put above it.
#pragma once

#include "pkcs11/families.hpp"

namespace tamga::pkcs11 {

/// Reads the tables of `files`, the most important first; one that does not exist says nothing. Of two rows with the
/// same id the first counts, as a whole, and so does the first `other_storage` and `opensc`. Blocking.
/// Errors: config_invalid with file, line and key; file_untrusted (base/trusted_file.hpp).
Result<Families> read_families(std::vector<std::filesystem::path> const& files);

} // namespace tamga::pkcs11

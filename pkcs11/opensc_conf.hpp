// OpenSC's configuration as the table of families wants it: which driver takes a card that OpenSC does not know.
#pragma once

#include "base/unique_fd.hpp"
#include "pkcs11/families.hpp"

namespace tamga::pkcs11 {

/// An opensc.conf(5) that maps the ATRs of every row with an OpenSC driver to that driver, and says nothing else.
[[nodiscard]] std::string opensc_conf(Families const& families);

/// The same in a file without a name, which lives as long as the descriptor; OpenSC reads it anew at each C_Initialize
/// by the path that `path` is set to, for OPENSC_CONF. Error: system.
Result<UniqueFd> opensc_conf_file(Families const& families, std::string& path);

} // namespace tamga::pkcs11

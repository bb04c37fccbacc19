// The certificates that let browsers on this computer speak TLS with us: made for each user on first use, the
// authority's key thrown away as soon as it has issued its one certificate. Used by tamga-web, which serves it, and by
// `tamga trust`, which tells browsers of the authority.
//
// On disk, in $XDG_STATE_HOME/tamga/tls: one folder a generation, ID/{ca.pem,chain.pem,key.pem}, folders 0700 and files
// 0600. A generation appears whole or not at all.
#pragma once

#include "trust/certificates.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace tamga::trust {

/// Every authority of ours bears a nickname with this beginning in the browsers' stores.
inline constexpr std::string_view nickname_prefix = "Tamga local CA ";

struct Generation {
    std::string nickname;            ///< of its authority: nickname_prefix and 8 hexadecimal digits
    std::filesystem::path authority; ///< PEM
    std::filesystem::path chain;     ///< PEM: the server certificate, then its authority
    std::filesystem::path key;       ///< PEM, PKCS#8
    TimePoint valid_from;
    TimePoint valid_to;
};

struct LocalTls {
    Generation served;
    /// What browsers should trust now, the served one among them; any other authority of ours is to be removed.
    std::vector<Generation> trusted;
};

/// $XDG_STATE_HOME/tamga/tls, or ~/.local/state/tamga/tls. Error: config_invalid where neither variable is set.
Result<std::filesystem::path> tls_folder();

/// The generations in `folder` that have not ended at `now`, oldest first; none where nothing was made yet. Changes
/// nothing. Error: system.
Result<std::vector<Generation>> load(std::filesystem::path const& folder, TimePoint now);

/// Makes what is missing: the first generation; 30 days before the newest one ends, another beside it, because a
/// running browser does not notice a new authority. The old one is served until the day before its end, then the new
/// one; an ended one is removed from disk. Blocking, some milliseconds; safe against another process doing the same
/// (flock). Errors: file_untrusted (the folder is another user's), system, internal (OpenSSL).
Result<LocalTls> load_or_create(std::filesystem::path const& folder, TimePoint now);

} // namespace tamga::trust

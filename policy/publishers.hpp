// Who may publish a catalogue, and for which state body: certificates that the administrator of this computer put
// there. The package brings none.
#pragma once

#include "policy/catalogue.hpp"
#include "signing/certificate.hpp"

#include <filesystem>
#include <vector>

namespace tamga::policy {

struct Publisher {
    std::string body;
    Names name; ///< of the body, as people are told it
    signing::Certificate certificate;
};

/// The folders that say what services there are: for publishers `publishers.d`, for catalogues `services.d`, below
/// each.
struct ServiceFolders {
    std::filesystem::path shipped;  ///< /usr/share/tamga
    std::filesystem::path computer; ///< /etc/tamga
    std::filesystem::path person;   ///< $XDG_CONFIG_HOME/tamga, mostly ~/.config/...; empty without a home
    std::filesystem::path memory;   ///< of what was seen: services/ in the state folder; empty without a home

    /// Where they lie for this process's environment.
    [[nodiscard]] static ServiceFolders here();
};

enum class UserCatalogues : bool { left_out, counted };

/// Every publisher in the files *.toml of publishers.d. A body may have several certificates. A file with a mistake, or
/// one that others could write, is left out whole, with a line in the log. Blocking.
[[nodiscard]] std::vector<Publisher> load_publishers(ServiceFolders const& folders, UserCatalogues user);

/// The files of `folder` whose name ends in `suffix`, sorted; none where it is not there. Blocking.
[[nodiscard]] std::vector<std::filesystem::path> files_in(std::filesystem::path const& folder, std::string_view suffix);

} // namespace tamga::policy

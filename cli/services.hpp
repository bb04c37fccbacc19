// `tamga services`: what the law's classification makes of a service, and which catalogues this computer has.
#pragma once

#include "base/text.hpp"
#include "policy/service_book.hpp"

#include <filesystem>
#include <ostream>
#include <string>

namespace tamga::cli {

struct ServiceSettings {
    Language language{};
    policy::ServiceFolders folders;
    policy::UserCatalogues user{};
    std::int64_t now = 0; ///< seconds since 1970
};

/// Explains the classification line by line. @return the exit code, 0.
int classify_service(Language language, policy::Criteria const& criteria, policy::Flags flags, policy::Channel channel,
                     std::ostream& out);

/// Every catalogue that is in effect with its services, then every file that was refused and why. Blocking; changes
/// nothing, least of all what tamga-web remembers. @return 0, or 1 where a file was refused.
int list_services(ServiceSettings const& settings, std::ostream& out);

/// One service, with its classification explained. @return 0, or 1 where it is in no catalogue that is in effect.
int show_service(ServiceSettings const& settings, std::string const& id, std::ostream& out);

/// What a file is worth here. @return 0, or 1 where it is refused.
int verify_catalogue(ServiceSettings const& settings, std::filesystem::path const& file, std::ostream& out);

/// A catalogue's head and a line for each of its services.
void describe(Language language, policy::Catalogue const& catalogue, std::ostream& out);

} // namespace tamga::cli

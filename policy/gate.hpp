// May this signature be asked for? The law's rule, applied to what catalogues say of a service: the person's legal
// signature is not taken for what does not need it, nor by a site that the service does not belong to. Pure functions.
#pragma once

#include "base/messages.hpp"
#include "policy/catalogue.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tamga::policy {

/// A service of a catalogue that is in effect.
struct KnownService {
    Service service;
    Classification classification;
    Names body;                  ///< who classified it
    std::string catalogue;       ///< id of the catalogue
    std::int64_t valid_from = 0; ///< of the catalogue, seconds since 1970; as the next
    std::int64_t valid_until = 0;
};
using KnownServices = std::vector<KnownService>;

/// Whether what names no service may go on.
enum class Unclassified : bool { shown, refused };

/// What a request that may go on brings to the window.
struct Passed {
    ipc::ServiceShown shown;
    std::vector<std::string> roles; ///< of which the signer's certificate has one; empty: any
};

/// When and where something is asked.
struct Asking {
    std::string_view origin; ///< as the browser sent it
    Language language{};
    std::int64_t now = 0; ///< seconds since 1970
};

/// A request for the service `id`. Errors: service_unknown; service_origin (the catalogue does not name this site for
/// it); eds_not_required (login and password are enough).
Result<Passed> judge_service(KnownServices const& known, std::string_view id, Asking const& asking);

/// A request in a protocol that has no word for services. Where the site has exactly one, it is taken for that.
/// Errors: service_unknown (none could be told, and such are refused), and those of judge_service.
Result<Passed> judge_unnamed(KnownServices const& known, Unclassified unclassified, Asking const& asking);

} // namespace tamga::policy

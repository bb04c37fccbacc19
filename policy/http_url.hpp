// An address of a service, as configuration names it.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace tamga::policy {

/// http://HOST[:PORT][/PATH]. No https: what is fetched (time-stamps, answers about revocation) is signed itself.
struct HttpUrl {
    std::string host; ///< a name or an IPv4 address
    std::string port; ///< digits
    std::string path; ///< begins with '/'

    /// As it stands in the Host field, and in front of the path for a proxy.
    [[nodiscard]] std::string authority() const { return port == "80" ? host : host + ':' + port; }
};

/// Letters, digits, '.' and '-' in the host; of the path printable ASCII. Error: config_invalid.
Result<HttpUrl> parse_http_url(std::string_view text);

} // namespace tamga::policy

// What tamga-web is configured to do: tamga.toml of the computer (/etc/tamga) and of the person, and the shipped list
// of portals. Read once, at start.
#pragma once

#include "policy/http_url.hpp"
#include "policy/origin.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace tamga::policy {

struct WebConfig {
    OriginRules origins;
    std::uint64_t frame_bytes = 256ULL << 20;    ///< a message over this is answered by close code 1009
    std::uint64_t buffered_bytes = 512ULL << 20; ///< all frames being received together; beyond it sockets wait
    std::uint32_t prompt_seconds = 120;          ///< how long a window waits for the person

    HttpUrl timestamp_url{"tsp.pki.gov.kz", "80", "/"};
    std::optional<std::string> timestamp_policy; ///< dotted; empty: none is asked for. Absent: by the kind of key
    std::uint32_t timestamp_seconds = 20;        ///< for all stamps of a request

    bool strict_certificates = false; ///< what is not known of a certificate keeps it from being used
    bool user_authorities = true;     ///< the person's own trusted issuers count
    HttpUrl ocsp_url{"ocsp.pki.gov.kz", "80", "/"};
    std::vector<HttpUrl> crl_urls{{"crl.pki.gov.kz", "80", "/nca_gost_2022.crl"},
                                  {"crl.pki.gov.kz", "80", "/nca_rsa_2022.crl"}};
    bool strict_services = false;          ///< a request whose service is not known is refused
    bool user_catalogues = true;           ///< the person's own publishers and catalogues of services count
    std::int64_t journal_entries = 10'000; ///< how many uses of keys are kept; 0: none
    std::int64_t grant_days = 365;         ///< a site that has not used its permission for so long is asked about again
    std::set<std::string> key_origins;     ///< sites that may manage keys: the computer's file alone can name any
    /// Dotted identifiers for the NCA's key-store extension, by storage ("AKKaztokenStore"): those for tokens were
    /// never published. A storage without one gets no such extension.
    std::map<std::string, std::string> key_stores;
    std::optional<HttpUrl> proxy; ///< for all of these; what the environment says of proxies is not heeded
};

struct ConfigFiles {
    std::filesystem::path shipped;  ///< origins.toml of the package
    std::filesystem::path computer; ///< /etc/tamga/tamga.toml
    std::filesystem::path person;   ///< $XDG_CONFIG_HOME/tamga/tamga.toml, mostly ~/.config/...; empty without a home
};

/// Where the files lie on this computer for this process's environment.
[[nodiscard]] ConfigFiles config_files();

/// Reads what is there of the three; a missing file says nothing. The person's file can narrow what the computer's
/// says, never widen it: `strict` and `deny` add up, limits are the smaller ones, a `development` of the computer is
/// final, `keys.allow` (which a file of root's alone may have), `user_origins = false`, `certificates.user_authorities
/// = false` and `services.user_catalogues = false`, which may stand only there, leave the person's out, and an address
/// that the computer names is the one. Blocking. Errors: config_invalid (names file and key), file_untrusted, system,
/// too_large (over 1 MiB).
Result<WebConfig> load_web_config(ConfigFiles const& files);

} // namespace tamga::policy

// What tamga-web is configured to do: tamga.toml of the computer (/etc/tamga) and of the person, and the shipped list
// of portals. Read once, at start.
#pragma once

#include "policy/origin.hpp"

#include <filesystem>

namespace tamga::policy {

struct WebConfig {
    OriginRules origins;
    std::uint64_t frame_bytes = 256ULL << 20;    ///< a message over this is answered by close code 1009
    std::uint64_t buffered_bytes = 512ULL << 20; ///< all frames being received together; beyond it sockets wait
    std::uint32_t prompt_seconds = 120;          ///< how long a window waits for the person
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
/// final, and `user_origins = false`, which may stand only there, leaves the person's `allow` out. Blocking. Errors:
/// config_invalid (names file and key), file_untrusted, system, too_large (over 1 MiB).
Result<WebConfig> load_web_config(ConfigFiles const& files);

} // namespace tamga::policy

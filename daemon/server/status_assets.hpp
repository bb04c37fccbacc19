// The files of the status page, as they lie in daemon/server/status/: linked into the program. Private to
// daemon/server.
#pragma once

#include <span>
#include <string_view>

namespace tamga::daemon::status_assets {

struct File {
    std::string_view name;
    std::string_view type;
    std::string_view octets;
};

[[nodiscard]] std::span<File const> all();

// Of the pictures, so that the text does not jump when they come. A test compares them with the files.
inline constexpr std::string_view chromium_size = R"( width="445" height="204")";
inline constexpr std::string_view firefox_size = R"( width="416" height="157")";

} // namespace tamga::daemon::status_assets

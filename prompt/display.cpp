#include "prompt/display.hpp"

#include "base/unique_fd.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <xcb/xcb.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace tamga::prompt {

namespace {

struct Disconnect {
    void operator()(::xcb_connection_t* connection) const noexcept { ::xcb_disconnect(connection); }
};

bool x_answers() {
    if (std::getenv("DISPLAY") == nullptr) return false;
    std::unique_ptr<::xcb_connection_t, Disconnect> const connection{::xcb_connect(nullptr, nullptr)};
    return ::xcb_connection_has_error(connection.get()) == 0;
}

bool wayland_answers() {
    char const* display = std::getenv("WAYLAND_DISPLAY");
    char const* folder = std::getenv("XDG_RUNTIME_DIR");
    if (display == nullptr || *display == '\0') return false;
    std::string path{display};
    if (path.front() != '/') path = std::string{folder != nullptr ? folder : ""} + '/' + path;
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd const fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return ::connect(fd.get(), reinterpret_cast<::sockaddr const*>(&address), sizeof address) == 0;
}

} // namespace

void keep_to_this_screen() {
    char const* platform = std::getenv("QT_QPA_PLATFORM");
    if (platform == nullptr) return;
    constexpr std::array<std::string_view, 4> here{"xcb", "wayland", "wayland-egl", "offscreen"};
    if (std::find(here.begin(), here.end(), platform) == here.end()) ::unsetenv("QT_QPA_PLATFORM");
}

bool display_answers() {
    char const* platform = std::getenv("QT_QPA_PLATFORM");
    if (platform != nullptr && std::string_view{platform} == "offscreen") return true;
    return x_answers() || wayland_answers();
}

} // namespace tamga::prompt

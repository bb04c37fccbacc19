#include "net/sock_diag.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace tamga::net {

namespace {

namespace fs = std::filesystem;

bool holds(fs::path const& process, std::string const& socket) {
    std::error_code hidden; // another user's process, or one that just ended: has nothing for us
    for (auto it = fs::directory_iterator{process / "fd", hidden}; !hidden && it != fs::directory_iterator{};
         it.increment(hidden)) {
        std::error_code closed;
        if (fs::read_symlink(it->path(), closed) == socket) return true;
    }
    return false;
}

} // namespace

std::optional<pid_t> holder_of(std::uint32_t inode) {
    auto const socket = "socket:[" + std::to_string(inode) + "]";
    std::error_code failed;
    for (auto it = fs::directory_iterator{"/proc", failed}; !failed && it != fs::directory_iterator{};
         it.increment(failed)) {
        auto const pid = it->path().filename().string();
        auto const is_process = std::all_of(pid.begin(), pid.end(), [](unsigned char c) { return std::isdigit(c); });
        if (is_process && holds(it->path(), socket)) return static_cast<pid_t>(std::stol(pid));
    }
    return std::nullopt;
}

std::string socket_holder(std::uint32_t inode) {
    auto const holder = holder_of(inode);
    if (!holder) return {};
    auto const pid = std::to_string(*holder);
    std::error_code unreadable;
    auto const name = fs::read_symlink(fs::path{"/proc"} / pid / "exe", unreadable).filename().string();
    return name + " (pid " + pid + ")";
}

} // namespace tamga::net

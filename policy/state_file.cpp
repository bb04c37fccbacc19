#include "policy/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

namespace tamga::policy {

namespace {

Result<void> write_all(int file, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("write", errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok();
}

} // namespace

std::filesystem::path state_folder() {
    if (char const* folder = std::getenv("XDG_STATE_HOME"); folder != nullptr && *folder == '/')
        return std::filesystem::path{folder} / "tamga";
    char const* home = std::getenv("HOME");
    return home == nullptr || *home != '/' ? std::filesystem::path{}
                                           : std::filesystem::path{home} / ".local/state/tamga";
}

Result<void> replace_file(std::filesystem::path const& path, std::string_view text) {
    auto const fresh = path.string() + ".new";
    ::unlink(fresh.c_str()); // left by a crash
    UniqueFd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return system_error(fresh, errno);
    if (::fchmod(file.get(), 0600) != 0) return system_error(fresh, errno);
    if (auto written = write_all(file.get(), text); !written) return written.error();
    if (::fsync(file.get()) != 0) return system_error(fresh, errno);
    if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error(path.string(), errno);
    UniqueFd const folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) return system_error(path.parent_path().string(), errno);
    return ok();
}

Result<UniqueFd> lock_folder(std::filesystem::path const& folder) {
    UniqueFd locked{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!locked) return system_error(folder.string(), errno);
    while (::flock(locked.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return system_error(folder.string(), errno);
    }
    return locked;
}

Result<void> make_private_folder(std::filesystem::path const& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder.parent_path(), failure);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error(folder.string(), errno);
    UniqueFd const made{
        ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}; // its mode by name we may not change
    if (!made || ::fchmod(made.get(), 0700) != 0) return system_error(folder.string(), errno);
    return ok();
}

} // namespace tamga::policy

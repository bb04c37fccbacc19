#include "base/trusted_file.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>

namespace tamga {

namespace {

/// Whether whoever may write as the group may be somebody else: the group is neither root's nor one that is this
/// person's alone (of the same number, as Debian makes them), or there is an access list, of whose names these bits are
/// the mask (acl(5)).
bool may_be_of_others(std::filesystem::path const& component, struct stat const& info) {
    bool const own_group = info.st_gid == ::getegid() && ::getegid() == ::geteuid();
    if (info.st_gid != 0 && !own_group) return true;
    return ::lgetxattr(component.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

Result<void> judge(std::filesystem::path const& component) {
    struct stat info {};
    if (::lstat(component.c_str(), &info) != 0) return system_error(component.string(), errno);
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
        return Error{Errc::file_untrusted, component.string() + " belongs to uid " + std::to_string(info.st_uid)};
    }
    // In a sticky folder (/tmp) others may add entries but neither rename nor remove ours, and each entry on the way is
    // judged by its owner: nobody can slip another file in.
    bool const sticky_folder = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
    bool const others_write =
        (info.st_mode & S_IWOTH) != 0 || ((info.st_mode & S_IWGRP) != 0 && may_be_of_others(component, info));
    if (others_write && !sticky_folder) {
        return Error{Errc::file_untrusted, component.string() + " is writable by others"};
    }
    return ok();
}

} // namespace

Result<std::filesystem::path> trusted_path(std::filesystem::path const& path) {
    std::error_code failure;
    auto const canonical = std::filesystem::canonical(path, failure);
    if (failure) return Error{Errc::system, path.string() + ": " + failure.message()};
    std::filesystem::path walked;
    for (auto const& component : canonical) {
        walked /= component;
        if (auto judged = judge(walked); !judged) return judged.error();
    }
    return canonical;
}

Result<std::string> read_trusted_file(std::filesystem::path const& path, std::size_t limit) {
    auto const trusted = trusted_path(path);
    if (!trusted) return trusted.error();
    UniqueFd const file{::open(trusted->c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    if (!file) return system_error(trusted->string(), errno);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return system_error(trusted->string(), errno);
    if (!S_ISREG(info.st_mode)) return Error{Errc::file_untrusted, trusted->string() + " is no regular file"};
    std::string content;
    char buffer[65536];
    while (true) {
        auto const got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(trusted->string(), errno);
        if (got == 0) return content;
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > limit) return Error{Errc::too_large, trusted->string()};
    }
}

} // namespace tamga

#include "base/trusted_file.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace tamga {

namespace {

constexpr std::string_view mended_by = "; mend it with: ";

std::string octal(::mode_t mode) {
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%04o", static_cast<unsigned>(mode & 07777U));
    return digits.data();
}

/// For a shell: paths of people have blanks and quotes in them.
std::string quoted(std::string const& path) {
    auto const plain = path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") ==
                       std::string::npos;
    if (plain) return path;
    std::string text = "'";
    for (char const c : path)
        text += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return text + '\'';
}

/// acl(5): the bits of the group are then the mask of everybody whom the list names.
bool has_access_list(std::filesystem::path const& component) {
    return ::lgetxattr(component.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

/// Neither root's nor one that is this person's alone (of the same number, as Debian makes them).
bool is_foreign_group(::gid_t gid) {
    return gid != 0 && !(gid == ::getegid() && ::getegid() == ::geteuid());
}

Error fault(std::filesystem::path const& component, std::string why, std::string const& command) {
    FileFault const fault{component.string(), std::move(why), command + ' ' + quoted(component.string())};
    return {Errc::file_untrusted, fault.detail()};
}

/// It should be of whoever has the folder, of whom root and this person alone are possible.
Error foreign_owner(std::filesystem::path const& component, struct stat const& info) {
    struct stat folder {};
    bool const ours = ::lstat(component.parent_path().c_str(), &folder) == 0 && folder.st_uid == ::geteuid();
    return fault(component, "it belongs to uid " + std::to_string(info.st_uid),
                 "chown " + std::to_string(ours ? ::geteuid() : 0));
}

Result<void> judge(std::filesystem::path const& component) {
    struct stat info {};
    if (::lstat(component.c_str(), &info) != 0) return system_error(component.string(), errno);
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
        return foreign_owner(component, info);
    }
    // In a sticky folder (/tmp) others may add entries but neither rename nor remove ours, and each entry on the way is
    // judged by its owner: nobody can slip another file in.
    bool const sticky_folder = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
    if (sticky_folder) return ok();
    std::string const what = S_ISDIR(info.st_mode) ? "the folder" : "the file";
    auto const mode = " (mode " + octal(info.st_mode) + ')';
    if ((info.st_mode & S_IWOTH) != 0) return fault(component, "everybody can write to " + what + mode, "chmod go-w");
    if ((info.st_mode & S_IWGRP) == 0) return ok();
    if (has_access_list(component))
        return fault(component, "those whom its access list names can write to " + what + mode, "setfacl -b");
    if (is_foreign_group(info.st_gid))
        return fault(component, "the group of gid " + std::to_string(info.st_gid) + " can write to " + what + mode,
                     "chmod g-w");
    return ok();
}

} // namespace

std::string FileFault::detail() const {
    return path + ": " + why + (command.empty() ? "" : std::string{mended_by} + command);
}

FileFault FileFault::from(std::string_view detail) {
    FileFault fault;
    if (auto const at = detail.find(mended_by); at != std::string_view::npos) {
        fault.command = detail.substr(at + mended_by.size());
        detail = detail.substr(0, at);
    }
    auto const at = detail.rfind(": ");
    fault.path = detail.substr(0, at);
    if (at != std::string_view::npos) fault.why = detail.substr(at + 2);
    return fault;
}

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
    if (!S_ISREG(info.st_mode))
        return Error{Errc::file_untrusted, FileFault{trusted->string(), "it is no regular file", {}}.detail()};
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

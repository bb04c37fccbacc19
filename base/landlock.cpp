#include "base/landlock.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace tamga::sandbox {

namespace {

using Rights = std::uint64_t;

constexpr Rights reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr Rights writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                           LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr Rights nobody_needs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr Rights devices = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
/// What a rule for a file that is no folder may carry.
constexpr Rights of_a_file = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;

/// The set of rules; none where the kernel has no Landlock or was started without it.
Result<UniqueFd> ruleset(Rights handled) {
    ::landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = handled;
    auto const made = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0);
    if (made >= 0) return UniqueFd{static_cast<int>(made)};
    if (errno == ENOSYS || errno == EOPNOTSUPP) return UniqueFd{};
    return system_error("landlock_create_ruleset", errno);
}

Result<void> allow(UniqueFd const& rules, std::filesystem::path const& path, Rights rights) {
    UniqueFd const place{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    if (!place)
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? ok() : system_error(path.string(), errno);
    struct stat info {};
    if (::fstat(place.get(), &info) != 0) return system_error(path.string(), errno);
    ::landlock_path_beneath_attr beneath{};
    beneath.allowed_access = S_ISDIR(info.st_mode) ? rights : rights & of_a_file;
    beneath.parent_fd = place.get();
    if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0) return ok();
    return system_error(path.string(), errno);
}

Result<void> restrict_self(UniqueFd const& rules) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("PR_SET_NO_NEW_PRIVS", errno);
    if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0) return ok();
    return system_error("landlock_restrict_self", errno);
}

} // namespace

Result<bool> keep_only(Paths const& paths) {
    auto rules = ruleset(reading | writing | nobody_needs | devices);
    if (!rules) return rules.error();
    if (!*rules) return false;
    for (auto const& path : paths.readable) {
        if (auto allowed = allow(*rules, path, reading); !allowed) return allowed.error();
    }
    for (auto const& path : paths.writable) {
        if (auto allowed = allow(*rules, path, reading | writing); !allowed) return allowed.error();
    }
    if (auto restricted = restrict_self(*rules); !restricted) return restricted.error();
    return true;
}

Result<bool> stay_out_of_processes() {
    // A domain has to refuse something; the rest comes with being in one.
    auto rules = ruleset(devices);
    if (!rules) return rules.error();
    if (!*rules) return false;
    if (auto restricted = restrict_self(*rules); !restricted) return restricted.error();
    return true;
}

} // namespace tamga::sandbox

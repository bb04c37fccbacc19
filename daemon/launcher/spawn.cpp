#include "daemon/launcher/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

namespace tamga::launcher {

namespace {

constexpr int control_fd = 3;

struct FileActions {
    ::posix_spawn_file_actions_t actions{};
    FileActions() { ::posix_spawn_file_actions_init(&actions); }
    FileActions(FileActions const&) = delete;
    FileActions& operator=(FileActions const&) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
};

struct Attributes {
    ::posix_spawnattr_t attributes{};
    Attributes() { ::posix_spawnattr_init(&attributes); }
    Attributes(Attributes const&) = delete;
    Attributes& operator=(Attributes const&) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&attributes); }
};

bool allowed(std::string_view name, std::span<std::string_view const> names) {
    for (auto const pattern : names) {
        if (pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern) {
            return true;
        }
    }
    return false;
}

std::vector<char*> pointers_to(std::vector<std::string> const& strings) {
    std::vector<char*> pointers;
    for (auto const& string : strings)
        pointers.push_back(const_cast<char*>(string.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

/// Signals as a program expects them: we block some, and whoever started us may have ignored others.
void reset_signals(::posix_spawnattr_t& attributes) {
    ::sigset_t none;
    ::sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
}

} // namespace

void append_allowed(Environment& environment, std::span<std::string_view const> names) {
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        std::string_view const entry{*variable};
        if (allowed(entry.substr(0, entry.find('=')), names)) environment.emplace_back(entry);
    }
}

Result<Started> spawn(std::filesystem::path const& program, std::vector<std::string> arguments,
                      Environment const& environment) {
    auto pair = ipc::make_pair();
    if (!pair) return pair.error();

    FileActions files;
    ::posix_spawn_file_actions_addopen(&files.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files.actions, pair->second.fd(), control_fd);
    ::posix_spawn_file_actions_addclosefrom_np(&files.actions, control_fd + 1);
    Attributes attributes;
    reset_signals(attributes.attributes);
    ::posix_spawnattr_setflags(&attributes.attributes,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    arguments.insert(arguments.begin(), program.filename().string());
    Started started;
    auto const failure = ::posix_spawn(&started.pid, program.c_str(), &files.actions, &attributes.attributes,
                                       pointers_to(arguments).data(), pointers_to(environment).data());
    if (failure != 0) return system_error(program.string(), failure);
    started.control = std::move(pair->first);
    return started;
}

} // namespace tamga::launcher

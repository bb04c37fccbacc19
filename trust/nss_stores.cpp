#include "trust/nss_stores.hpp"

#include "base/unique_fd.hpp"
#include "trust/local_ca.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace tamga::trust {

namespace {

namespace fs = std::filesystem;

/// Firefox's own, since 147 and before, of a package, a snap and a flatpak.
constexpr std::array firefox_roots{".mozilla/firefox",
                                   ".config/mozilla/firefox",
                                   "snap/firefox/common/.mozilla/firefox",
                                   "snap/firefox/common/.config/mozilla/firefox",
                                   ".var/app/org.mozilla.firefox/.mozilla/firefox",
                                   ".var/app/org.mozilla.firefox/config/mozilla/firefox"};

std::string_view trimmed(std::string_view text) {
    auto const first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The profile folders that `root`/profiles.ini names in its [Profile...] sections and that exist.
std::vector<fs::path> firefox_profiles(fs::path const& root) {
    std::vector<fs::path> profiles;
    std::ifstream file{root / "profiles.ini"};
    auto in_profile = false;
    for (std::string line; std::getline(file, line);) {
        auto const text = trimmed(line);
        if (text.starts_with('[')) in_profile = text.starts_with("[Profile");
        if (!in_profile || !text.starts_with("Path=")) continue;
        auto const path = root / text.substr(5); // an absolute one (IsRelative=0) replaces the root
        std::error_code failed;
        if (fs::is_directory(path, failed)) profiles.push_back(path);
    }
    return profiles;
}

/// The path as certutil takes it: the sql: prefix names the format that browsers use today.
std::string database(Store const& store) {
    return "sql:" + store.folder.string();
}

std::string read_all(int fd) {
    std::string output;
    std::array<char, 4096> buffer{};
    while (true) {
        auto const size = ::read(fd, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return output;
        output.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

/// Makes the folder and those missing above it, 0700 whatever the umask.
Result<void> make_folders(fs::path const& folder) {
    std::error_code failed;
    if (fs::is_directory(folder, failed)) return ok();
    if (auto const made = make_folders(folder.parent_path()); !made) return made.error();
    if (::mkdir(folder.c_str(), 0700) != 0 || ::chmod(folder.c_str(), 0700) != 0) {
        return system_error("mkdir " + folder.string(), errno);
    }
    return ok();
}

} // namespace

std::vector<Store> find_stores(fs::path const& home) {
    std::error_code failed;
    auto const own = home / ".pki/nssdb";
    auto const shared = home / ".local/share/pki/nssdb";
    auto const use_shared = !fs::exists(own, failed) && fs::exists(shared, failed);
    std::vector<Store> stores{{Browser::chromium, use_shared ? shared : own}};
    // What a snap or a flatpak takes for ~/.pki, where the program was started once.
    for (char const* sandbox :
         {"snap/chromium/current", ".var/app/org.chromium.Chromium", ".var/app/com.google.Chrome"}) {
        if (fs::is_directory(home / sandbox, failed))
            stores.push_back({Browser::chromium, home / sandbox / ".pki/nssdb"});
    }
    for (char const* root : firefox_roots) {
        for (auto& profile : firefox_profiles(home / root))
            stores.push_back({Browser::firefox, std::move(profile)});
    }
    return stores;
}

Result<Certutil> Certutil::find(fs::path program) {
    if (::access(program.c_str(), X_OK) != 0) return system_error(program.string(), errno);
    return Certutil{std::move(program)};
}

Result<void> Certutil::create_missing(Store const& store) const {
    std::error_code failed;
    if (fs::exists(store.folder / "cert9.db", failed)) return ok();
    if (auto const made = make_folders(store.folder); !made) return made.error();
    auto const created = run(store, {"-N", "--empty-password"});
    if (!created) return created.error();
    for (auto const& entry : fs::directory_iterator{store.folder, failed}) {
        auto const name = entry.path().filename();
        if (name == "cert9.db" || name == "key4.db" || name == "pkcs11.txt") ::chmod(entry.path().c_str(), 0600);
    }
    return ok();
}

Result<std::vector<TrustedAuthority>> Certutil::list(Store const& store) const {
    std::vector<TrustedAuthority> found;
    std::error_code failed;
    if (!fs::exists(store.folder / "cert9.db", failed)) return found;
    auto const output = run(store, {"-L"});
    if (!output) return output.error();
    std::istringstream lines{*output};
    for (std::string line; std::getline(lines, line);) {
        // "NICKNAME     FLAGS": a nickname may hold blanks, the flags do not.
        auto const text = trimmed(line);
        auto const gap = text.rfind(' ');
        if (!text.starts_with(nickname_prefix) || gap == std::string_view::npos) continue;
        found.push_back({std::string{trimmed(text.substr(0, gap))}, std::string{text.substr(gap + 1)}});
    }
    return found;
}

Result<void> Certutil::add(Store const& store, std::string const& nickname, fs::path const& certificate) const {
    auto const added =
        run(store, {"-A", "-n", nickname, "-t", std::string{server_authority_flags}, "-a", "-i", certificate.string()});
    return added ? ok() : Result<void>{added.error()};
}

Result<void> Certutil::remove(Store const& store, std::string const& nickname) const {
    auto const removed = run(store, {"-D", "-n", nickname});
    return removed ? ok() : Result<void>{removed.error()};
}

Result<std::string> Certutil::run(Store const& store, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), m_program.filename().string());
    arguments.insert(arguments.end(), {"-d", database(store)});
    // An empty password file keeps certutil from asking on the terminal.
    if (arguments[1] != "-N") arguments.insert(arguments.end(), {"-f", "/dev/null"});
    std::vector<char*> pointers;
    for (auto& argument : arguments)
        pointers.push_back(argument.data());
    pointers.push_back(nullptr);

    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe", errno);
    UniqueFd const reading{ends[0]};
    UniqueFd writing{ends[1]};
    ::posix_spawn_file_actions_t files{};
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, writing.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, writing.get(), STDERR_FILENO);
    ::pid_t pid = 0;
    auto const failure = ::posix_spawn(&pid, m_program.c_str(), &files, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (failure != 0) return system_error(m_program.string(), failure);
    writing.reset();
    auto output = read_all(reading.get());
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        output.erase(output.find_last_not_of('\n') + 1); // the last line says why
        return Error{Errc::system, output.substr(output.rfind('\n') + 1)};
    }
    return output;
}

} // namespace tamga::trust

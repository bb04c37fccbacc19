#include "prompt/files.hpp"

#include "base/bytes.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace tamga::prompt {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_entries = 5000;

bool has_key_extension(fs::path const& path) {
    auto extension = path.extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return extension == ".p12" || extension == ".pfx";
}

Result<void> write_all(UniqueFd const& file, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("write", errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok();
}

/// In one step, so that nobody reads half a list.
Result<void> replace(fs::path const& path, std::string_view text) {
    std::error_code failure;
    fs::create_directories(path.parent_path(), failure);
    auto const next = path.string() + ".new";
    UniqueFd const file{::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return system_error("open", errno);
    if (auto written = write_all(file, text); !written) return written;
    if (::rename(next.c_str(), path.c_str()) != 0) return system_error("rename", errno);
    return ok();
}

} // namespace

std::vector<FolderEntry> entries_of(fs::path const& folder, FileUse use) {
    std::vector<FolderEntry> entries;
    std::error_code failure;
    for (fs::directory_iterator at{folder, fs::directory_options::skip_permission_denied, failure}, end;
         !failure && at != end && entries.size() < most_entries; at.increment(failure)) {
        if (at->path().filename().native().starts_with('.')) continue;
        std::error_code unreadable;
        bool const is_folder = at->is_directory(unreadable);
        if (!is_folder && !at->is_regular_file(unreadable)) continue;
        if (!is_folder && use == FileUse::key && !has_key_extension(at->path())) continue;
        auto const size = is_folder ? 0 : at->file_size(unreadable);
        entries.push_back({at->path(), is_folder, unreadable ? 0 : size});
    }
    std::ranges::sort(entries, {}, [](FolderEntry const& entry) { return std::pair{!entry.is_folder, entry.path}; });
    return entries;
}

fs::path home_folder() {
    char const* home = std::getenv("HOME");
    std::error_code failure;
    return home != nullptr && *home == '/' && fs::is_directory(home, failure) ? fs::path{home} : fs::path{"/"};
}

Result<UniqueFd> open_file(fs::path const& path) {
    // Not blocking: the name may stand for a pipe by now.
    UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return Error{Errc::file_not_found, "it is no file that can be read"};
    }
    return file;
}

bool looks_like_key_file(UniqueFd const& file) {
    std::array<unsigned char, 4096> start{};
    auto const got = ::pread(file.get(), start.data(), start.size(), 0);
    if (got < 16) return false;
    auto const text = as_text({start.data(), static_cast<std::size_t>(got)});
    if (text.find("PRIVATE KEY-----") != text.npos) return true;
    for (std::string_view const java : {"\xfe\xed\xfe\xed", "\xce\xce\xce\xce"}) {
        if (text.starts_with(java)) return true;
    }
    // PFX ::= SEQUENCE { version INTEGER {v3(3)}, ... }, its length in one of BER's forms.
    if (start[0] != 0x30) return false;
    std::size_t const head = start[1] > 0x80 && start[1] <= 0x84 ? 2U + (start[1] & 0x7fU) : 2U;
    return text.substr(head).starts_with("\x02\x01\x03\x30");
}

RecentFiles RecentFiles::load(fs::path file) {
    RecentFiles recent{std::move(file)};
    std::ifstream lines{recent.m_file};
    for (std::string line; recent.m_paths.size() < most && std::getline(lines, line);) {
        std::error_code failure;
        if (line.starts_with('/') && fs::is_regular_file(line, failure)) recent.m_paths.emplace_back(line);
    }
    return recent;
}

fs::path RecentFiles::default_path() {
    if (char const* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
        return fs::path{state} / "tamga/recent-key-files";
    }
    char const* home = std::getenv("HOME");
    return home != nullptr && *home == '/' ? fs::path{home} / ".local/state/tamga/recent-key-files" : fs::path{};
}

void RecentFiles::add(fs::path const& path) {
    if (path.native().find('\n') != std::string::npos) return; // the list has a line for each
    std::erase(m_paths, path);
    m_paths.insert(m_paths.begin(), path);
    if (m_paths.size() > most) m_paths.resize(most);
    write();
}

void RecentFiles::clear() {
    m_paths.clear();
    std::error_code failure;
    fs::remove(m_file, failure);
}

void RecentFiles::write() const {
    if (m_file.empty()) return;
    std::string text;
    for (auto const& path : m_paths)
        text += path.native() + '\n';
    if (auto written = replace(m_file, text); !written) {
        log::warning("recent_files", {{"detail", written.error().detail}});
    }
}

} // namespace tamga::prompt

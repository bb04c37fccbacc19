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

constexpr std::size_t most_looked_at = 1 << 20; ///< octets of a suspected key file

using namespace std::string_view_literals;

/// What follows the head of the outermost SEQUENCE.
constexpr std::array key_beginnings{
    "\x02\x01\x03\x30"sv, // PFX: version v3, a SEQUENCE (RFC 7292 section 4)
    "\x02\x01\x00\x30"sv, // PrivateKeyInfo: version v1, its algorithm (RFC 5208 section 5)
    "\x02\x01\x01\x30"sv, // OneAsymmetricKey: version v2 (RFC 5958 section 2)
    "\x02\x01\x00\x02"sv, // RSAPrivateKey: version two-prime, the modulus (RFC 8017 appendix A.1.2)
    "\x02\x01\x01\x04"sv, // ECPrivateKey: version 1, an OCTET STRING (RFC 5915 section 3)
};

/// Octets of a BER identifier and length.
std::size_t ber_head(std::string_view octets) {
    auto const length = static_cast<unsigned char>(octets[1]);
    return length > 0x80 && length <= 0x84 ? 2U + (length & 0x7fU) : 2U;
}

/// EncryptedPrivateKeyInfo (RFC 5208 section 6): its first element is an algorithm of PKCS #5 or of PKCS #12.
bool begins_with_password_encryption(std::string_view content) {
    if (content.size() < 16 || content[0] != '\x30') return false;
    auto const algorithm = content.substr(ber_head(content));
    return algorithm.starts_with("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"sv) ||
           algorithm.starts_with("\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01"sv);
}

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

namespace {

/// Removed again unless it has taken its place.
class NewFile {
public:
    explicit NewFile(std::filesystem::path const& beside)
        : m_path{beside.string() + ".XXXXXX"}, m_file{::mkostemp(m_path.data(), O_CLOEXEC)} {} // 0600
    NewFile(NewFile const&) = delete;
    NewFile& operator=(NewFile const&) = delete;
    ~NewFile() {
        if (m_file) ::unlink(m_path.c_str());
    }

    [[nodiscard]] bool write(View octets) const {
        if (!m_file) return false;
        while (!octets.empty()) {
            auto const written = ::write(m_file.get(), octets.data(), octets.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return false;
            octets = octets.subspan(static_cast<std::size_t>(written));
        }
        return ::fsync(m_file.get()) == 0;
    }
    /// Through a descriptor of its own, and to the end.
    [[nodiscard]] bool holds(View octets) const {
        UniqueFd const again{::open(m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
        Bytes read(octets.size() + 1);
        std::size_t size = 0;
        while (again && size < read.size()) {
            auto const got = ::read(again.get(), read.data() + size, read.size() - size);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            size += static_cast<std::size_t>(got);
        }
        return std::ranges::equal(View{read}.first(size), octets);
    }
    [[nodiscard]] bool take_place_of(std::filesystem::path const& path) {
        if (::rename(m_path.c_str(), path.c_str()) != 0) return false;
        m_file = UniqueFd{};
        UniqueFd const folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (folder) ::fsync(folder.get());
        return true;
    }

private:
    std::string m_path;
    UniqueFd m_file;
};

} // namespace

Result<void> replace_file(std::filesystem::path const& path, View octets) {
    std::error_code failure;
    auto const place = std::filesystem::canonical(path, failure);
    if (failure) return Error{Errc::system, "the file is gone"};
    NewFile file{place};
    if (!file.write(octets)) return system_error("writing a key file", errno);
    if (!file.holds(octets)) return Error{Errc::system, "a key file reads back as another"};
    return file.take_place_of(place) ? ok() : Result<void>{system_error("renaming a key file", errno)};
}

bool looks_like_key_file(UniqueFd const& file) {
    // In PEM the certificates of a whole chain may stand before the key.
    std::vector<unsigned char> start(most_looked_at);
    auto const got = ::pread(file.get(), start.data(), start.size(), 0);
    if (got < 16) return false;
    auto const text = as_text({start.data(), static_cast<std::size_t>(got)});
    if (text.find("PRIVATE KEY-----") != text.npos) return true;
    for (std::string_view const java : {"\xfe\xed\xfe\xed", "\xce\xce\xce\xce"}) {
        if (text.starts_with(java)) return true;
    }
    // All others are a SEQUENCE, its length in one of BER's forms.
    if (text[0] != '\x30') return false;
    auto const content = text.substr(ber_head(text));
    return std::ranges::any_of(key_beginnings, [&](std::string_view begin) { return content.starts_with(begin); }) ||
           begins_with_password_encryption(content);
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

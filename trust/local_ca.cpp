#include "trust/local_ca.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace tamga::trust {

namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using namespace std::chrono_literals;

constexpr auto lifetime = days{397} - 1s; // both ends count
constexpr auto clock_tolerance = 1h;
constexpr auto renewed_ahead = days{30};
constexpr auto last_day = days{1};
constexpr char const* names = "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:localhost";

using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

/// Creates `path` and what is missing above it, 0700 whatever the umask. What is there already must be ours.
Result<void> make_private_folder(fs::path const& path) {
    std::error_code failed;
    if (!fs::exists(path, failed)) {
        if (path.has_parent_path() && !fs::exists(path.parent_path(), failed)) {
            if (auto const made = make_private_folder(path.parent_path()); !made) return made.error();
        }
        if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("mkdir " + path.string(), errno);
        if (::chmod(path.c_str(), 0700) != 0) return system_error("chmod " + path.string(), errno);
    }
    struct ::stat status {};
    if (::stat(path.c_str(), &status) != 0) return system_error("stat " + path.string(), errno);
    if (status.st_uid != ::geteuid()) return Error{Errc::file_untrusted, path.string() + " is another user's"};
    return ok();
}

/// Writes a new file, 0600 whatever the umask, to the disk itself.
template <class Write>
Result<void> write_private(fs::path const& path, Write write) {
    UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!fd || ::fchmod(fd.get(), 0600) != 0) return system_error("create " + path.string(), errno);
    File file{::fdopen(fd.get(), "w"), &std::fclose};
    if (!file) return system_error("fdopen", errno);
    [[maybe_unused]] auto const owned_by_file = fd.release();
    if (!write(file.get()) || std::fflush(file.get()) != 0 || ::fsync(::fileno(file.get())) != 0) {
        return system_error("write " + path.string(), errno);
    }
    return ok();
}

Certificate read_certificate(fs::path const& path) {
    File const file{std::fopen(path.c_str(), "re"), &std::fclose};
    return Certificate{file ? ::PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr};
}

Key read_key(fs::path const& path) {
    File const file{std::fopen(path.c_str(), "re"), &std::fclose};
    return Key{file ? ::PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr};
}

TimePoint to_time_point(::ASN1_TIME const* time) {
    std::tm parts{};
    ::ASN1_TIME_to_tm(time, &parts);
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string common_name(::X509* certificate) {
    std::array<char, 64> name{};
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
    return name.data();
}

/// The generation in `folder`; nothing where its files are missing, unreadable or do not belong together.
std::optional<Generation> read_generation(fs::path const& folder) {
    Generation generation;
    generation.authority = folder / "ca.pem";
    generation.chain = folder / "chain.pem";
    generation.key = folder / "key.pem";
    auto const authority = read_certificate(generation.authority);
    auto const server = read_certificate(generation.chain);
    auto const key = read_key(generation.key);
    if (!authority || !server || !key || ::X509_check_private_key(server.get(), key.get()) != 1 ||
        ::X509_verify(server.get(), ::X509_get0_pubkey(authority.get())) != 1) {
        return std::nullopt;
    }
    generation.nickname = common_name(authority.get());
    if (!generation.nickname.starts_with(nickname_prefix)) return std::nullopt;
    generation.valid_from = to_time_point(::X509_get0_notBefore(server.get()));
    generation.valid_to = to_time_point(::X509_get0_notAfter(server.get()));
    return generation;
}

Result<void> write_generation(fs::path const& folder, Issued const& authority, Issued const& server) {
    auto done = write_private(
        folder / "ca.pem", [&](std::FILE* file) { return ::PEM_write_X509(file, authority.certificate.get()) == 1; });
    if (done) {
        done = write_private(folder / "chain.pem", [&](std::FILE* file) {
            return ::PEM_write_X509(file, server.certificate.get()) == 1 &&
                   ::PEM_write_X509(file, authority.certificate.get()) == 1;
        });
    }
    if (done) {
        done = write_private(folder / "key.pem", [&](std::FILE* file) {
            return ::PEM_write_PKCS8PrivateKey(file, server.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
        });
    }
    return done;
}

/// Makes an authority and its one certificate. The authority's key is gone when this returns.
Result<Generation> create_generation(fs::path const& folder, TimePoint now) {
    Validity const validity{now - clock_tolerance, now - clock_tolerance + lifetime};
    auto const authority = make_authority(validity);
    if (!authority) return authority.error();
    auto const server = make_server_certificate(*authority, names, validity);
    if (!server) return server.error();

    auto const nickname = common_name(authority->certificate.get());
    auto const place = folder / nickname.substr(nickname_prefix.size());
    auto const unfinished = folder / (place.filename().string() + ".new");
    if (auto const made = make_private_folder(unfinished); !made) return made.error();
    if (auto const written = write_generation(unfinished, *authority, *server); !written) return written.error();
    std::error_code failed;
    fs::rename(unfinished, place, failed);
    if (failed) return Error{Errc::system, "rename: " + failed.message()};
    auto generation = read_generation(place);
    if (!generation) return Error{Errc::internal, "the new certificates cannot be read back"};
    return std::move(*generation);
}

/// Removes whatever in `folder` is not one of `kept`: ended, unfinished and damaged generations.
void remove_others(fs::path const& folder, std::vector<Generation> const& kept) {
    std::error_code failed;
    for (auto const& entry : fs::directory_iterator{folder, failed}) {
        auto const is_kept = std::any_of(kept.begin(), kept.end(), [&](Generation const& generation) {
            return generation.authority.parent_path() == entry.path();
        });
        if (entry.is_directory() && !is_kept) fs::remove_all(entry.path(), failed);
    }
}

} // namespace

Result<fs::path> tls_folder() {
    char const* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') return fs::path{state} / "tamga/tls";
    char const* home = std::getenv("HOME");
    if (home != nullptr && *home == '/') return fs::path{home} / ".local/state/tamga/tls";
    return Error{Errc::config_invalid, "neither XDG_STATE_HOME nor HOME is set"};
}

Result<std::vector<Generation>> load(fs::path const& folder, TimePoint now) {
    std::vector<Generation> generations;
    std::error_code failed;
    if (!fs::exists(folder, failed)) return generations;
    for (auto const& entry : fs::directory_iterator{folder, failed}) {
        if (!entry.is_directory() || entry.path().extension() == ".new") continue;
        auto generation = read_generation(entry.path());
        if (generation && now < generation->valid_to) generations.push_back(std::move(*generation));
    }
    if (failed) return Error{Errc::system, folder.string() + ": " + failed.message()};
    std::sort(generations.begin(), generations.end(),
              [](Generation const& a, Generation const& b) { return a.valid_to < b.valid_to; });
    return generations;
}

Result<LocalTls> load_or_create(fs::path const& folder, TimePoint now) {
    if (auto const made = make_private_folder(folder); !made) return made.error();
    UniqueFd const lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!lock || ::fchmod(lock.get(), 0700) != 0 || ::flock(lock.get(), LOCK_EX) != 0) {
        return system_error("lock " + folder.string(), errno);
    }

    auto loaded = load(folder, now);
    if (!loaded) return loaded.error();
    LocalTls tls;
    tls.trusted = std::move(*loaded);
    remove_others(folder, tls.trusted);

    // One made while the clock was ahead is kept, but is of no use until its time comes.
    auto const lasts = [now](Generation const& generation, auto ahead) {
        return generation.valid_from <= now && now + ahead < generation.valid_to;
    };
    auto const fresh = std::any_of(tls.trusted.begin(), tls.trusted.end(),
                                   [&](Generation const& generation) { return lasts(generation, renewed_ahead); });
    if (!fresh) {
        auto created = create_generation(folder, now);
        if (!created) return created.error();
        tls.trusted.push_back(std::move(*created));
    }
    tls.served = *std::find_if(tls.trusted.begin(), tls.trusted.end(),
                               [&](Generation const& generation) { return lasts(generation, last_day); });
    return tls;
}

} // namespace tamga::trust

#include "pkcs11/wrong_tries.hpp"

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"

#include <openssl/sha.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace tamga::pkcs11 {

namespace {

constexpr std::uint32_t most_counted = 999;
constexpr std::size_t width = 4; ///< three digits and the mark of a lock: one write replaces all of it

/// The PIN cannot have reached the token, or was not what it refused.
bool was_not_judged(Errc code) {
    return code == Errc::token_absent || code == Errc::user_cancelled || code == Errc::pin_length ||
           code == Errc::pin_expired;
}

bool make_folder(std::filesystem::path const& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder.parent_path(), failure);
    return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST;
}

} // namespace

std::filesystem::path WrongTries::default_folder() {
    constexpr char const* name = "tamga/wrong-pins";
    if (char const* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
        return std::filesystem::path{state} / name;
    }
    char const* home = std::getenv("HOME");
    if (home == nullptr || *home != '/') return {};
    return std::filesystem::path{home} / ".local/state" / name;
}

/// Named by a digest: a serial number may hold any character. The model keeps the applets of one stick apart, which
/// share a serial number and have a PIN each; the label stands in where there is no serial number.
std::filesystem::path WrongTries::file_of(ipc::TokenInfo const& token) const {
    auto const who =
        (token.serial.empty() ? token.manufacturer + '\n' + token.label : token.serial) + '\n' + token.model;
    Bytes digest(SHA256_DIGEST_LENGTH);
    ::SHA256(as_view(who).data(), who.size(), digest.data());
    digest.resize(16);
    return m_folder / to_hex(digest);
}

WrongTries::Record WrongTries::read(ipc::TokenInfo const& token) const {
    if (m_folder.empty()) return {};
    UniqueFd const file{::open(file_of(token).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    std::array<char, width> text{};
    if (!file || ::read(file.get(), text.data(), text.size()) <= 0) return {};
    auto const digits = std::find_if(text.begin(), text.end(), [](char c) { return c != ' '; });
    Record record;
    auto const parsed = std::from_chars(digits, text.end(), record.count);
    if (parsed.ec != std::errc{}) return {};
    for (auto const lock : {Lock::remembered, Lock::shown}) {
        if (text.back() == static_cast<char>(lock)) record.lock = lock;
    }
    return record;
}

std::uint32_t WrongTries::seen(ipc::TokenInfo const& token) const {
    return read(token).count;
}

bool WrongTries::is_locked(ipc::TokenInfo const& token) const {
    auto const record = read(token);
    if (token.pin_locked) {
        if (record.lock == Lock::remembered) write(token, {record.count, Lock::shown});
        return true;
    }
    if (record.lock == Lock::none) return false;
    bool const some_remain = token.pin_count_low && !token.pin_final_try;
    if (record.lock != Lock::shown && !some_remain) return true;
    write(token, {});
    return false;
}

void WrongTries::begin(ipc::TokenInfo const& token) const {
    auto const before = read(token);
    write(token, {std::min(before.count + 1, most_counted), before.lock});
}

void WrongTries::end(ipc::TokenInfo const& token, Result<void> const& outcome) const {
    if (outcome) return write(token, {});
    auto record = read(token);
    auto const code = outcome.error().code;
    if (was_not_judged(code)) return write(token, {std::max(record.count, 1U) - 1, record.lock});
    bool const locks = code == Errc::pin_locked || (code == Errc::pin_incorrect && token.pin_final_try);
    if (!locks || record.lock != Lock::none) return;
    record.lock = Lock::remembered;
    write(token, record);
}

void WrongTries::write(ipc::TokenInfo const& token, Record record) const {
    if (m_folder.empty()) return;
    auto const file = file_of(token);
    if (record.count == 0 && record.lock == Lock::none) {
        ::unlink(file.c_str());
        return;
    }
    std::array<char, width + 1> text{};
    std::snprintf(text.data(), text.size(), "%3u%c", std::min(record.count, most_counted),
                  static_cast<char>(record.lock));
    auto const flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW; // not even a FIFO holds us up
    UniqueFd opened{::open(file.c_str(), flags, 0600)};
    if (!opened && errno == ENOENT && make_folder(m_folder)) opened = UniqueFd{::open(file.c_str(), flags, 0600)};
    if (opened && ::pwrite(opened.get(), text.data(), width, 0) == ssize_t{width}) return;
    log::warning("wrong_tries", {{"error", system_error("write", errno).detail}});
}

} // namespace tamga::pkcs11

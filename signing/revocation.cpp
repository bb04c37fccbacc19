#include "signing/revocation.hpp"

#include "base/trusted_file.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tamga::signing {

namespace {

constexpr std::size_t serial_octets = 20; ///< at most (RFC 5280, section 4.1.2.2)
constexpr std::size_t record_octets = serial_octets + 8;
constexpr std::size_t header_octets = 32;
constexpr std::string_view magic = "tamgacrl";

using Record = std::array<unsigned char, record_octets>;

void put(unsigned char* into, std::int64_t number) {
    for (std::size_t i = 0; i < 8; ++i)
        into[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * i));
}

std::int64_t number_at(unsigned char const* octets) {
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;)
        number = number << 8 | octets[i];
    return static_cast<std::int64_t>(number);
}

/// Padded in front, so that the order of octets is that of numbers. Nothing where it is too long to be one.
std::optional<Record> record_of(View serial, std::int64_t revoked_at) {
    while (!serial.empty() && serial[0] == 0)
        serial = serial.subspan(1);
    if (serial.size() > serial_octets) return std::nullopt;
    Record record{};
    std::ranges::copy(serial, record.begin() + (serial_octets - serial.size()));
    put(record.data() + serial_octets, revoked_at);
    return record;
}

bool same_serial(Record const& one, Record const& other) {
    return std::memcmp(one.data(), other.data(), serial_octets) == 0;
}

Bytes serial_of(Certificate const& certificate) {
    auto text = certificate.serial_number();
    if (text.size() % 2 != 0) text.insert(0, "0");
    Bytes octets;
    for (std::size_t i = 0; i < text.size(); i += 2)
        octets.push_back(static_cast<unsigned char>(std::stoul(text.substr(i, 2), nullptr, 16)));
    return octets;
}

std::string name_of(Certificate const& certificate, char const* extension) {
    return to_hex(certificate.fingerprint()) + extension;
}

std::int64_t end_of(std::int64_t this_update, std::int64_t next_update) {
    auto const end = next_update == 0 ? this_update + default_trust_s : next_update;
    return std::min(end, this_update + longest_trust_s);
}

/// Replaces the file in one step: the prompt may be reading it.
Result<void> replace_file(std::filesystem::path const& file, View octets) {
    std::error_code failure;
    std::filesystem::create_directories(file.parent_path(), failure);
    std::filesystem::permissions(file.parent_path(), std::filesystem::perms::owner_all, failure);
    auto const temporary = file.string() + "." + std::to_string(::getpid());
    UniqueFd const out{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!out) return system_error(temporary, errno);
    while (!octets.empty()) {
        auto const written = ::write(out.get(), octets.data(), octets.size());
        if (written <= 0) {
            auto const why = system_error(temporary, errno);
            ::unlink(temporary.c_str());
            return why;
        }
        octets = octets.subspan(static_cast<std::size_t>(written));
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0) return system_error(file.string(), errno);
    return ok();
}

RevocationStatus read_line(std::string const& line) {
    RevocationStatus status;
    std::array<char, 16> word{};
    long long revoked_at = 0;
    long long this_update = 0;
    long long next_update = 0;
    if (std::sscanf(line.c_str(), "%15s %lld %lld %lld", word.data(), &revoked_at, &this_update, &next_update) != 4) {
        return status;
    }
    std::string_view const state{word.data()};
    if (state == "good") status.state = Revocation::good;
    if (state == "revoked") status.state = Revocation::revoked;
    status.revoked_at = revoked_at;
    status.this_update = this_update;
    status.next_update = next_update;
    return status;
}

/// Looks one serial number up in the table of an issuer: some twenty reads of 28 octets.
RevocationStatus look_up(std::filesystem::path const& file, View serial) {
    RevocationStatus status;
    auto const trusted = trusted_path(file);
    UniqueFd const in{trusted ? ::open(trusted->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1};
    std::array<unsigned char, header_octets> header{};
    if (!in || ::pread(in.get(), header.data(), header.size(), 0) != static_cast<::ssize_t>(header.size()) ||
        !std::equal(magic.begin(), magic.end(), header.begin())) {
        return status;
    }
    auto const wanted = record_of(serial, 0);
    if (!wanted) return status;
    status.state = Revocation::good;
    status.this_update = number_at(header.data() + 8);
    status.next_update = number_at(header.data() + 16);
    std::int64_t low = 0;
    std::int64_t high = number_at(header.data() + 24);
    while (low < high) {
        auto const middle = low + (high - low) / 2;
        Record found{};
        auto const at = static_cast<::off_t>(header_octets) + middle * static_cast<::off_t>(record_octets);
        if (::pread(in.get(), found.data(), found.size(), at) != static_cast<::ssize_t>(found.size())) return {};
        auto const order = std::memcmp(found.data(), wanted->data(), serial_octets);
        if (order == 0) {
            status.state = Revocation::revoked;
            status.revoked_at = number_at(found.data() + serial_octets);
            return status;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return status;
}

RevocationStatus said_of(std::filesystem::path const& file) {
    auto const line = read_trusted_file(file, 1024);
    return line ? read_line(*line) : RevocationStatus{};
}

bool counts(RevocationStatus const& status, std::int64_t now) {
    return status.state != Revocation::unknown && now <= end_of(status.this_update, status.next_update);
}

/// Somebody between us and the authority may keep an answer and give it again, as long as it counts.
Error older() {
    return {Errc::timeout, "older than what is known"};
}

} // namespace

std::filesystem::path RevocationCache::default_folder() {
    char const* cache = std::getenv("XDG_CACHE_HOME");
    if (cache != nullptr && *cache == '/') return std::filesystem::path{cache} / "tamga/revocation";
    char const* home = std::getenv("HOME");
    if (home == nullptr || *home != '/') return {};
    return std::filesystem::path{home} / ".cache/tamga/revocation";
}

RevocationStatus RevocationCache::find(Certificate const& certificate, Certificate const* issuer,
                                       std::int64_t now) const {
    if (m_folder.empty()) return {};
    auto const said = said_of(m_folder / name_of(certificate, ".ocsp"));
    auto const listed =
        issuer == nullptr ? RevocationStatus{} : look_up(m_folder / name_of(*issuer, ".crl"), serial_of(certificate));
    bool const both_revoked = said.state == Revocation::revoked && listed.state == Revocation::revoked;
    if (both_revoked) return said.revoked_at <= listed.revoked_at ? said : listed;
    for (auto const& status : {said, listed}) {
        if (status.state == Revocation::revoked) return status;
    }
    if (counts(said, now)) return said;
    return counts(listed, now) ? listed : RevocationStatus{};
}

Result<void> RevocationCache::store(Certificate const& certificate, RevocationStatus const& status) const {
    if (m_folder.empty() || status.state == Revocation::unknown) return ok();
    auto const file = m_folder / name_of(certificate, ".ocsp");
    auto const known = said_of(file);
    bool const takes_back = known.state == Revocation::revoked && status.state == Revocation::good;
    if (known.state != Revocation::unknown &&
        (known.this_update > status.this_update || (takes_back && known.this_update == status.this_update))) {
        return older();
    }
    auto const line = std::string{status.state == Revocation::good ? "good" : "revoked"} + ' ' +
                      std::to_string(status.revoked_at) + ' ' + std::to_string(status.this_update) + ' ' +
                      std::to_string(status.next_update) + '\n';
    return replace_file(file, as_view(line));
}

Result<void> RevocationCache::store(Certificate const& issuer, RevocationList list) const {
    if (m_folder.empty()) return ok();
    auto const file = m_folder / name_of(issuer, ".crl");
    auto const known = look_up(file, {});
    if (known.state != Revocation::unknown && known.this_update > list.this_update) return older();
    std::vector<Record> records;
    records.reserve(list.revoked.size());
    for (auto const& [serial, revoked_at] : list.revoked) {
        if (auto const record = record_of(serial, revoked_at)) records.push_back(*record);
    }
    std::vector<RevokedSerial>{}.swap(list.revoked);
    std::ranges::sort(records);
    records.erase(std::unique(records.begin(), records.end(), same_serial), records.end());

    Bytes octets(header_octets + records.size() * record_octets);
    std::ranges::copy(magic, octets.begin());
    put(octets.data() + 8, list.this_update);
    put(octets.data() + 16, list.next_update);
    put(octets.data() + 24, static_cast<std::int64_t>(records.size()));
    auto* at = octets.data() + header_octets;
    for (auto const& record : records)
        at = std::ranges::copy(record, at).out;
    return replace_file(file, octets);
}

void RevocationCache::trim(std::uintmax_t octets) const {
    struct File {
        std::filesystem::file_time_type written;
        std::uintmax_t size;
        std::filesystem::path path;
    };
    std::error_code failure;
    std::vector<File> files;
    std::uintmax_t total = 0;
    if (m_folder.empty()) return;
    for (std::filesystem::directory_iterator entry{m_folder, failure}, end; !failure && entry != end;
         entry.increment(failure)) {
        std::error_code gone;
        File file{entry->last_write_time(gone), entry->file_size(gone), entry->path()};
        if (gone) continue;
        total += file.size;
        files.push_back(std::move(file));
    }
    std::ranges::sort(files, {}, &File::written);
    for (auto const& file : files) {
        if (total <= octets) return;
        std::filesystem::remove(file.path, failure);
        total -= file.size;
    }
}

} // namespace tamga::signing

#include "daemon/chosen_files.hpp"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tamga::daemon {

Result<std::string> ChosenFiles::keep(UniqueFd file) {
    std::array<unsigned char, 16> secret{};
    if (::getrandom(secret.data(), secret.size(), 0) != static_cast<::ssize_t>(secret.size())) {
        return system_error("getrandom", errno);
    }
    auto handle = "tamga-file-" + to_hex(secret);
    if (m_kept.size() == most) m_kept.pop_front();
    m_kept.push_back({handle, std::move(file)});
    return handle;
}

Result<UniqueFd> ChosenFiles::take(std::string const& handle) {
    auto const place = std::ranges::find(m_kept, handle, &Kept::handle);
    if (place == m_kept.end()) return Error{Errc::file_not_found, "no handle of this connection"};
    auto file = std::move(place->file);
    m_kept.erase(place);
    return file;
}

Result<Bytes> read_whole(UniqueFd const& file, std::size_t limit) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return Error{Errc::file_not_found, "fstat"};
    auto const size = static_cast<std::uint64_t>(std::max<::off_t>(info.st_size, 0));
    if (size > limit) return Error{Errc::too_large, "a chosen file"};
    Bytes octets(static_cast<std::size_t>(size));
    std::size_t done = 0;
    while (done < octets.size()) {
        auto const got = ::pread(file.get(), octets.data() + done, octets.size() - done, static_cast<::off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Error{Errc::file_not_found, "read"};
        if (got == 0) break; // it was cut off meanwhile
        done += static_cast<std::size_t>(got);
    }
    octets.resize(done);
    return octets;
}

} // namespace tamga::daemon

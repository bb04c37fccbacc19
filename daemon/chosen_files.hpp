// Files that a person chose for the page of one connection: what the page has of them is a handle.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <deque>
#include <string>

namespace tamga::daemon {

/// Loop thread. Closed with the connection: handles are worth nothing on another one.
class ChosenFiles {
public:
    static constexpr std::size_t most = 16;

    /// `largest`: how many octets of a file may be signed, as many as a page may send.
    explicit ChosenFiles(std::size_t largest) noexcept : m_largest{largest} {}

    [[nodiscard]] std::size_t largest() const noexcept { return m_largest; }
    /// A handle that cannot be guessed (128 random bits). Beyond `most` the oldest file is given up. Error: system.
    Result<std::string> keep(UniqueFd file);
    /// The file of a handle, which is spent. Error: file_not_found.
    Result<UniqueFd> take(std::string const& handle);

private:
    struct Kept {
        std::string handle;
        UniqueFd file;
    };

    std::size_t m_largest;
    std::deque<Kept> m_kept;
};

/// A file from its beginning. Blocking. Errors: too_large (over `limit` octets), file_not_found (it cannot be read).
Result<Bytes> read_whole(UniqueFd const& file, std::size_t limit);

} // namespace tamga::daemon

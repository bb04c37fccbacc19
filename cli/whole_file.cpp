#include "cli/whole_file.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace tamga::cli {

Result<Bytes> read_whole_file(std::filesystem::path const& path, std::uintmax_t most) {
    std::error_code failure;
    auto const size = std::filesystem::file_size(path, failure);
    if (failure) return Error{Errc::system, path.string() + ": " + failure.message()};
    if (size > most) return Error{Errc::too_large, path.string()};
    std::ifstream file{path, std::ios::binary};
    Bytes octets{std::istreambuf_iterator<char>{file}, {}};
    if (!file) return Error{Errc::system, path.string()};
    return octets;
}

} // namespace tamga::cli

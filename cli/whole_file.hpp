// Files that a person names on the command line.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <filesystem>

namespace tamga::cli {

/// Everything in it, once. Blocking. Errors: system, too_large (over `most` octets); both name the file.
Result<Bytes> read_whole_file(std::filesystem::path const& path, std::uintmax_t most);

} // namespace tamga::cli

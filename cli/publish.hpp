// `tamga services sign`: makes a catalogue of what a body wrote about its services. For a publisher's own key in a
// PKCS#12 file; whoever has it on a token makes the same CMS with any program that signs.
#pragma once

#include "base/text.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>

namespace tamga::cli {

struct PublishRequest {
    Language language{};
    std::filesystem::path text; ///< TOML (docs/services.md)
    std::filesystem::path key;  ///< PKCS#12
    std::filesystem::path output;
    std::string certificate; ///< how the SHA-256 of the one begins that is to sign; empty: the only one that fits
    std::function<std::string()> ask; ///< for the password of the key
    std::int64_t now = 0;
};

/// Reads the text as strictly as whoever will use it, signs it and writes the file. Nothing is written where anything
/// is wrong. @return 0, or 1 after a sentence about what failed.
int publish_catalogue(PublishRequest const& request, std::ostream& out);

/// A line from standard input; from a terminal without showing it, after `question`.
[[nodiscard]] std::string ask_password(std::string_view question);

} // namespace tamga::cli

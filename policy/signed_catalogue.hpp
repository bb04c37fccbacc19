// A catalogue as it is published: its text inside a CMS of the body that it speaks for.
#pragma once

#include "base/bytes.hpp"
#include "policy/publishers.hpp"
#include "signing/revocation.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace tamga::policy {

/// A larger file is none.
inline constexpr std::size_t most_catalogue_octets = std::size_t{4} << 20;

/// Why a file is refused, whole.
enum class Refusal : std::uint8_t {
    unreadable, ///< not there, too large, or others could write it
    not_signed, ///< no CMS with one signer that holds its content
    signature,  ///< does not verify
    publisher,  ///< signed by nobody who publishes here, or by a certificate that has expired or was revoked
    other_body, ///< the publisher speaks for another body
    malformed,  ///< policy/catalogue.hpp
    not_yet_valid,
    expired,
    older,   ///< a later version of it was seen here before
    changed, ///< of the version that was seen before, and says something else
    taken,   ///< a service of it is in another catalogue of the same body
};

struct Refused {
    Refusal why{};
    std::string detail; ///< for the log and for whoever has to mend it; English
};

struct Verified {
    Catalogue catalogue;
    Names body;            ///< as publishers.d names it
    std::string publisher; ///< 8 hex digits of the certificate's SHA-256
    std::string digest;    ///< SHA-256 of the text, in hex
};

using Judged = std::variant<Verified, Refused>;

/// What a file is worth by itself, at `now` (seconds since 1970). Blocking: verifies a signature and reads a small file
/// where something is known of the publisher's revocation.
[[nodiscard]] Judged judge_catalogue(View cms, std::vector<Publisher> const& publishers,
                                     signing::RevocationCache const& revocation, std::int64_t now);

/// A sentence for whoever asks about the file.
[[nodiscard]] std::string_view words(Language language, Refusal why) noexcept;
/// As the log names it.
[[nodiscard]] std::string_view name_of(Refusal why) noexcept;

} // namespace tamga::policy

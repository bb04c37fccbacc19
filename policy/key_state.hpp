// What is to be said of a certificate or a key in a list of them: one word, the same everywhere.
#pragma once

#include "base/tree.hpp"
#include "signing/certificate.hpp"
#include "signing/revocation.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tamga::policy {

enum class KeyState : std::uint8_t {
    valid,
    expiring, ///< valid for 30 days at most: to be renewed now
    expired,
    not_yet_valid,
    revoked,
    no_certificate, ///< a pair that waits for one, or was left behind
    no_key,         ///< a certificate whose private key is not beside it
};
constexpr std::size_t enumerator_count(KeyState) noexcept {
    return 7;
}

/// "no-certificate": as commands and tamga.v1 have it.
[[nodiscard]] std::string_view name_of(KeyState state) noexcept;
[[nodiscard]] std::optional<KeyState> key_state_called(std::string_view word) noexcept;

/// By its own dates and what is known of its revocation.
[[nodiscard]] KeyState state_of(signing::Certificate const& certificate, signing::Revocation revocation,
                                std::int64_t now);

/// What a certificate is for: "authentication", "signature", "both", or "other".
[[nodiscard]] std::string_view use_of(signing::Certificate const& certificate);

/// Everything that a list says of a certificate, the certificate itself (base64) included.
[[nodiscard]] Tree describe(signing::Certificate const& certificate, KeyState state);

} // namespace tamga::policy

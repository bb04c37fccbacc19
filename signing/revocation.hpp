// What is known about revocation, on disk: so that a window opens and a document is verified without asking anybody.
// Written by tamga-web, read by the prompt too. Small files: one line for each certificate
// that was asked about (OCSP), and for each authority a sorted table of what its list names (CRL).
#pragma once

#include "signing/certificate.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace tamga::signing {

enum class Revocation : std::uint8_t { unknown, good, revoked };

struct RevocationStatus {
    Revocation state = Revocation::unknown;
    std::int64_t revoked_at = 0;  ///< seconds since 1970; of revoked
    std::int64_t this_update = 0; ///< as of when the authority says so
    std::int64_t next_update = 0; ///< until when that may be relied on; 0: it did not say
};

/// One line of a list of revoked certificates: the serial number, big-endian, without leading zeros.
struct RevokedSerial {
    Bytes serial;
    std::int64_t revoked_at = 0;
};

/// A list of revoked certificates, verified.
struct RevocationList {
    std::int64_t this_update = 0;
    std::int64_t next_update = 0;
    std::vector<RevokedSerial> revoked;
};

/// Files in one folder, readable by their owner alone. Blocking, but for a few small reads.
class RevocationCache {
public:
    /// Without a folder nothing is known and nothing kept.
    explicit RevocationCache(std::filesystem::path folder) : m_folder{std::move(folder)} {}

    /// $XDG_CACHE_HOME/tamga/revocation, mostly ~/.cache/...; empty without a home.
    [[nodiscard]] static std::filesystem::path default_folder();

    /// What is on disk and has not expired at `now`: what OCSP said of it, else what its issuer's list says. "Revoked"
    /// does not expire, and goes before "good" of the other source. `issuer` may be null.
    [[nodiscard]] RevocationStatus find(Certificate const& certificate, Certificate const* issuer,
                                        std::int64_t now) const;

    /// Errors: timeout (older than what is here, by its this_update), system.
    Result<void> store(Certificate const& certificate, RevocationStatus const& status) const;
    Result<void> store(Certificate const& issuer, RevocationList list) const;

    /// Removes the oldest files until what is left has at most `octets`.
    void trim(std::uintmax_t octets) const;

    static constexpr std::uintmax_t most_octets = 256ULL << 20;

private:
    std::filesystem::path m_folder;
};

/// Where an answer names no end, it counts for so long; and never longer than `longest_trust_s`.
inline constexpr std::int64_t default_trust_s = 12 * 3600;
inline constexpr std::int64_t longest_trust_s = 7 * 24 * 3600;

} // namespace tamga::signing

// The places where this user's browsers keep whom they trust: NSS databases, one for Chromium and its kin and one in
// every Firefox profile. Read and changed through certutil (libnss3-tools). Used by `tamga trust`.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tamga::trust {

/// "Trusted to issue certificates of TLS servers", and nothing for e-mail or for signing programs.
inline constexpr std::string_view server_authority_flags = "C,,";

enum class Browser : std::uint8_t { chromium, firefox };

struct Store {
    Browser browser{};
    std::filesystem::path folder;
};

/// The stores below `home`: Chromium's (~/.pki/nssdb; ~/.local/share/pki/nssdb where only that exists, because Chromium
/// would no longer look there once the first did) whether it exists or not, those of its snap and of Chromium's and
/// Chrome's flatpaks where these have been started, and the profiles that Firefox's profiles.ini names, of a package,
/// snap and flatpak. Blocking: reads a few files.
[[nodiscard]] std::vector<Store> find_stores(std::filesystem::path const& home);

struct TrustedAuthority {
    std::string nickname;
    std::string flags;
};

/// Runs certutil, which blocks for some tens of milliseconds each time and never asks for a password: a store with a
/// primary password is an error.
class Certutil {
public:
    /// Error: system (the program is not there).
    static Result<Certutil> find(std::filesystem::path program = "/usr/bin/certutil");

    /// Creates the store where there is none: folders 0700, files 0600, no password.
    Result<void> create_missing(Store const& store) const;
    /// Entries with our nickname_prefix; none where the store does not exist.
    Result<std::vector<TrustedAuthority>> list(Store const& store) const;
    /// Adds the authority in the PEM file `certificate` with server_authority_flags.
    Result<void> add(Store const& store, std::string const& nickname, std::filesystem::path const& certificate) const;
    Result<void> remove(Store const& store, std::string const& nickname) const;

private:
    explicit Certutil(std::filesystem::path program) : m_program{std::move(program)} {}
    /// @return what certutil printed. Error: system, with what it printed.
    Result<std::string> run(Store const& store, std::vector<std::string> arguments) const;

    std::filesystem::path m_program;
};

} // namespace tamga::trust

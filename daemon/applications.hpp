// Applications for new certificates, on disk: what was asked for, how far it came, and which keys on which token wait
// for their certificates. So that pulling the token out, a reboot and days of waiting cost nothing.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/pkcs10.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::daemon {

/// How far an application is; each state has what the ones before it have.
enum class ApplicationState : std::uint8_t {
    begun,          ///< nothing was made yet, or not every pair
    keys_generated, ///< every pair is on the token
    request_built,  ///< every pair has its PKCS#10
    signed_,        ///< the application is signed with the present key
    submitted,      ///< handed in
    issued,         ///< the certificates are here
    installed,      ///< and on the token, beside their keys
};
[[nodiscard]] std::string_view name_of(ApplicationState state) noexcept;

/// What a pair is for, as its certificate will say.
enum class KeyUse : std::uint8_t { authentication, signature, both };
[[nodiscard]] std::string_view name_of(KeyUse use) noexcept;

/// Where the pairs lie: as the token tells it.
struct TokenName {
    std::string storage; ///< NCALayer's name; "PKCS12" for a file
    std::string family;
    std::string label;
    std::string serial;

    bool operator==(TokenName const&) const = default;
};

/// One pair of an application. What is not there yet is empty.
struct ApplicationKey {
    KeyUse use{};
    signing::KeyAlgorithm algorithm{};
    Bytes present;     ///< the certificate it comes after, DER
    Bytes id;          ///< CKA_ID of the new pair
    Bytes public_key;  ///< SubjectPublicKeyInfo, DER
    Bytes request;     ///< PKCS#10, DER
    Bytes certificate; ///< the new one, DER

    bool operator==(ApplicationKey const&) const = default;
};

struct Application {
    std::string number; ///< ours; the portal gives one of its own
    std::string portal_number;
    ApplicationState state{};
    std::int64_t created = 0; ///< seconds since 1970, as the next
    std::int64_t changed = 0;
    std::string email;
    TokenName token;
    std::vector<ApplicationKey> keys;
    Bytes signed_application; ///< CMS, DER

    bool operator==(Application const&) const = default;
};

/// The files, one for each application, 0600 in a folder 0700: no key and no PIN in them. Every member blocks, for a
/// few small files. A file that is damaged is an error of its own application; the others stay usable.
class Applications {
public:
    explicit Applications(std::filesystem::path folder) : m_folder{std::move(folder)} {}

    /// $XDG_STATE_HOME/tamga/applications, mostly ~/.local/state/...; empty without a home.
    [[nodiscard]] static std::filesystem::path default_folder();

    /// A number that was not given before: the day, and six letters and digits that nobody mistakes for one another.
    [[nodiscard]] std::string new_number(std::int64_t now) const;

    /// Replaces what is there of it, so that a crash leaves the old file or the new one. Error: system.
    Result<void> save(Application const& application) const;
    /// Errors: application_unknown (also a number that is none), application_damaged (what is wrong, and the file),
    /// file_untrusted, system.
    [[nodiscard]] Result<Application> load(std::string_view number) const;
    /// Error: application_unknown, system.
    Result<void> forget(std::string_view number) const;

    struct Unreadable {
        std::string number;
        Error error;
    };
    struct Listing {
        std::vector<Application> applications; ///< the latest first
        std::vector<Unreadable> unreadable;
    };
    [[nodiscard]] Listing list() const;

    /// The one that waits for a certificate of this key. Errors: application_unknown.
    [[nodiscard]] Result<Application> waiting_for(signing::PublicKey const& key) const;

private:
    [[nodiscard]] std::filesystem::path file_of(std::string_view number) const;

    std::filesystem::path m_folder;
};

/// The key of `application` that a certificate with this public key belongs to; nullptr where there is none.
[[nodiscard]] ApplicationKey* key_for(Application& application, signing::PublicKey const& key);

} // namespace tamga::daemon

// A certificate, and what Kazakhstan's certificates say about their owner (kz-pki facts: SERIALNUMBER=IIN...,
// OU=BIN..., roles as extendedKeyUsage). Parsed from a token's octets by tamga-prompt, tamga-token and tamga-web alike.
#pragma once

#include "base/bytes.hpp"
#include "base/messages.hpp"
#include "base/result.hpp"
#include "signing/algorithm.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tamga::signing {

/// Immutable; cheap to copy (shared). Reading it is thread-safe.
class Certificate {
public:
    /// Parses exactly one DER certificate, nothing behind it. Errors: bad_request; mechanism_unsupported where its
    /// key's algorithm is not in the registry.
    static Result<Certificate> parse(View der);

    [[nodiscard]] Bytes const& der() const noexcept;
    [[nodiscard]] ipc::Fingerprint const& fingerprint() const noexcept; ///< SHA-256 of der()
    /// IssuerAndSerialNumber of CMS (RFC 5652, section 10.2.4), of the certificate's own octets.
    [[nodiscard]] Bytes const& issuer_and_serial_number() const noexcept;
    [[nodiscard]] std::string log_name() const; ///< 8 hex digits of the fingerprint
    [[nodiscard]] Algorithm const& algorithm() const noexcept;
    [[nodiscard]] ::X509* x509() const noexcept; ///< borrowed

    /// Owner, as UTF-8; empty where the certificate does not say.
    [[nodiscard]] std::string common_name() const;  ///< CN: surname and first name
    [[nodiscard]] std::string patronymic() const;   ///< GIVENNAME, which holds the patronymic
    [[nodiscard]] std::string organisation() const; ///< O
    [[nodiscard]] std::string iin() const;          ///< 12 digits of SERIALNUMBER=IIN...
    [[nodiscard]] std::string bin() const;          ///< 12 digits of OU=BIN... (or SERIALNUMBER=BIN...)
    [[nodiscard]] std::string issuer_common_name() const;

    /// Distinguished names as BouncyCastle prints them: encoded order, "," without blank, CN, SURNAME, SERIALNUMBER, C,
    /// O, OU, L, ST, GIVENNAME, E; `,` `+` `"` `\` `<` `>` `;` and leading `#` escaped by a backslash.
    [[nodiscard]] std::string subject_dn() const;
    [[nodiscard]] std::string issuer_dn() const;

    [[nodiscard]] std::string serial_number() const;            ///< lower-case hex without leading zeros
    [[nodiscard]] std::string authority_key_identifier() const; ///< lower-case hex, empty where absent
    [[nodiscard]] std::int64_t not_before() const;              ///< seconds since 1970 (UTC)
    [[nodiscard]] std::int64_t not_after() const;
    [[nodiscard]] std::vector<std::string> extended_key_usages() const; ///< dotted OIDs
    [[nodiscard]] bool has_extended_key_usage(std::string_view oid) const;
    [[nodiscard]] std::string pem() const; ///< 64 columns, '\n'

private:
    struct State;
    class Recent;
    std::shared_ptr<State const> m_state;
};

/// The common name of a certificate that parse refuses for its kind of key; empty where there is none.
[[nodiscard]] std::string common_name_of(View der);

/// A distinguished name (DER) in words, as Certificate::subject_dn has it; nothing where `name` is not exactly one.
[[nodiscard]] std::optional<std::string> name_in_words(View name);

inline constexpr std::string_view eku_client_auth = "1.3.6.1.5.5.7.3.2";      ///< authentication certificate
inline constexpr std::string_view eku_email_protection = "1.3.6.1.5.5.7.3.4"; ///< signature certificate

/// Why a certificate cannot be chosen.
enum class Misfit : std::uint8_t { usage, person, organisation, serial_number, role, not_yet_valid, expired };

/// Nothing where `certificate` satisfies `filter` at `now` (seconds since 1970); else the first reason it does not.
[[nodiscard]] std::optional<Misfit> misfit(Certificate const& certificate, ipc::KeyFilter const& filter,
                                           std::int64_t now);

/// Verifies a raw signature (PKCS#11's form) over `octets` with the certificate's public key: our own work, before it
/// is given away, and the proof that a key belongs to a certificate. Errors: signature_invalid, algorithm_unavailable.
Result<void> verify_raw(Certificate const& certificate, View octets, View raw_signature);

/// The same where the digest is known already.
Result<void> verify_digest(Certificate const& certificate, View digest, View raw_signature);

/// Whether `value`, of the form that certificates and CMS have, is a signature over `digest`, made with `method`: for
/// what others signed, where RSA and EC keys go with SHA-384 and SHA-512 too.
/// Errors: signature_invalid, algorithm_unavailable, mechanism_unsupported (a key and a digest that do not go
/// together, or an RSA key under 2048 bits).
Result<void> verify_value(Certificate const& certificate, DigestAlgorithm method, View digest, View value);

} // namespace tamga::signing

// A certificate and the private key that belongs to it, both out of a file.
#pragma once

#include "signing/certificate.hpp"
#include "signing/gost.hpp"

#include <openssl/types.h>

#include <memory>
#include <variant>

namespace tamga::keyfile {

/// Movable; the private key is wiped on destruction. Not thread-safe.
class SigningKey {
public:
    /// The pair of `certificate` and a PrivateKeyInfo (RFC 5208), under the names of Kazakhstan or of Russia where it
    /// is a GOST key. The public halves are compared: labels and identifiers in the file mean nothing. Errors:
    /// key_not_found (they do not belong together), algorithm_unavailable.
    static Result<SigningKey> pair(signing::Certificate const& certificate, ::PKCS8_PRIV_KEY_INFO const* key);

    [[nodiscard]] signing::Certificate const& certificate() const noexcept { return m_certificate; }

    /// A raw signature (ipc::Signatures) over `digest`, verified with the certificate before it is given away.
    /// Blocking, milliseconds. Errors: digest_length, signature_invalid, algorithm_unavailable, internal.
    [[nodiscard]] Result<Bytes> sign(View digest) const;

private:
    struct Free {
        void operator()(::EVP_PKEY* key) const noexcept;
    };
    using OpensslKey = std::unique_ptr<::EVP_PKEY, Free>;
    using PrivateKey = std::variant<OpensslKey, signing::gost::PrivateKey>;

    SigningKey(signing::Certificate certificate, PrivateKey key) noexcept
        : m_certificate{std::move(certificate)}, m_key{std::move(key)} {}
    [[nodiscard]] Result<Bytes> made_by(OpensslKey const& key, View digest) const;
    [[nodiscard]] static Result<Bytes> made_by(signing::gost::PrivateKey const& key, View digest);

    signing::Certificate m_certificate;
    PrivateKey m_key;
};

} // namespace tamga::keyfile

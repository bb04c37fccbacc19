// A PKCS#12 file (RFC 7292): PFX with a password for integrity and privacy. As the NCA makes them (3DES and RC2 under
// SHA-1, BER with indefinite lengths, GOST keys) and as others do (AES under PBKDF2). Everything in it is a stranger's.
#pragma once

#include "base/secret.hpp"
#include "keyfile/protection.hpp"
#include "keyfile/signing_key.hpp"

#include <vector>

struct PKCS12_st; // OpenSSL's

namespace tamga::keyfile {

/// A key file is some kilobytes; whatever is larger is none.
inline constexpr std::size_t max_file_size = std::size_t{1} << 20;

/// Octets of a new password: what the NCA's own software asks for.
inline constexpr std::size_t shortest_password = 6;
inline constexpr std::size_t longest_password = 32;

/// The ciphers that OpenSSL calls legacy (RC2, RC4), for the whole process as long as it lives: NCA files are encrypted
/// with RC2. Blocking: loads a library. Where OpenSSL has none, other files open all the same.
class OldCiphers {
public:
    OldCiphers() noexcept;
    OldCiphers(OldCiphers const&) = delete;
    OldCiphers& operator=(OldCiphers const&) = delete;
    ~OldCiphers();

private:
    ::OSSL_PROVIDER* m_default;
    ::OSSL_PROVIDER* m_legacy;
};

/// What can be seen without the password. Movable, immutable.
class KeyFile {
public:
    /// Errors: key_file_malformed (no PKCS#12, too large); key_file_unsupported (signed instead of protected by a
    /// password, a digest or a number of iterations beyond what is done here).
    static Result<KeyFile> parse(View octets, std::int64_t most_iterations = max_iterations);

    /// Every certificate whose private key is there too, in the file's order. Certificates without one, those of the
    /// issuers, and kinds of keys that the registry does not have are left out. Blocking: as long as the iterations
    /// take, at most some seconds. Errors: password_incorrect; key_file_malformed, key_file_unsupported,
    /// algorithm_unavailable (all keys are GOST keys, and there is no gost-engine).
    [[nodiscard]] Result<std::vector<SigningKey>> open(Pin const& password) const;

    /// The same keys, certificates and names under another password: a new file, which was read back with it. Each part
    /// keeps its kind of encryption, so that programs which open the file today open the new one. Blocking as open,
    /// twice. Errors: those of open for the present one; pin_length; key_file_unsupported (it is built in a way that
    /// cannot be kept).
    [[nodiscard]] Result<Bytes> with_password(Pin const& present, Pin const& next) const;

private:
    struct Free {
        void operator()(::PKCS12_st* file) const noexcept;
    };
    KeyFile(::PKCS12_st* file, std::int64_t most_iterations) noexcept
        : m_file{file}, m_most_iterations{most_iterations} {}

    std::unique_ptr<::PKCS12_st, Free> m_file;
    std::int64_t m_most_iterations;
};

} // namespace tamga::keyfile

// Keys and certificates shaped like the NCA's, made on the spot: what a token would hold, and who would have issued it.
#pragma once

#include "tests/support/gost_keys.hpp"

#include <string>
#include <vector>

namespace tamga::test {

struct CertificateSpec {
    KeyKind key = KeyKind::rsa_2048;
    std::string common_name = "ТЕСТОВ ТЕСТ";
    std::string surname = "ТЕСТОВ";
    std::string patronymic = "ТЕСТОВИЧ";
    std::string iin = "123456789011";
    std::string bin{}; ///< 12 digits; empty: an individual
    std::string organisation{};
    std::vector<std::string> extended_key_usages{"1.3.6.1.5.5.7.3.4", "1.2.398.3.3.4.1.1"};
    bool only_these_usages = false; ///< the list of usages is critical, as a time-stamp service's must be
    std::int64_t not_before = 1'700'000'000;
    std::int64_t not_after = 4'000'000'000;
};

struct TestKey {
    KeyKind kind = KeyKind::rsa_2048;
    std::shared_ptr<EVP_PKEY> key;
    Bytes certificate; ///< DER

    /// Hashes with the digest of its kind and signs: a raw signature (ipc::Signatures).
    [[nodiscard]] Bytes sign(View octets) const;

    /// PKCS#8, for softhsm2-util --import.
    [[nodiscard]] std::string private_key_pem() const;
};

/// A key and its certificate, issued by `issuer` or, without one, by the CA of this process (an EC key). A GOST issuer
/// signs as the NCA does. Ends the process where OpenSSL fails.
[[nodiscard]] TestKey make_certificate(CertificateSpec const& spec = {}, TestKey const* issuer = nullptr);

/// The same for a key that is there already, of which the public half is enough.
[[nodiscard]] Bytes issue(CertificateSpec const& spec, EVP_PKEY* key, TestKey const* issuer = nullptr);

/// A root, self-signed, or an authority below `issuer`.
[[nodiscard]] TestKey make_authority(KeyKind kind, std::string const& common_name, TestKey const* issuer = nullptr);

/// The certificate of the CA of this process (CN=TAMGA TEST CA, C=KZ).
[[nodiscard]] std::string ca_certificate_pem();

[[nodiscard]] std::string certificate_pem(View der);

} // namespace tamga::test

// Keys and certificates shaped like the NCA's, made on the spot: what a token would hold, and who would have issued it.
#pragma once

#include "base/bytes.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tamga::test {

enum class KeyKind : std::uint8_t { rsa_2048, ec_p256 };

struct CertificateSpec {
    KeyKind key = KeyKind::rsa_2048;
    std::string common_name = "ТЕСТОВ ТЕСТ";
    std::string surname = "ТЕСТОВ";
    std::string patronymic = "ТЕСТОВИЧ";
    std::string iin = "123456789011";
    std::string bin{}; ///< 12 digits; empty: an individual
    std::string organisation{};
    std::vector<std::string> extended_key_usages{"1.3.6.1.5.5.7.3.4", "1.2.398.3.3.4.1.1"};
    std::int64_t not_before = 1'700'000'000;
    std::int64_t not_after = 4'000'000'000;
};

struct TestKey {
    std::shared_ptr<EVP_PKEY> key;
    Bytes certificate; ///< DER

    /// Hashes with SHA-256 and signs: what C_Sign would give, r||s for EC.
    [[nodiscard]] Bytes sign(View octets) const;

    /// PKCS#8, for softhsm2-util --import.
    [[nodiscard]] std::string private_key_pem() const;
};

/// A key and its certificate, issued by the CA of this process. Ends the process where OpenSSL fails.
[[nodiscard]] TestKey make_certificate(CertificateSpec const& spec = {});

/// The certificate of that CA (CN=TAMGA TEST CA, C=KZ).
[[nodiscard]] std::string ca_certificate_pem();

} // namespace tamga::test

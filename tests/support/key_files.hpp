// Key files as the NCA's software writes them: PKCS#12 in BER with indefinite lengths, the key under 3DES and the
// certificate under RC2 with 40 bits, SHA-1 and 1024 iterations. What other programs write, the tests have them write.
#pragma once

#include "tests/support/test_certificates.hpp"

namespace tamga::test {

/// PrivateKeyInfo under the names of Kazakhstan where it is a GOST key, else OpenSSL's.
[[nodiscard]] Bytes private_key_info(TestKey const& key);

/// A file with all of `keys`. Loads OpenSSL's old ciphers. Ends the process where OpenSSL fails.
[[nodiscard]] Bytes nca_key_file(std::vector<TestKey> const& keys, std::string const& password);

/// The same of parts made elsewhere: each an encrypted PrivateKeyInfo (DER), and certificates (DER). `said`: what the
/// file says the MAC takes, whatever it took.
[[nodiscard]] Bytes nca_key_file(std::vector<Bytes> const& encrypted_keys, std::vector<Bytes> const& certificates,
                                 std::string const& password, int said = 1024);

} // namespace tamga::test

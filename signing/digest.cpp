#include "signing/digest.hpp"

#include "signing/gost.hpp"
#include "signing/gost34311.hpp"

#include <openssl/evp.h>

namespace tamga::signing {

Bytes sha256(View octets) {
    Bytes value(32);
    EVP_Digest(octets.data(), octets.size(), value.data(), nullptr, EVP_sha256(), nullptr);
    return value;
}

Result<Bytes> digest(DigestAlgorithm algorithm, View octets) {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return sha256(octets);
    case DigestAlgorithm::streebog512: return gost::streebog(gost::Streebog::bits_512, octets);
    case DigestAlgorithm::streebog256: return gost::streebog(gost::Streebog::bits_256, octets);
    case DigestAlgorithm::gost34311: return gost34311(octets);
    }
    return Errc::internal;
}

} // namespace tamga::signing

// The digests of the algorithm registry, and what they are called.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace tamga::signing {

enum class DigestAlgorithm : std::uint8_t {
    sha256,
    sha384,      ///< of other people's signatures; ours have none
    sha512,      ///< likewise
    streebog512, ///< GOST 34.11-2015 with 512 bits, octet order of RFC 6986
    streebog256, ///< the same with 256 bits
    gost34311,   ///< GOST 34.311-95 with the test S-box: only in documents signed before 2024
};

/// SHA-256 of `octets`: cannot fail. Blocking: about 1 ms a megabyte.
[[nodiscard]] Bytes sha256(View octets);

/// Digest of `octets`. Blocking: about 1 ms a megabyte for SHA-2, 10 ms for Streebog, 40 ms for GOST 34.311.
/// Error: algorithm_unavailable (Streebog comes from gost-engine, signing/gost.hpp).
Result<Bytes> digest(DigestAlgorithm algorithm, View octets);

/// A digest of octets that come piece by piece. One thread at a time.
class RunningDigest {
public:
    /// Not for gost34311. Errors: algorithm_unavailable; unsupported.
    static Result<RunningDigest> begin(DigestAlgorithm algorithm);

    [[nodiscard]] DigestAlgorithm algorithm() const noexcept { return m_algorithm; }
    /// Blocking, as `digest`.
    void add(View octets);
    /// Of everything that was added; nothing can be added afterwards. Error: internal.
    Result<Bytes> finish();

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept;
    };
    RunningDigest(DigestAlgorithm algorithm, EVP_MD_CTX* context) : m_algorithm{algorithm}, m_context{context} {}

    DigestAlgorithm m_algorithm;
    std::unique_ptr<EVP_MD_CTX, Free> m_context;
    bool m_failed = false;
};

struct DigestName {
    DigestAlgorithm algorithm;
    char const* oid; ///< dotted
    std::size_t octets;
    std::string_view xml_uri;
};

/// In the order of DigestAlgorithm.
inline constexpr std::array digest_names{
    DigestName{DigestAlgorithm::sha256, "2.16.840.1.101.3.4.2.1", 32, "http://www.w3.org/2001/04/xmlenc#sha256"},
    DigestName{DigestAlgorithm::sha384, "2.16.840.1.101.3.4.2.2", 48, "http://www.w3.org/2001/04/xmldsig-more#sha384"},
    DigestName{DigestAlgorithm::sha512, "2.16.840.1.101.3.4.2.3", 64, "http://www.w3.org/2001/04/xmlenc#sha512"},
    DigestName{DigestAlgorithm::streebog512, "1.2.398.3.10.1.3.3", 64,
               "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34112015-512"},
    DigestName{DigestAlgorithm::streebog256, "1.2.398.3.10.1.3.2", 32,
               "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34112015-256"},
    DigestName{DigestAlgorithm::gost34311, "1.2.398.3.10.1.3.1", 32,
               "http://www.w3.org/2001/04/xmldsig-more#gost34311"},
};

/// Total.
[[nodiscard]] constexpr DigestName const& name_of(DigestAlgorithm algorithm) noexcept {
    return digest_names[static_cast<std::size_t>(algorithm)];
}

/// The digest of this dotted identifier, or of this URI in XML. Nothing where it is none of ours: MD5 and SHA-1 are
/// not, on purpose (a signature over one of them can stand for another document).
[[nodiscard]] std::optional<DigestAlgorithm> digest_by_oid(std::string_view dotted) noexcept;
[[nodiscard]] std::optional<DigestAlgorithm> digest_by_xml_uri(std::string_view uri) noexcept;

} // namespace tamga::signing

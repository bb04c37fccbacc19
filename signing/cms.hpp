// CMS SignedData as CAdES-BES (RFC 5652, RFC 5035, ETSI EN 319 122-1), written as the NCA's software writes it, by the
// prepare / sign / finish seam: this code never calls a token. Written octet by octet, so that the signers of a CMS
// stay as they are and a large content is copied once.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/certificate.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace tamga::signing {

/// A CMS that already has signers, to which one is added (co-signing): its content is what gets signed again.
class ExistingCms {
public:
    /// Whether `octets` are a DER or BER CMS SignedData from the first octet to the last; `nullopt` where they are not
    /// (then they are plain content).
    static std::optional<ExistingCms> recognise(View octets);

    /// The encapsulated content. Error: cms_malformed where the CMS is detached: its content is not here to be shown.
    [[nodiscard]] Result<Bytes> content() const;
    [[nodiscard]] View der() const noexcept { return m_der; }

private:
    Bytes m_der;
};

enum class Encapsulation : bool { detached, attached };

/// The attributes to be signed for a content whose digest is `content_digest` (by the certificate's algorithm's
/// digest): DER SET OF { contentType, signingTime, messageDigest, signingCertificateV2 }. These octets go to the token.
/// Errors: digest_length.
Result<Bytes> prepare_cms(Certificate const& signer, View content_digest, std::int64_t signing_time);

/// The finished SignedData, DER. `to_be_signed` are the octets of prepare_cms, `raw_signature` is PKCS#11's form.
/// `content` is written into it when attached and ignored when detached. With `existing`, that CMS with this signer
/// added: certificates, digest algorithms and signers merged, its present SignerInfos unchanged octet by octet.
/// Memory: one copy of the content. Errors: cms_malformed, internal.
Result<Bytes> finish_cms(Certificate const& signer, View to_be_signed, View raw_signature, View content,
                         Encapsulation encapsulation, ExistingCms const* existing = nullptr);

/// A signature in a CMS that has no time-stamp yet.
struct UnstampedSigner {
    Bytes value;                          ///< what is to be stamped: the octets of SignerInfo.signature
    Algorithm const* algorithm = nullptr; ///< by whose digest, and under whose policy
};

/// All of them, in the order of the CMS. Errors: cms_malformed; mechanism_unsupported (a signer's digest).
Result<std::vector<UnstampedSigner>> unstamped_signers(View cms);

struct StampedValue {
    Bytes value;
    Bytes token; ///< TimeStampToken, verified (signing/timestamp.hpp)
};

/// The CMS with each token as an unsigned attribute of the signer whose signature it stamps: CAdES-T (ETSI EN 319
/// 122-1, section 5.3). Content, certificates and what is signed stay octet by octet. Memory: one copy of the CMS.
/// Error: cms_malformed.
Result<Bytes> attach_timestamps(View cms, std::vector<StampedValue> const& stamps);

} // namespace tamga::signing

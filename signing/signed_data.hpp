// A CMS SignedData taken apart (RFC 5652), and its signatures verified: our own CMS, other people's, and the tokens of
// time-stamp services, which are CMS too. OpenSSL's CMS_verify does not know Kazakhstan's digests, and would not say
// which of several signers is at fault.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/certificate.hpp"
#include "signing/der.hpp"
#include "signing/fault.hpp"
#include "signing/identifiers.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace tamga::signing {

/// What a SignerInfo says (section 5.3), borrowed.
struct SignerInfo {
    View octets;
    View identifier; ///< IssuerAndSerialNumber, or [0] SubjectKeyIdentifier
    View digest_algorithm;
    std::optional<der::Element> signed_attributes; ///< [0]: the members, not a SET
    View signature_algorithm;
    View value; ///< the signature
    std::optional<der::Element> unsigned_attributes;
};

/// What a SignedData says (section 5.1), borrowed. Of what is optional nothing is an empty view.
struct SignedData {
    View version;
    View digest_algorithms; ///< the whole SET
    View content_info;      ///< EncapsulatedContentInfo, whole
    View content_type;      ///< OBJECT IDENTIFIER, whole
    View content;           ///< the elements behind it: [0] EXPLICIT OCTET STRING, or none
    View certificates;      ///< the members of [0]
    View crls;              ///< [1], whole
    View signers;           ///< the members of the SET
};

/// From the first octet to the last, DER or BER; nothing where they are something else.
[[nodiscard]] std::optional<SignedData> read_signed_data(View octets);
[[nodiscard]] std::optional<SignerInfo> read_signer_info(View octets);

/// The octets of a text that is one block of PEM and nothing else, whatever its label is: pages get "CMS", OpenSSL
/// writes "CMS" or "PKCS7". A block somewhere in a larger text says nothing about that text, and must not be verified
/// for it.
[[nodiscard]] std::optional<Bytes> octets_of_pem(std::string_view text);

/// What is encapsulated, its segments put together. Nothing where the CMS is detached. Error: cms_malformed.
[[nodiscard]] Result<std::optional<Bytes>> content_of(SignedData const& data);

/// The values of the attributes of this type, each whole. `attributes`: the members of a SET OF Attribute.
[[nodiscard]] std::vector<View> attribute_values(View attributes, std::string_view type);

/// The certificates that can be read; those of other kinds are left out.
[[nodiscard]] std::vector<Certificate> certificates_of(SignedData const& data);

/// What became of one signer.
struct CheckedSigner {
    std::optional<Certificate> certificate; ///< the one named, where it is there
    /// Whether the signature is one by that certificate's key over the attributes, and these speak of the content.
    /// Errors: signature_invalid, cms_malformed, key_not_found (no certificate), mechanism_unsupported (a digest or a
    /// key that is not accepted), algorithm_unavailable.
    Result<void> signature;
    Fault fault; ///< the same for a person; none where it is valid
    std::optional<DigestAlgorithm> method;
    std::optional<std::int64_t> signing_time; ///< as the signer says, seconds since 1970
    bool names_certificate = false;           ///< a signed attribute says which certificate it is, and it is this one
    Bytes value;
    std::vector<Bytes> timestamps; ///< tokens, not looked into
};

/// Verifies a signer over `content`. Without a content, that the attributes were signed, and nothing more. Further
/// certificates, which did not come with the CMS, may be given. Blocking: hashes the content.
[[nodiscard]] CheckedSigner check_signer(SignedData const& data, SignerInfo const& signer, std::optional<View> content,
                                         std::vector<Certificate> const& certificates);

} // namespace tamga::signing

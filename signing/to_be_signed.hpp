// The forms of octets that a token key may sign, parsed strictly and to the last octet. tamga-token compares what is
// found here with the person's mandate; whatever does not parse is not signed (architecture: "shown is signed").
#pragma once

#include "base/bytes.hpp"
#include "base/messages.hpp"
#include "base/result.hpp"
#include "signing/algorithm.hpp"

#include <string>
#include <string_view>

namespace tamga::signing {

/// What a to-be-signed structure commits to.
struct Commitment {
    Bytes digest;                   ///< messageDigest, DigestValue
    ipc::Fingerprint certificate{}; ///< signingCertificateV2; all zero where the form names none (XML)
    std::int64_t signing_time = 0;  ///< seconds since 1970; 0 where the form has none
};

/// DER SET OF Attribute (RFC 5652 section 5.4), exactly contentType = id-data, signingTime, messageDigest and
/// signingCertificateV2 with one SHA-256 ESSCertIDv2 (RFC 5035), each once, in DER order; nothing else.
Result<Commitment> parse_signed_attributes(View octets, Algorithm const& algorithm);

/// The octets that commit to `commitment`: what parse_signed_attributes accepts, and nothing else is accepted by it.
/// Limits: signing times of the years 1950 to 9999. Error: bad_request.
Result<Bytes> signed_attributes(Commitment const& commitment);

/// Canonical ds:SignedInfo with exactly one ds:Reference, of the two shapes signing/xml.hpp writes (XMLDSig
/// section 4.3): URI="" with enveloped-signature and C14N-with-comments, or URI="#id" with C14N-with-comments alone;
/// the methods must be `algorithm`'s. Namespace declarations and xml: attributes that canonicalisation put on
/// ds:SignedInfo are allowed. No XML library: a strict grammar, so that the process holding the PIN parses nothing an
/// attacker can bend.
Result<Commitment> parse_signed_info(View octets, Algorithm const& algorithm);

/// Canonical ds:SignedInfo from behind its start tag to its end, as parse_signed_info accepts it. `id`, an NCName, is
/// that of the element it refers to; empty: the whole document.
[[nodiscard]] std::string signed_info_children(std::string_view id, View content_digest, Algorithm const& algorithm);

/// Whether `name` is an NCName of XML Namespaces; of its non-ASCII characters every one is taken.
[[nodiscard]] bool is_ncname(std::string_view name) noexcept;

inline constexpr std::string_view xmldsig_namespace = "http://www.w3.org/2000/09/xmldsig#";

/// Whether octets offered as "raw" are one of the forms that mean something when signed: signed attributes (any SET OF
/// Attribute), SignedInfo (anything whose first element is SignedInfo in XMLDSig's namespace, or that starts like it),
/// CertificationRequestInfo (RFC 2986), TBSCertificate (RFC 5280), or our authenticate structure. A raw signature over
/// such octets would be a signature on a document nobody saw. Errs on the side of yes.
[[nodiscard]] bool is_meaningful_form(View octets);

/// Whether they begin as a SET OF Attribute does, of which the signed attributes of CMS are one.
[[nodiscard]] bool is_set_of_attributes(View octets);

/// First line of our own authenticate structure.
inline constexpr std::string_view authenticate_prefix = "TAMGA-AUTHENTICATE-v1";

inline constexpr std::size_t shortest_challenge = 16; ///< octets; less can be guessed or comes twice
inline constexpr std::size_t longest_challenge = 1024;

/// What a site asks for when somebody signs in to it.
struct SignIn {
    std::string origin;
    Bytes challenge;
};

/// Three lines, "TAMGA-AUTHENTICATE-v1", "origin ORIGIN", "challenge BASE64", each ended by a line feed: what the
/// person is shown, and what the mandate's digest is of. Limits: an origin of printable ASCII, at most 512 octets; a
/// challenge of 16 to 1024. Error: bad_request.
Result<Bytes> sign_in_request(SignIn const& request);

/// The request that is exactly `octets`. Error: bad_request.
Result<SignIn> parse_sign_in_request(View octets);

/// The octets a key signs: the three lines of a sign_in_request, then "certificate SHA-256" in lower-case hexadecimal
/// and "time SECONDS" since 1970. A signature on it is of no use to another site, at another time, or for another key.
[[nodiscard]] Bytes sign_in_statement(View request, ipc::Fingerprint const& certificate, std::int64_t signing_time);

/// What such a statement says.
struct SignInStatement {
    SignIn request;
    std::size_t request_size = 0; ///< octets of the request in it
    ipc::Fingerprint certificate{};
    std::int64_t signing_time = 0; ///< seconds since 1970
};

/// The statement that is exactly `octets`. Error: bad_request.
Result<SignInStatement> read_sign_in_statement(View octets);

/// What exactly such octets commit to; the digest is that of the request in them. Errors: bad_request,
/// algorithm_unavailable.
Result<Commitment> parse_sign_in_statement(View octets, Algorithm const& algorithm);

} // namespace tamga::signing

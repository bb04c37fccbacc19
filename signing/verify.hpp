// Verifies what others signed, and what we signed: CMS and XML, every signer, with time-stamps, chain and revocation.
// The same for `tamga verify` and for programs that ask; words are made of the report elsewhere.
#pragma once

#include "signing/chain.hpp"
#include "signing/fault.hpp"
#include "signing/revocation.hpp"
#include "signing/timestamp.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tamga::signing {

/// A time-stamp on a signature.
struct StampReport {
    Result<void> valid; ///< timestamp_invalid, algorithm_unavailable
    std::int64_t time = 0;
    std::string policy;
    std::optional<Certificate> authority;
    Chain chain;                 ///< of the authority, as of the stamp's time
    RevocationStatus revocation; ///< of the authority: nobody is asked about it, but a list may name it

    /// Whether it proves that the signature was there at its time. A service that was revoked proves nothing, whenever
    /// that was: whoever has its key may write any time.
    [[nodiscard]] bool proves() const noexcept {
        return valid.has_value() && chain.state == ChainState::good && revocation.state != Revocation::revoked;
    }
};

/// What the certificate says that its key is for.
enum class KeyUse : std::uint8_t {
    documents,
    sign_in, ///< marked for that, and not for documents
    other,   ///< not for signatures at all: for encrypting, for issuing certificates
};

/// How much of an XML document was signed.
enum class Coverage : std::uint8_t { whole, part };

enum class Verdict : std::uint8_t {
    good,
    unsettled, ///< nothing is known against it, and something is not known
    bad,
};

struct SignerReport {
    std::optional<Certificate> certificate;
    Result<void> signature;              ///< over the content; errors as in CheckedSigner, xml_target and xml_malformed
    Fault fault;                         ///< why it is not; none where it is
    bool content_seen = true;            ///< false: that the attributes were signed is all that could be verified
    std::vector<std::string> covers;     ///< XML: the Ids of all elements that were signed
    Coverage coverage = Coverage::whole; ///< CMS: always the whole
    std::optional<std::int64_t> claimed_time; ///< as the signer says
    std::vector<StampReport> stamps;
    KeyUse use = KeyUse::documents;
    std::int64_t judged_at = 0; ///< as of when chain and revocation are judged
    Chain chain;
    RevocationStatus revocation;

    [[nodiscard]] Verdict verdict() const noexcept;
};

enum class SignedForm : std::uint8_t { cms, xml };

struct Report {
    SignedForm form{};
    std::vector<SignerReport> signers;

    /// The worst of its signers.
    [[nodiscard]] Verdict verdict() const noexcept;
};

struct VerifySettings {
    TrustSet trusted;
    RevocationCache revocation{{}};
    std::int64_t now = 0;           ///< seconds since 1970
    std::optional<std::int64_t> at; ///< judge as of then; absent: as of a time-stamp that proves one, else now
};

/// `file`: CMS (DER, BER, base64, or PEM and nothing beside it) or XML text. `content`: of a detached CMS; where the
/// CMS holds its content, that one counts and a given one must be the same; XML has no use for it. Blocking. Errors:
/// cms_malformed (no CMS, nobody signed), xml_malformed (or another encoding is declared than UTF-8), xml_target (no
/// signature), unsupported (S/MIME), bad_request (none of these), too_large.
Result<Report> verify_document(View file, std::optional<View> content, VerifySettings const& settings);

/// Whether verify_document takes `file` for XML, if it is anything: its first character is '<'.
[[nodiscard]] bool looks_like_xml(View file);

/// The signatures of an XML document, checked but for their certificates: which certificate, what it covers.
Result<std::vector<SignerReport>> check_xml_signatures(View text);

} // namespace tamga::signing

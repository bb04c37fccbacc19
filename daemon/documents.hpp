// The documents of one request on their way: read, shown, prepared for the chosen certificate, finished with a raw
// signature. The formats behind one set of verbs; nobody else asks "is it XML?".
#pragma once

#include "protocol/request.hpp"
#include "signing/cms.hpp"
#include "signing/xml.hpp"

#include <optional>
#include <variant>

namespace tamga::daemon {

/// Movable, used from one thread at a time (loop or compute).
class Document {
public:
    /// `work` is of the whole request. Errors: xml_malformed, xml_target, too_large, cms_malformed, raw_refused,
    /// digest_length.
    /// `label` says what came of an upload that was not kept; such a document is signed detached alone.
    static Result<Document> read(protocol::Sign const& request, Bytes octets, ipc::DocumentLabel const& label,
                                 signing::XmlWork& work);

    /// The octets whose digest will be signed (or, `digested`, the digest): what the person is shown. Empty where the
    /// document was too large to be kept.
    [[nodiscard]] View shown() const noexcept { return m_shown; }

    /// Makes the octets that go to the token, once; asked again it gives the same. @return to_be_signed().
    Result<View> prepare(signing::Certificate const& signer, std::int64_t now);
    [[nodiscard]] View to_be_signed() const noexcept;

    /// After prepare: the digest of what is shown, by the signer's algorithm.
    [[nodiscard]] Bytes const& digest() const noexcept { return m_digest; }

    /// Verifies `raw_signature` over to_be_signed(), then makes the result the page gets: DER CMS, XML text or the bare
    /// signature. The document is spent. Errors: signature_invalid, internal.
    Result<Bytes> finish(signing::Certificate const& signer, View raw_signature);

    /// After finish of a CMS: the signature as it stands there, which is what a time-stamp is on.
    [[nodiscard]] Bytes const& signature_value() const noexcept { return m_signature_value; }

private:
    struct Cms {
        std::optional<signing::ExistingCms> existing;
        signing::Encapsulation encapsulation{};
    };
    struct Raw {};
    struct SignIn {};
    using Format = std::variant<Cms, signing::XmlDocument, Raw, SignIn>;

    [[nodiscard]] Result<Bytes> digest_for(signing::Certificate const& signer) const;
    Document(Format format, Bytes shown, bool digested)
        : m_format{std::move(format)}, m_shown{std::move(shown)}, m_digested{digested} {}

    Format m_format;
    Bytes m_shown;
    Bytes m_digest;
    Bytes m_to_be_signed; ///< stays empty for raw: there it is what is shown
    Bytes m_signature_value;
    std::vector<ipc::NamedDigest> m_digests; ///< unless empty, of a document that is not here
    bool m_digested;
};

/// Octets of all documents of a request.
[[nodiscard]] std::size_t size_of(protocol::Sign const& request);

/// Reads all of them, or the first error; too_large where XML documents are over signing::max_xml_size together, or
/// cost more than signing::XmlWork lets them. Frees each document of the request as it goes.
Result<std::vector<Document>> read_documents(protocol::Sign& request);

} // namespace tamga::daemon

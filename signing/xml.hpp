// XMLDSig, enveloped or by element Id, as NCALayer writes it (compact: no white space inside ds:Signature, because
// egov.kz re-serialises), with libxml2's canonicalisation. No DTD, no external entity, no network, no XInclude.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/certificate.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tamga::signing {

/// What to sign and where to put the signature; both empty: the whole document, signature last in the root element.
/// The XPath subset: absolute location paths of element names with optional [n] and [@attribute='text'], and //name; at
/// most 1024 octets. Names are compared as they are written in the document, with their prefixes.
struct XmlTarget {
    std::string to_be_signed_xpath;
    std::string signature_parent_xpath;
};

inline constexpr std::size_t max_xml_size = 16 * 1024 * 1024;

/// What the XML documents of one request may cost together, beyond what grows with their size: how often a path looks
/// at a node, and how far canonicalisation has to go for namespaces. A unit is some 5 ns.
class XmlWork {
public:
    /// @param octets  of all documents of the request: what is small may not cost much either
    explicit XmlWork(std::size_t octets) noexcept : m_left{std::min(limit, at_least + octets * for_an_octet)} {}

    /// False from the moment on when it is over the limit.
    bool spend(std::uint64_t units) noexcept {
        m_over = m_over || units > m_left;
        m_left -= m_over ? m_left : units;
        return !m_over;
    }
    [[nodiscard]] bool is_over() const noexcept { return m_over; }

private:
    static constexpr std::uint64_t limit = 300'000'000;
    static constexpr std::uint64_t at_least = 1'000'000;
    static constexpr std::uint64_t for_an_octet = 250;

    std::uint64_t m_left;
    bool m_over = false;
};

/// A document on its way from text to signed text. Movable, not copyable; not thread-safe.
class XmlDocument {
public:
    /// Errors: xml_malformed, whose detail has NCALayer's form "lineNumber: N; columnNumber: N; text" (also for any
    /// DOCTYPE); xml_target (XPath outside the subset, no or several elements, no Id of its own,
    /// signature inside what it signs); too_large (over max_xml_size, or more than is left of `work`).
    static Result<XmlDocument> parse(std::string_view xml, XmlTarget const& target, XmlWork& work);
    /// The same for the only document of a request.
    static Result<XmlDocument> parse(std::string_view xml, XmlTarget const& target);

    XmlDocument(XmlDocument&&) noexcept;
    XmlDocument& operator=(XmlDocument&&) noexcept;
    ~XmlDocument();

    /// The octets whose digest becomes DigestValue: what the person is shown. Comments are not among them: a Reference
    /// to
    /// "" or "#id" leaves them out, whatever the transforms say (XMLDSig, section 4.3.3.3). Error: internal.
    [[nodiscard]] Result<Bytes> canonical() const;

    /// Appends ds:Signature without its value and returns canonical SignedInfo: the octets that go to the token.
    /// `content_digest` is the digest of canonical() by the signer's algorithm. Call once. Errors: digest_length,
    /// internal.
    Result<Bytes> prepare(Certificate const& signer, View content_digest);

    /// Puts the signature value in and gives the document as text:
    /// `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` and the root element. Call once, after prepare.
    Result<std::string> finish(View raw_signature);

private:
    struct State;
    explicit XmlDocument(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tamga::signing

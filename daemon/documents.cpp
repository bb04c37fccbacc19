#include "daemon/documents.hpp"

#include "signing/to_be_signed.hpp"

#include <algorithm>
#include <utility>

namespace tamga::daemon {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

} // namespace

Result<Document> Document::read(protocol::Sign const& request, Bytes octets, ipc::DocumentLabel const& label,
                                signing::XmlWork& work) {
    if (!label.digests.empty()) {
        if (request.format != protocol::Format::cms || request.attached) {
            return Error{Errc::too_large, "such a document can be signed in a detached CMS alone"};
        }
        Cms cms;
        cms.encapsulation = signing::Encapsulation::detached;
        Document document{std::move(cms), Bytes{}, false};
        document.m_digests = label.digests;
        return document;
    }
    switch (request.format) {
    case protocol::Format::cms: {
        Cms cms;
        cms.encapsulation = request.attached ? signing::Encapsulation::attached : signing::Encapsulation::detached;
        if (request.cosign && !request.digested) cms.existing = signing::ExistingCms::recognise(octets);
        if (!cms.existing) return Document{std::move(cms), std::move(octets), request.digested};
        auto content = cms.existing->content();
        if (!content) return content.error();
        return Document{std::move(cms), std::move(*content), false};
    }
    case protocol::Format::xml: {
        signing::XmlTarget const target{request.to_be_signed_xpath, request.signature_parent_xpath};
        auto document = signing::XmlDocument::parse(as_text(octets), target, work);
        if (!document) return document.error();
        auto canonical = document->canonical();
        if (!canonical) return canonical.error();
        return Document{std::move(*document), std::move(*canonical), false};
    }
    case protocol::Format::raw:
        if (request.digested) return Error{Errc::raw_refused, "a bare digest"};
        if (signing::is_meaningful_form(octets)) return Error{Errc::raw_refused, "a form that means something signed"};
        return Document{Raw{}, std::move(octets), false};
    case protocol::Format::authenticate:
        if (auto said = signing::parse_sign_in_request(octets); !said) return said.error();
        return Document{SignIn{}, std::move(octets), false};
    }
    return Errc::internal;
}

View Document::to_be_signed() const noexcept {
    return std::holds_alternative<Raw>(m_format) ? View{m_shown} : View{m_to_be_signed};
}

Result<Bytes> Document::digest_for(signing::Certificate const& signer) const {
    auto const algorithm = signer.algorithm().digest;
    if (m_digested) return m_shown;
    if (m_digests.empty()) return signing::digest(algorithm, m_shown);
    auto const made = std::ranges::find(m_digests, signing::name_of(algorithm).oid, &ipc::NamedDigest::algorithm);
    return made == m_digests.end() ? Result<Bytes>{Errc::digest_length} : made->value;
}

Result<View> Document::prepare(signing::Certificate const& signer, std::int64_t now) {
    if (!m_digest.empty()) return to_be_signed();
    auto digest = digest_for(signer);
    if (!digest) return digest.error();
    m_digest = *std::move(digest);
    if (std::holds_alternative<Raw>(m_format)) return to_be_signed();
    auto made = std::visit(
        Overloaded{
            [&](Cms&) { return signing::prepare_cms(signer, m_digest, now); },
            [&](signing::XmlDocument& document) { return document.prepare(signer, m_digest); },
            [&](Raw&) { return Result<Bytes>{Errc::internal}; },
            [&](SignIn&) { return Result<Bytes>{signing::sign_in_statement(m_shown, signer.fingerprint(), now)}; },
        },
        m_format);
    if (!made) return made.error();
    m_to_be_signed = std::move(*made);
    return to_be_signed();
}

Result<Bytes> Document::finish(signing::Certificate const& signer, View raw_signature) {
    if (auto verified = signing::verify_raw(signer, to_be_signed(), raw_signature); !verified) return verified.error();
    return std::visit(
        Overloaded{
            [&](Cms& cms) -> Result<Bytes> {
                auto value = signing::to_cms_signature(signer.algorithm(), raw_signature);
                if (!value) return value.error();
                m_signature_value = std::move(*value);
                auto const content = std::exchange(m_shown, {});
                return signing::finish_cms(signer, m_to_be_signed, raw_signature, content, cms.encapsulation,
                                           cms.existing ? &*cms.existing : nullptr);
            },
            [&](signing::XmlDocument& document) -> Result<Bytes> {
                auto text = document.finish(raw_signature);
                if (!text) return text.error();
                return to_bytes(as_view(*text));
            },
            [&](Raw&) { return Result<Bytes>{signing::to_bare_signature(signer.algorithm(), raw_signature)}; },
            [&](SignIn&) { return signing::to_cms_signature(signer.algorithm(), raw_signature); },
        },
        m_format);
}

std::size_t size_of(protocol::Sign const& request) {
    std::size_t size = 0;
    for (auto const& document : request.documents)
        size += document.size();
    return size;
}

Result<std::vector<Document>> read_documents(protocol::Sign& request) {
    if (request.format == protocol::Format::xml && size_of(request) > signing::max_xml_size) {
        return Error{Errc::too_large, "XML documents of one request"};
    }
    signing::XmlWork work{size_of(request)};
    std::vector<Document> documents;
    documents.reserve(request.documents.size());
    ipc::DocumentLabel const none;
    for (std::size_t i = 0; i < request.documents.size(); ++i) {
        auto const& label = request.labels.empty() ? none : request.labels[i];
        auto document = Document::read(request, std::exchange(request.documents[i], {}), label, work);
        if (!document) return document.error();
        documents.push_back(std::move(*document));
    }
    return documents;
}

} // namespace tamga::daemon

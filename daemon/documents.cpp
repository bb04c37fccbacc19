#include "daemon/documents.hpp"

#include "signing/to_be_signed.hpp"

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

Result<Document> Document::read(protocol::Sign const& request, Bytes octets) {
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
        auto document = signing::XmlDocument::parse(as_text(octets), target);
        if (!document) return document.error();
        auto canonical = document->canonical();
        if (!canonical) return canonical.error();
        return Document{std::move(*document), std::move(*canonical), false};
    }
    case protocol::Format::raw:
        if (request.digested) return Error{Errc::raw_refused, "a bare digest"};
        if (signing::is_meaningful_form(octets)) return Error{Errc::raw_refused, "a form that means something signed"};
        return Document{Raw{}, std::move(octets), false};
    }
    return Errc::internal;
}

View Document::to_be_signed() const noexcept {
    return std::holds_alternative<Raw>(m_format) ? View{m_shown} : View{m_to_be_signed};
}

Result<View> Document::prepare(signing::Certificate const& signer, std::int64_t now) {
    if (std::holds_alternative<Raw>(m_format) || !m_to_be_signed.empty()) return to_be_signed();
    auto const digest = m_digested ? Result<Bytes>{m_shown} : signing::digest(signer.algorithm().digest, m_shown);
    if (!digest) return digest.error();
    auto made = std::visit(Overloaded{
                               [&](Cms&) { return signing::prepare_cms(signer, *digest, now); },
                               [&](signing::XmlDocument& document) { return document.prepare(signer, *digest); },
                               [&](Raw&) { return Result<Bytes>{Errc::internal}; },
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
    std::vector<Document> documents;
    documents.reserve(request.documents.size());
    for (auto& octets : request.documents) {
        auto document = Document::read(request, std::exchange(octets, {}));
        if (!document) return document.error();
        documents.push_back(std::move(*document));
    }
    return documents;
}

} // namespace tamga::daemon

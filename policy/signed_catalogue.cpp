#include "policy/signed_catalogue.hpp"

#include "signing/digest.hpp"
#include "signing/signed_data.hpp"
#include "signing/verify.hpp"

#include <algorithm>

namespace tamga::policy {

namespace {

std::variant<signing::SignerReport, Refused> signer_of(View cms, std::vector<Publisher> const& publishers,
                                                       signing::RevocationCache const& revocation, std::int64_t now) {
    std::vector<signing::Certificate> certificates;
    for (auto const& publisher : publishers)
        certificates.push_back(publisher.certificate);
    signing::VerifySettings settings;
    settings.trusted = signing::TrustSet{std::move(certificates)};
    settings.revocation = revocation;
    settings.now = now;
    auto report = signing::verify_document(cms, std::nullopt, settings);
    if (!report) return Refused{Refusal::not_signed, report.error().detail};
    if (report->signers.size() != 1)
        return Refused{Refusal::not_signed, std::to_string(report->signers.size()) + " signers instead of one"};
    auto& signer = report->signers.front();
    if (!signer.content_seen) return Refused{Refusal::not_signed, "the content is not inside"};
    if (!signer.signature) return Refused{Refusal::signature, signer.signature.error().detail};
    return std::move(signer);
}

/// The certificate itself must be among those of publishers.d: nobody is one because an authority knows them.
std::optional<Refused> misgiving(signing::SignerReport const& signer, std::vector<Publisher> const& publishers) {
    auto const name = signer.certificate ? signer.certificate->log_name() : std::string{"none"};
    auto const is_signer = [&](Publisher const& publisher) {
        return signer.certificate && publisher.certificate.fingerprint() == signer.certificate->fingerprint();
    };
    if (std::ranges::none_of(publishers, is_signer))
        return Refused{Refusal::publisher, "certificate " + name + " is not in publishers.d"};
    if (signer.chain.state != signing::ChainState::good)
        return Refused{Refusal::publisher, "certificate " + name + ": " + signer.chain.detail};
    if (signer.revocation.state == signing::Revocation::revoked)
        return Refused{Refusal::publisher, "certificate " + name + " was revoked"};
    return std::nullopt;
}

} // namespace

Judged judge_catalogue(View cms, std::vector<Publisher> const& publishers, signing::RevocationCache const& revocation,
                       std::int64_t now) {
    auto const data = signing::read_signed_data(cms);
    if (!data) return Refused{Refusal::not_signed, "no CMS SignedData in DER"};
    auto judged = signer_of(cms, publishers, revocation, now);
    if (auto* refused = std::get_if<Refused>(&judged)) return std::move(*refused);
    auto const& signer = std::get<signing::SignerReport>(judged);
    if (auto refused = misgiving(signer, publishers)) return *std::move(refused);

    auto const content = signing::content_of(*data);
    if (!content || !*content) return Refused{Refusal::not_signed, "the content is not inside"};
    auto catalogue = parse_catalogue(as_text(**content));
    if (!catalogue) return Refused{Refusal::malformed, catalogue.error().detail};
    auto const speaks_for_it = [&](Publisher const& publisher) {
        return publisher.body == catalogue->body &&
               publisher.certificate.fingerprint() == signer.certificate->fingerprint();
    };
    auto const publisher = std::ranges::find_if(publishers, speaks_for_it);
    if (publisher == publishers.end())
        return Refused{Refusal::other_body,
                       "certificate " + signer.certificate->log_name() + " does not speak for " + catalogue->body};
    if (now < catalogue->valid_from) return Refused{Refusal::not_yet_valid, catalogue->id};
    if (now > catalogue->valid_until) return Refused{Refusal::expired, catalogue->id};
    return Verified{*std::move(catalogue), publisher->name, signer.certificate->log_name(),
                    to_hex(signing::sha256(**content))};
}

std::string_view words(Language language, Refusal why) noexcept {
    switch (why) {
    case Refusal::unreadable: return text(language, "The file cannot be read, or others could have written it.");
    case Refusal::not_signed: return text(language, "This is no catalogue signed by one publisher.");
    case Refusal::signature: return text(language, "The signature is not valid: the file was changed or damaged.");
    case Refusal::publisher: return text(language, "Whoever signed it is no publisher that this computer trusts.");
    case Refusal::other_body: return text(language, "Its publisher may not speak for the body that it names.");
    case Refusal::malformed: return text(language, "The signature is valid, but what was signed is no catalogue.");
    case Refusal::not_yet_valid: return text(language, "It is not valid yet.");
    case Refusal::expired: return text(language, "It is not valid any more.");
    case Refusal::older: return text(language, "A later version of it was seen on this computer before.");
    case Refusal::changed:
        return text(language, "It says something else than the file of the same version that was seen before.");
    case Refusal::taken: return text(language, "One of its services is in another catalogue of the same body.");
    }
    return {};
}

std::string_view name_of(Refusal why) noexcept {
    switch (why) {
    case Refusal::unreadable: return "unreadable";
    case Refusal::not_signed: return "not_signed";
    case Refusal::signature: return "signature";
    case Refusal::publisher: return "publisher";
    case Refusal::other_body: return "other_body";
    case Refusal::malformed: return "malformed";
    case Refusal::not_yet_valid: return "not_yet_valid";
    case Refusal::expired: return "expired";
    case Refusal::older: return "older";
    case Refusal::changed: return "changed";
    case Refusal::taken: return "taken";
    }
    return "";
}

} // namespace tamga::policy

#include "cli/services.hpp"

#include "base/date.hpp"
#include "cli/printable.hpp"

#include <algorithm>

namespace tamga::cli {

namespace {

using policy::Service;

template <class List>
std::string joined(List const& list) {
    std::string text;
    for (auto const& each : list)
        text.append(text.empty() ? "" : ", ").append(each);
    return text;
}

void explain(Language language, policy::Classification const& classification, std::ostream& out) {
    for (auto const& reason : classification.reasons)
        out << "   " << policy::words(language, reason) << '\n';
    out << text(language, "Result: %1.", {policy::words(language, classification.method)}) << '\n';
    for (auto const method : classification.alternatives)
        out << text(language, "Accepted in its place: %1.", {policy::words(language, method)}) << '\n';
    out << policy::edition_words(language) << '\n';
}

std::string role_words(Language language, std::string const& oid) {
    auto const* known = std::ranges::find(policy::known_roles, oid, &policy::Role::oid);
    if (known == std::end(policy::known_roles)) return oid;
    if (known->name == "individual") return std::string{text(language, "an individual")};
    if (known->name == "organisation") return std::string{text(language, "anybody of an organisation")};
    if (known->name == "first_head") return std::string{text(language, "the first head of an organisation")};
    if (known->name == "signatory") return std::string{text(language, "who may sign for an organisation")};
    if (known->name == "financial_signatory")
        return std::string{text(language, "who may sign financial documents of an organisation")};
    if (known->name == "hr") return std::string{text(language, "the human resources of an organisation")};
    if (known->name == "employee") return std::string{text(language, "an employee of an organisation")};
    return std::string{text(language, "an information system")};
}

std::string recipient_words(Language language, policy::Recipients recipients) {
    if (!recipients.organisations) return std::string{text(language, "people")};
    if (!recipients.people) return std::string{text(language, "organisations")};
    return std::string{text(language, "people and organisations")};
}

std::string channel_words(Language language, policy::Channel channel) {
    switch (channel) {
    case policy::Channel::portal: return std::string{text(language, "portal")};
    case policy::Channel::mobile_application: return std::string{text(language, "mobile application")};
    case policy::Channel::instant_message: return std::string{text(language, "instant message")};
    case policy::Channel::sms: return std::string{text(language, "SMS")};
    }
    return {};
}

void describe(Language language, policy::KnownService const& known, std::ostream& out) {
    auto const& service = known.service;
    out << service.id << '\n' << service.name.in(language) << '\n';
    auto const line = [&](char const* message, std::string const& value) {
        out << "   " << text(language, message, {value}) << '\n';
    };
    line(message_id("classified by: %1"), known.body.in(language) + ", " + service.classified_on);
    line(message_id("provider: %1"), service.provider.in(language));
    line(message_id("for: %1"), recipient_words(language, service.recipients));
    line(message_id("channel: %1"), channel_words(language, service.channel));
    line(message_id("sites: %1"), joined(service.origins));
    std::vector<std::string> roles;
    for (auto const& oid : service.roles)
        roles.push_back(role_words(language, oid));
    if (!roles.empty()) line(message_id("signed by one of these: %1"), joined(roles));
    line(message_id("catalogue: %1"), known.catalogue);
    explain(language, known.classification, out);
}

void say_refused(Language language, std::filesystem::path const& file, policy::Refused const& refused,
                 std::ostream& out) {
    out << text(language, "Refused: %1", {printable(file.string())}) << '\n'
        << "   " << policy::words(language, refused.why) << '\n'
        << "   " << printable(refused.detail) << '\n';
}

policy::ServiceBook book_of(ServiceSettings const& settings) {
    policy::ServiceBook book{settings.folders, settings.user, policy::Remembering::looked_at};
    book.refresh(settings.now);
    return book;
}

} // namespace

int classify_service(Language language, policy::Criteria const& criteria, policy::Flags flags, policy::Channel channel,
                     std::ostream& out) {
    explain(language, policy::classify(criteria, flags, channel), out);
    return 0;
}

void describe(Language language, policy::Catalogue const& catalogue, std::ostream& out) {
    out << text(language, "Catalogue %1, version %2, from %3 to %4",
                {catalogue.id, std::to_string(catalogue.version), local_date(catalogue.valid_from),
                 local_date(catalogue.valid_until)})
        << '\n';
    if (!catalogue.note.empty()) out << catalogue.note << '\n';
    for (auto const& service : catalogue.services) {
        auto const classification = policy::classify(service.criteria, service.flags, service.channel);
        out << "   " << service.id << ": " << service.name.in(language) << '\n'
            << "      " << policy::words(language, classification.method) << "; " << joined(service.origins) << '\n';
    }
}

int list_services(ServiceSettings const& settings, std::ostream& out) {
    auto const language = settings.language;
    auto const book = book_of(settings);
    for (auto const& [file, verified, is_copy] : book.in_effect()) {
        describe(language, verified.catalogue, out);
        out << "   "
            << text(language, is_copy ? message_id("the last good copy of %1") : message_id("from %1"), {file.string()})
            << '\n';
    }
    if (book.in_effect().empty()) out << text(language, "No catalogue of services is in effect here.") << '\n';
    for (auto const& [file, refused] : book.refused())
        say_refused(language, file, refused, out);
    return book.refused().empty() ? 0 : 1;
}

int show_service(ServiceSettings const& settings, std::string const& id, std::ostream& out) {
    auto const book = book_of(settings);
    auto const known = std::ranges::find_if(book.services(), [&](auto const& each) { return each.service.id == id; });
    if (known == book.services().end()) {
        out << text(settings.language, "No catalogue that is in effect here has the service %1.", {printable(id)})
            << '\n';
        return 1;
    }
    describe(settings.language, *known, out);
    return 0;
}

int verify_catalogue(ServiceSettings const& settings, std::filesystem::path const& file, std::ostream& out) {
    policy::ServiceBook const book{settings.folders, settings.user, policy::Remembering::looked_at};
    auto const judged = book.judge(file, settings.now);
    if (auto const* refused = std::get_if<policy::Refused>(&judged)) {
        say_refused(settings.language, file, *refused, out);
        return 1;
    }
    auto const& verified = std::get<policy::Verified>(judged);
    describe(settings.language, verified.catalogue, out);
    out << text(settings.language, "Signed by the publisher of %1 (certificate %2). Result: valid.",
                {verified.body.in(settings.language), verified.publisher})
        << '\n';
    return 0;
}

} // namespace tamga::cli

#include "prompt/ends.hpp"

#include "signing/certificate.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>
#include <chrono>

namespace tamga::prompt {

namespace {

constexpr std::chrono::seconds patience{10};

/// So many digests of up to 64 octets fit into one message.
constexpr std::size_t digests_a_message = 512;

/// More than any request brings (protocol/).
constexpr std::size_t most_documents = 10'000;

/// How long a mandate may be used: a slow card needs up to 3 s for a signature.
std::uint32_t lifetime_s(std::size_t documents) {
    return static_cast<std::uint32_t>(120 + 5 * documents);
}

/// For work on keys: a card looks for prime numbers for minutes, twice where there are two pairs.
constexpr std::uint32_t key_work_lifetime_s = 1800;

Result<ipc::Channel> taken_from(ipc::Packet& packet) {
    if (packet.descriptors.size() != 1) return Error{Errc::message_malformed, "one descriptor expected"};
    return ipc::Channel{std::move(packet.descriptors.front())};
}

Result<Documents> documents_of(ipc::Packet& packet, ipc::PromptRequest const& request) {
    if (packet.descriptors.empty()) return Documents{};
    auto items = SealedItems::open(packet.descriptors.front(), request.labelled ? 2 * most_documents : most_documents);
    if (!items) return items.error();
    if (request.labelled) return Documents::labelled(std::move(*items));
    return Documents{std::move(*items), request.digested};
}

/// What is signed to sign in names the site, and it is the one the window names.
Result<void> check_sign_in(ipc::PromptRequest const& request, View item) {
    auto const said = signing::parse_sign_in_request(item);
    if (!said) return said.error();
    if (request.purpose == ipc::Purpose::sign_in && said->origin == request.origin) return ok();
    return Error{Errc::message_malformed, "a sign-in to another site than the one that asks"};
}

/// What a page may never ask for, whatever tamga-web lets it: it costs keys, or a token.
bool is_for_commands_alone(ipc::KeyOperation const& operation) {
    return std::holds_alternative<ipc::DeletePair>(operation) || std::holds_alternative<ipc::SetLabel>(operation);
}

/// Nothing is agreed to that cannot be told in words.
bool can_be_shown(ipc::KeyOperation const& operation) {
    if (auto const* const wanted = std::get_if<ipc::SignCertificationRequest>(&operation)) {
        return signing::name_in_words(wanted->subject).has_value();
    }
    auto const* const stored = std::get_if<ipc::StoreCertificate>(&operation);
    return stored == nullptr || signing::Certificate::parse(stored->certificate).has_value();
}

Result<void> check_key_work(ipc::PromptRequest const& request) {
    auto const& operations = request.operations;
    if ((request.purpose == ipc::Purpose::key_work) == operations.empty()) {
        return Error{Errc::message_malformed, "operations and purpose disagree"};
    }
    bool const by_page = !request.origin.empty();
    if (by_page &&
        (request.purpose == ipc::Purpose::unblock_pin || std::ranges::any_of(operations, is_for_commands_alone))) {
        return Error{Errc::key_work_denied, "for commands alone"};
    }
    if (std::ranges::all_of(operations, can_be_shown)) return ok();
    return Error{Errc::message_malformed, "an operation that cannot be shown"};
}

/// A signature needs something to sign; where nothing is signed there must be nothing. Of a digest nobody can see what
/// it stands for: only a CMS says that it is a signature of a document.
Result<void> check(Sheet const& sheet) {
    if (auto checked = check_key_work(sheet.request); !checked) return checked;
    auto const purpose = sheet.request.purpose;
    if (sheet.request.digested && sheet.request.form != ipc::Form::cms) {
        return Error{Errc::message_malformed, "digests are for CMS"};
    }
    for (std::size_t i = 0; i < sheet.documents.count(); ++i) {
        if (!sheet.documents.digests(i).empty() && sheet.request.form != ipc::Form::cms) {
            return Error{Errc::message_malformed, "digests are for CMS"};
        }
        if (sheet.request.form != ipc::Form::authenticate) continue;
        if (auto checked = check_sign_in(sheet.request, sheet.documents.octets(i)); !checked) return checked;
    }
    bool const signs = purpose == ipc::Purpose::sign || purpose == ipc::Purpose::sign_in;
    if (signs == (sheet.documents.count() != 0)) return ok();
    return Error{Errc::message_malformed, "documents and purpose disagree"};
}

} // namespace

Result<Ends> receive_ends(ipc::Channel control) {
    if (auto said = ipc::say_hello(control, ipc::Role::prompt); !said) return said.error();
    if (auto heard = ipc::await_hello(control, ipc::Role::launcher, patience); !heard) return heard.error();

    Ends ends;
    std::optional<std::chrono::milliseconds> limit; // none for the first: until there is a request we are a spare
    while (true) {
        auto packet = control.receive(limit);
        if (!packet) return packet.error();
        limit = patience;
        if (packet->is<ipc::TokenChannel>()) {
            auto const message = packet->as<ipc::TokenChannel>();
            if (!message) return message.error();
            auto channel = taken_from(*packet);
            if (!channel) return channel.error();
            // A process that is gone already shows when its answer is awaited; the others do not notice.
            (void)ipc::say_hello(*channel, ipc::Role::prompt);
            (void)channel->send(ipc::ListKeys{listing_query, ipc::Depth::certificates});
            ends.tokens[message->module].channel = std::move(*channel);
            continue;
        }
        if (auto const message = packet->as<ipc::WebChannel>(); !message) return message.error();
        auto channel = taken_from(*packet);
        if (!channel) return channel.error();
        ends.web = std::move(*channel);
        if (auto said = ipc::say_hello(ends.web, ipc::Role::prompt); !said) return said.error();
        if (auto heard = ipc::await_hello(ends.web, ipc::Role::web, patience); !heard) return heard.error();
        ends.control = std::move(control);
        return ends;
    }
}

Result<Sheet> receive_request(ipc::Channel& web) {
    auto packet = web.receive(patience);
    if (!packet) return packet.error();
    auto request = packet->as<ipc::PromptRequest>();
    if (!request) return request.error();
    auto documents = documents_of(*packet, *request);
    if (!documents) return documents.error();
    Sheet sheet;
    sheet.documents = std::move(*documents);
    sheet.request = std::move(*request);
    if (auto checked = check(sheet); !checked) return checked.error();
    return sheet;
}

Result<void> send_key_mandate(ipc::Channel& token, Sheet const& sheet) {
    return token.send(ipc::KeyMandate{sheet.request.request, key_work_lifetime_s, sheet.request.operations});
}

Result<void> send_mandate(ipc::Channel& token, Sheet const& sheet, signing::Certificate const& certificate) {
    auto const& documents = sheet.documents;
    ipc::Mandate mandate;
    mandate.request = sheet.request.request;
    mandate.form = sheet.request.form;
    mandate.certificate = certificate.fingerprint();
    mandate.expires_in_s = lifetime_s(documents.count());
    for (std::size_t i = 0; i < documents.count(); ++i) {
        auto digest = documents.digest(i, certificate.algorithm().digest);
        if (!digest) return digest.error();
        mandate.digests.push_back(std::move(*digest));
        mandate.last = i + 1 == documents.count();
        if (!mandate.last && mandate.digests.size() < digests_a_message) continue;
        if (auto sent = token.send(mandate); !sent) return sent;
        mandate.digests.clear();
    }
    return ok();
}

} // namespace tamga::prompt

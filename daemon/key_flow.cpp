#include "daemon/key_flow.hpp"

#include "base/base64.hpp"
#include "base/log.hpp"
#include "daemon/key_statements.hpp"
#include "signing/certificate_file.hpp"

#include <sys/random.h>

#include <algorithm>
#include <ctime>

namespace tamga::daemon {

namespace v1 = protocol::v1;

namespace {

std::int64_t now() {
    return std::time(nullptr);
}

/// A CKA_ID for a pair that is to be made: known before there is one, so that an attempt that broke off is no riddle.
Bytes new_pair_id() {
    auto id = to_bytes(as_view(ipc::made_here));
    id.resize(ipc::pair_id_size);
    auto const drawn = std::span{id}.subspan(ipc::made_here.size());
    while (::getrandom(drawn.data(), drawn.size(), 0) != static_cast<::ssize_t>(drawn.size())) {
    }
    return id;
}

/// What is issued today in the place of a key: of the kind that ended in 2025 there are no new ones.
ipc::PairKind successor_of(signing::KeyAlgorithm algorithm) {
    switch (algorithm) {
    case signing::KeyAlgorithm::rsa: return ipc::PairKind::rsa_2048;
    case signing::KeyAlgorithm::ec_p256: return ipc::PairKind::ec_p256;
    case signing::KeyAlgorithm::gost2015_256: return ipc::PairKind::gost2015_256;
    case signing::KeyAlgorithm::gost2015_512:
    case signing::KeyAlgorithm::gost2004: return ipc::PairKind::gost2015_512;
    }
    return ipc::PairKind::gost2015_512;
}

signing::KeyAlgorithm algorithm_of(ipc::PairKind kind) {
    switch (kind) {
    case ipc::PairKind::rsa_2048: return signing::KeyAlgorithm::rsa;
    case ipc::PairKind::ec_p256: return signing::KeyAlgorithm::ec_p256;
    case ipc::PairKind::gost2015_256: return signing::KeyAlgorithm::gost2015_256;
    case ipc::PairKind::gost2015_512: return signing::KeyAlgorithm::gost2015_512;
    }
    return signing::KeyAlgorithm::rsa;
}

KeyUse use_of(signing::Certificate const& certificate) {
    auto const word = policy::use_of(certificate);
    if (word == "both") return KeyUse::both;
    return word == "authentication" ? KeyUse::authentication : KeyUse::signature;
}

ipc::PairUse pair_use(KeyUse use) {
    switch (use) {
    case KeyUse::authentication: return ipc::PairUse::sign_in;
    case KeyUse::signature: return ipc::PairUse::sign;
    case KeyUse::both: return ipc::PairUse::both;
    }
    return ipc::PairUse::both;
}

/// The key that signs the application: the one for signatures, where there are two.
ApplicationKey const& signer_of(Application const& application) {
    auto const found =
        std::ranges::find_if(application.keys, [](auto const& key) { return key.use != KeyUse::authentication; });
    return found == application.keys.end() ? application.keys.front() : *found;
}

/// Online an application is signed with the present key, which counts only while its certificate does.
Result<void> in_time(Application const& application, std::int64_t time) {
    auto const present = signing::Certificate::parse(signer_of(application).present);
    if (!present) return Error{Errc::application_damaged, "present certificate"};
    return time > present->not_after() ? Result<void>{Errc::renewal_too_late} : ok();
}

/// The new certificates, which are for keys that `application` has made, in their places. Those of authorities, which a
/// PKCS#7 brings along, are left out. Error: certificate_mismatch, where one is for no key of it.
Result<std::size_t> fill_in(Application& application, std::vector<signing::Certificate> const& certificates) {
    std::size_t count = 0;
    for (auto const& certificate : certificates) {
        auto* const key = key_for(application, signing::public_key_of(certificate));
        if (key == nullptr) {
            return Error{Errc::certificate_mismatch,
                         "certificate " + certificate.log_name() + " is for no key of " + application.number};
        }
        key->certificate = certificate.der();
        ++count;
    }
    return count;
}

Result<std::vector<signing::Certificate>> read_files(std::vector<Bytes> const& files) {
    std::vector<signing::Certificate> certificates;
    for (auto const& octets : files) {
        auto file = signing::read_certificate_file(octets);
        if (!file) return file.error();
        for (auto& certificate : file->certificates) {
            if (!signing::is_authority(certificate)) certificates.push_back(std::move(certificate));
        }
    }
    if (certificates.empty()) return Error{Errc::bad_request, "files: no certificate of a person or organisation"};
    return certificates;
}

Tree describe_pair(ipc::PairFound const& pair) {
    Tree tree;
    tree.add("id", to_hex(pair.id)).add("label", pair.label).add("made_here", pair.is_ours());
    tree.add("private_key", pair.has_private_key);
    auto const key = signing::read_public_key(pair.public_key);
    if (key) tree.add("algorithm", key->algorithm->name);
    return tree.add_unless_empty("public_key", to_base64(pair.public_key));
}

/// The pairs that the application is to take the place of, as far as they are still on the token.
Tree::List old_pairs(Application const& application, std::vector<ipc::PairFound> const& pairs) {
    Tree::List found;
    for (auto const& key : application.keys) {
        auto const present = signing::Certificate::parse(key.present);
        if (!present) continue;
        auto const public_key = signing::public_key_of(*present);
        for (auto const& pair : pairs) {
            if (pair.public_key == public_key.der) found.push_back(describe_pair(pair));
        }
    }
    return found;
}

} // namespace

// ---- who may ----

Result<void> KeyFlow::may_ask(Asker const& asker, v1::Method const& method) const {
    if (asker.is_command) return ok();
    bool const named = policy::judge(m_settings.granted, asker.origin) == policy::Verdict::allowed;
    bool const open = v1::reserved(method) != v1::Reserved::commands;
    return named && open ? ok() : Result<void>{Errc::key_work_denied};
}

Task<Result<Tree>> KeyFlow::run(Asker asker, v1::Method method) {
    if (auto allowed = may_ask(asker, method); !allowed) co_return allowed.error();
    if (auto settled = co_await m_parts.sign_flow.settle_site(asker); !settled) co_return settled.error();
    Result<Tree> told{Errc::unsupported};
    if (auto* list = std::get_if<v1::ListKeys>(&method)) {
        told = co_await act(std::move(asker), std::move(*list));
    } else if (auto* renew = std::get_if<v1::RenewKeys>(&method)) {
        told = co_await act(std::move(asker), std::move(*renew));
    } else if (auto* install = std::get_if<v1::InstallCertificates>(&method)) {
        told = co_await act(std::move(asker), std::move(*install));
    } else if (auto* unwanted = std::get_if<v1::DeleteKey>(&method)) {
        told = co_await act(std::move(asker), std::move(*unwanted));
    } else if (auto* label = std::get_if<v1::LabelKey>(&method)) {
        told = co_await act(std::move(asker), std::move(*label));
    } else if (auto* change = std::get_if<v1::ChangePin>(&method)) {
        told = co_await act(std::move(asker), std::move(*change));
    } else if (auto* unblock = std::get_if<v1::UnblockPin>(&method)) {
        told = co_await act(std::move(asker), std::move(*unblock));
    } else if (std::holds_alternative<v1::ListApplications>(method)) {
        told = co_await act(std::move(asker), v1::ListApplications{}); // owns nothing
    } else if (auto* show = std::get_if<v1::ShowApplication>(&method)) {
        told = co_await act(std::move(asker), std::move(*show));
    } else if (auto* submission = std::get_if<v1::NoteSubmission>(&method)) {
        told = co_await act(std::move(asker), std::move(*submission));
    }
    co_return told;
}

// ---- the window and the token ----

Task<Result<KeyFlow::Work>> KeyFlow::begin(Asker asker, v1::TokenWanted token, Steps steps) {
    ipc::PromptRequest question;
    question.purpose = ipc::Purpose::key_work;
    question.operations = std::move(steps);
    question.token_serial = std::move(token.serial);
    if (!token.storage.empty()) question.storages.push_back(std::move(token.storage));
    auto const total = static_cast<std::uint32_t>(question.operations.size());
    auto work = co_await ask(asker, std::move(question));
    if (!work) co_return work.error();
    work->total = total;
    auto process = co_await m_parts.keys.process(work->prompt->request(), work->accepted.module);
    if (!process) co_return process.error();
    work->lease = std::make_unique<Lease>(*process, work->prompt->request());
    co_return work;
}

Task<Result<KeyFlow::Work>> KeyFlow::ask(Asker asker, ipc::PromptRequest question) {
    co_await m_parts.keys.await_restarts();
    bool const files_alone = question.storages == std::vector<std::string>{std::string{ipc::key_file_storage}};
    auto const modules = files_alone ? Result<std::uint64_t>{0} : m_parts.keys.modules();
    if (!modules) co_return modules.error();
    auto prompt = co_await m_parts.prompts.open(*modules, asker.name());
    if (!prompt) co_return prompt.error();
    question.language = asker.language;
    question.origin = asker.origin;
    question.user_authorities = m_parts.revocations.user_authorities() == signing::UserAuthorities::counted;
    asker.tell(protocol::Stage::asking, 0, 0);
    auto reply = co_await (*prompt)->ask(std::move(question), UniqueFd{}, m_settings.prompt_limit);
    if (!reply.decision) co_return reply.decision.error();
    co_return Work{std::move(*prompt), nullptr, std::move(*reply.decision), 0};
}

Task<Result<Lease::Performed>> KeyFlow::perform(Work& work, Asker const& asker, std::uint32_t index, Bytes octets) {
    work.prompt->progress(index, work.total, ipc::Stage::key_work);
    asker.tell(protocol::Stage::key_work, index, work.total);
    // The window stays alive over the minutes that a token may take: each step is one more word to it.
    std::function<void(ipc::KeyStep)> stepped = [&work, index](ipc::KeyStep) {
        work.prompt->progress(index, work.total, ipc::Stage::key_work);
    };
    auto performed = co_await work.lease->perform(index, std::move(octets), std::move(stepped));
    co_return performed;
}

/// Tells the window how it ended, once the token has logged out.
Task<Result<void>> KeyFlow::end(Work& work, Result<void> outcome) {
    if (outcome) {
        work.prompt->progress(work.total, work.total, ipc::Stage::key_work);
        outcome = co_await work.lease->finish();
    }
    work.prompt->done(outcome);
    co_return outcome;
}

Task<Result<void>> KeyFlow::perform_all(Work& work, Asker const& asker) {
    Result<void> outcome = ok();
    for (std::uint32_t i = 0; i < work.total && outcome; ++i) {
        auto performed = co_await perform(work, asker, i, {});
        if (!performed) outcome = performed.error();
    }
    outcome = co_await end(work, outcome);
    co_return outcome;
}

/// With what is known of the token that is meant: the only one there is, or that with the number.
Task<v1::TokenWanted> KeyFlow::known_token(v1::TokenWanted wanted) {
    auto const tokens = co_await m_parts.keys.list();
    if (!tokens) co_return wanted;
    std::vector<ipc::TokenInfo> fit;
    for (auto const& token : *tokens) {
        bool const fits = (wanted.serial.empty() || token.serial == wanted.serial) &&
                          (wanted.storage.empty() || token.storage == wanted.storage);
        if (fits) fit.push_back(token);
    }
    if (fit.size() == 1) wanted = {fit.front().storage, fit.front().serial};
    co_return wanted;
}

// ---- listing ----

Tree KeyFlow::describe(signing::Certificate const& certificate) const {
    auto const trusted = m_parts.revocations.trusted();
    auto const judgement =
        signing::judge(certificate, {}, trusted, m_parts.revocations.cache(), signing::Strictness::lenient, now());
    return policy::describe(certificate, policy::state_of(certificate, judgement.revocation.state, now()));
}

/// Pairs with their certificates, and certificates without a pair.
Tree KeyFlow::describe(Lease::Performed const& listed) const {
    std::vector<signing::Certificate> certificates;
    for (auto const& der : listed.certificates) {
        if (auto certificate = signing::Certificate::parse(der)) certificates.push_back(std::move(*certificate));
    }
    Tree::List keys;
    for (auto const& pair : listed.done.pairs) {
        Tree::List its_own;
        for (auto const& certificate : certificates) {
            if (std::ranges::find(pair.certificates, certificate.fingerprint()) != pair.certificates.end())
                its_own.push_back(describe(certificate));
        }
        auto tree = describe_pair(pair);
        std::string state{name_of(policy::KeyState::no_certificate)};
        if (!its_own.empty()) state = its_own.front().text("state");
        if (!pair.has_private_key) state = name_of(policy::KeyState::no_key);
        tree.add("state", std::move(state)).add("certificates", std::move(its_own));
        keys.push_back(std::move(tree));
    }
    for (auto const& certificate : certificates) {
        bool const has_pair = std::ranges::any_of(listed.done.pairs, [&](ipc::PairFound const& pair) {
            return std::ranges::find(pair.certificates, certificate.fingerprint()) != pair.certificates.end();
        });
        if (has_pair) continue;
        Tree tree;
        tree.add("id", "").add("label", "").add("made_here", false).add("private_key", false);
        tree.add("algorithm", certificate.algorithm().name).add("state", name_of(policy::KeyState::no_key));
        keys.push_back(std::move(tree.add("certificates", Tree::List{describe(certificate)})));
    }
    return keys;
}

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::ListKeys wanted) {
    auto const token = co_await known_token(std::move(wanted.token));
    Steps steps{ipc::ListPairs{}};
    auto work = co_await begin(asker, token, std::move(steps));
    if (!work) co_return work.error();
    auto listed = co_await perform(*work, asker, 0, {});
    auto ended = listed ? ok() : Result<void>{listed.error()};
    ended = co_await end(*work, ended);
    if (!ended) co_return ended.error();
    for (auto const& der : listed->certificates) {
        if (auto const certificate = signing::Certificate::parse(der)) m_parts.recorder.note(*certificate);
    }
    Tree of_token;
    of_token.add("storage", token.storage).add("family", work->accepted.family).add("serial", work->accepted.serial);
    auto describe_all = [this, &listed] { return describe(*listed); };
    auto keys = co_await m_parts.compute.run(std::move(describe_all));
    co_return Tree{}.add("token", std::move(of_token)).add("keys", std::move(keys));
}

// ---- renewing ----

Result<void> KeyFlow::keep(Application& application, ApplicationState state) const {
    application.state = std::max(application.state, state);
    application.changed = now();
    return m_applications.save(application);
}

/// What is to be made, with the identifiers of the pairs, before anything is.
Result<Application> KeyFlow::plan(v1::RenewKeys const& wanted) const {
    Application application;
    application.created = now();
    application.number = m_applications.new_number(application.created);
    application.email = wanted.email;
    application.token = {wanted.token.storage, {}, {}, wanted.token.serial};
    for (auto const& pair : wanted.keys) {
        auto const present = signing::Certificate::parse(pair.certificate);
        if (!present) return Error{Errc::bad_request, "keys: no certificate"};
        auto const kind = pair.kind.value_or(successor_of(present->algorithm().key));
        application.keys.push_back({use_of(*present), algorithm_of(kind), present->der(), new_pair_id(), {}, {}, {}});
    }
    return application;
}

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::RenewKeys wanted) {
    bool const is_new = wanted.application.empty();
    if (is_new) wanted.token = co_await known_token(std::move(wanted.token));
    auto application = is_new ? plan(wanted) : m_applications.load(wanted.application);
    if (!application) co_return application.error();
    if (application->state < ApplicationState::signed_) {
        if (auto early = in_time(*application, now()); !early) co_return early.error();
    }
    if (application->state < ApplicationState::request_built) {
        auto made = co_await make_requests(asker, *application);
        // Nobody agreed to anything: nothing was made, and nothing is to be gone on with.
        bool const is_nothing =
            is_new && application->state == ApplicationState::begun &&
            std::ranges::all_of(application->keys, [](auto const& key) { return key.public_key.empty(); });
        if (!made && is_nothing && made.error().code == Errc::user_cancelled)
            static_cast<void>(m_applications.forget(application->number));
        if (!made) co_return made.error();
    }
    if (application->state < ApplicationState::signed_) {
        if (auto signed_one = co_await sign_application(asker, *application); !signed_one) co_return signed_one.error();
    }
    co_return daemon::describe(*application);
}

/// One window: every pair is made, then every request signed by its own key. What was made is kept step by step.
Task<Result<void>> KeyFlow::make_requests(Asker asker, Application& application) {
    Steps steps;
    auto const store = m_settings.stores.find(application.token.storage);
    auto const store_identifier = store == m_settings.stores.end() ? std::string{} : store->second;
    for (auto const& key : application.keys) {
        auto const present = signing::Certificate::parse(key.present);
        if (!present) co_return Error{Errc::application_damaged, "present certificate"};
        steps.emplace_back(ipc::GeneratePair{ipc::PairKind{}, pair_use(key.use), key.id, application.number});
        std::get<ipc::GeneratePair>(steps.back()).kind = successor_of(key.algorithm);
    }
    for (auto const& key : application.keys) {
        auto const present = signing::Certificate::parse(key.present);
        auto const content = signing::renewal_of(*present, {});
        steps.emplace_back(ipc::SignCertificationRequest{key.id, content.subject, application.email, store_identifier});
    }
    if (auto kept = keep(application, ApplicationState::begun); !kept) co_return kept.error();
    v1::TokenWanted const token{application.token.storage, application.token.serial};
    auto work = co_await begin(asker, token, std::move(steps));
    if (!work) co_return work.error();
    application.token.serial = work->accepted.serial;
    application.token.family = work->accepted.family;
    auto made = co_await make_pairs(*work, asker, application);
    made = co_await end(*work, made);
    co_return made;
}

Task<Result<void>> KeyFlow::make_pairs(Work& work, Asker const& asker, Application& application) {
    std::uint32_t step = 0;
    for (auto& key : application.keys) {
        auto generated = co_await perform(work, asker, step++, {});
        if (!generated) co_return generated.error();
        if (generated->done.pairs.size() != 1) co_return Error{Errc::token_failure, "no pair was told"};
        auto const& made = generated->done.pairs.front();
        auto const known = signing::read_public_key(made.public_key);
        if (!known) co_return known.error();
        if (known->der != key.public_key) key.request.clear(); // of a pair that is there no more
        key.public_key = known->der;
        if (auto kept = keep(application, ApplicationState::begun); !kept) co_return kept.error();
    }
    if (auto kept = keep(application, ApplicationState::keys_generated); !kept) co_return kept.error();
    auto const store = m_settings.stores.find(application.token.storage);
    for (auto& key : application.keys) {
        auto content =
            signing::renewal_of(*signing::Certificate::parse(key.present), *signing::read_public_key(key.public_key));
        content.email = application.email;
        if (store != m_settings.stores.end()) content.key_store = store->second;
        auto const info = signing::prepare_request(content);
        if (!info) co_return info.error();
        auto done = co_await perform(work, asker, step++, *info);
        if (!done) co_return done.error();
        auto request = signing::finish_request(*info, done->done.signature);
        if (!request) co_return request.error();
        key.request = std::move(*request);
        if (auto kept = keep(application, ApplicationState::begun); !kept) co_return kept.error();
    }
    co_return keep(application, ApplicationState::request_built);
}

/// The ordinary way of a signature: what is shown is signed, by the key that is to be renewed and no other, if it may.
Task<Result<void>> KeyFlow::sign_application(Asker asker, Application& application) {
    auto const& signer = signer_of(application);
    auto const present = signing::Certificate::parse(signer.present);
    if (!present) co_return Error{Errc::application_damaged, "present certificate"};
    protocol::Sign request;
    request.format = protocol::Format::cms;
    request.attached = true;
    request.claim.use = protocol::Use::key_account;
    // A key for signing in signs no applications: where it is renewed alone, the same person's key for signatures does.
    if (signer.use != KeyUse::authentication) request.filter.serial_number = present->serial_number();
    request.filter.iin = present->iin();
    auto const statement = application_statement(application, asker.language);
    request.documents.push_back(to_bytes(as_view(statement)));
    ipc::DocumentLabel label;
    label.title = application.number + ".txt";
    label.media_type = "text/plain";
    request.labels.push_back(std::move(label));
    auto outcome = co_await m_parts.sign_flow.run(std::move(asker), std::move(request));
    if (!outcome) co_return outcome.error();
    auto* const documents = std::get_if<protocol::SignedDocuments>(&*outcome);
    if (documents == nullptr || documents->values.size() != 1) co_return Errc::internal;
    application.signed_application = std::move(documents->values.front());
    co_return keep(application, ApplicationState::signed_);
}

// ---- installing ----

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::InstallCertificates wanted) {
    auto const certificates = read_files(wanted.files);
    if (!certificates) co_return certificates.error();
    auto application = wanted.application.empty()
                           ? m_applications.waiting_for(signing::public_key_of(certificates->front()))
                           : m_applications.load(wanted.application);
    bool const is_known = application.has_value();
    // Without its application a certificate still finds its key, on the token that the person plugs in.
    if (!is_known && !(wanted.application.empty() && application.error().code == Errc::application_unknown))
        co_return application.error();
    if (is_known) {
        if (auto filled = fill_in(*application, *certificates); !filled) co_return filled.error();
        bool const whole =
            std::ranges::none_of(application->keys, [](auto const& key) { return key.certificate.empty(); });
        if (auto kept = keep(*application, whole ? ApplicationState::issued : application->state); !kept)
            co_return kept.error();
        wanted.token = {application->token.storage, application->token.serial};
    }
    Steps steps;
    for (auto const& certificate : *certificates)
        steps.emplace_back(ipc::StoreCertificate{certificate.der(), true});
    steps.emplace_back(ipc::ListPairs{});
    auto work = co_await begin(asker, wanted.token, std::move(steps));
    if (!work) co_return work.error();
    auto stored = co_await store(*work, asker, certificates->size());
    auto ended = stored ? ok() : Result<void>{stored.error()};
    ended = co_await end(*work, ended);
    if (!ended) co_return ended.error();

    Tree::List installed;
    for (auto const& certificate : *certificates) {
        m_parts.recorder.note(certificate);
        installed.push_back(describe(certificate));
    }
    Tree told;
    told.add("installed", std::move(installed));
    if (!is_known) co_return told;
    if (application->state == ApplicationState::issued) {
        if (auto kept = keep(*application, ApplicationState::installed); !kept) co_return kept.error();
    }
    // Only now, with the new keys tried, is there anything to be said of the old ones.
    auto old = application->state == ApplicationState::installed ? old_pairs(*application, stored->back().done.pairs)
                                                                 : Tree::List{};
    told.add("application", daemon::describe(*application)).add("old", std::move(old));
    co_return told;
}

/// Every certificate beside its key, each tried; and at the end the list of what is there.
Task<Result<std::vector<Lease::Performed>>> KeyFlow::store(Work& work, Asker const& asker, std::size_t count) {
    std::vector<Lease::Performed> all;
    for (std::uint32_t i = 0; i <= count; ++i) {
        auto performed = co_await perform(work, asker, i, {});
        if (!performed) co_return performed.error();
        all.push_back(std::move(*performed));
    }
    co_return all;
}

// ---- single operations ----

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::DeleteKey wanted) {
    Steps steps{ipc::DeletePair{std::move(wanted.id), std::move(wanted.public_key)}};
    auto work = co_await begin(asker, std::move(wanted.token), std::move(steps));
    if (!work) co_return work.error();
    auto done = co_await perform_all(*work, asker);
    if (!done) co_return done.error();
    co_return Tree{};
}

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::LabelKey wanted) {
    Steps steps{ipc::SetLabel{std::move(wanted.id), std::move(wanted.label)}};
    auto work = co_await begin(asker, std::move(wanted.token), std::move(steps));
    if (!work) co_return work.error();
    auto done = co_await perform_all(*work, asker);
    if (!done) co_return done.error();
    co_return Tree{};
}

/// PINs pass by this process: the window tells the token, and this one that it was done.
Task<Result<Tree>> KeyFlow::ask_for_pin(Asker asker, v1::TokenWanted token, ipc::Purpose purpose) {
    ipc::PromptRequest question;
    question.purpose = purpose;
    question.token_serial = std::move(token.serial);
    if (!token.storage.empty()) question.storages.push_back(std::move(token.storage));
    auto work = co_await ask(asker, std::move(question));
    if (!work) co_return work.error();
    work->prompt->done(ok());
    Tree of_token;
    of_token.add("family", work->accepted.family).add("serial", work->accepted.serial);
    co_return Tree{}.add("token", std::move(of_token));
}

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::ChangePin wanted) {
    auto done = co_await ask_for_pin(std::move(asker), std::move(wanted.token), ipc::Purpose::change_pin);
    co_return done;
}

Task<Result<Tree>> KeyFlow::act(Asker asker, v1::UnblockPin wanted) {
    auto done = co_await ask_for_pin(std::move(asker), std::move(wanted.token), ipc::Purpose::unblock_pin);
    co_return done;
}

// ---- applications ----

Task<Result<Tree>> KeyFlow::act(Asker, v1::ListApplications) {
    auto const listing = m_applications.list();
    Tree::List applications;
    for (auto const& application : listing.applications)
        applications.push_back(daemon::describe(application));
    Tree::List unreadable;
    for (auto const& each : listing.unreadable) {
        log::warning("application", {{"number", each.number}, {"detail", each.error.detail}});
        unreadable.push_back(Tree{}.add("number", each.number).add("error", wire_name(each.error.code)));
    }
    co_return Tree{}.add("applications", std::move(applications)).add("unreadable", std::move(unreadable));
}

Task<Result<Tree>> KeyFlow::act(Asker, v1::ShowApplication wanted) {
    auto const application = m_applications.load(wanted.application);
    if (!application) co_return application.error();
    co_return daemon::describe(*application);
}

Task<Result<Tree>> KeyFlow::act(Asker, v1::NoteSubmission wanted) {
    auto application = m_applications.load(wanted.application);
    if (!application) co_return application.error();
    if (application->state < ApplicationState::signed_)
        co_return Error{Errc::bad_request, "application: not signed yet"};
    if (!wanted.portal_number.empty()) application->portal_number = std::move(wanted.portal_number);
    if (auto kept = keep(*application, ApplicationState::submitted); !kept) co_return kept.error();
    co_return daemon::describe(*application);
}

} // namespace tamga::daemon

#include "daemon/sign_flow.hpp"

#include "base/log.hpp"
#include "base/sealed_items.hpp"
#include "daemon/key_description.hpp"

#include <algorithm>
#include <ctime>

namespace tamga::daemon {

namespace {

constexpr std::size_t message_room = 60'000; ///< octets of items in one message; a larger item goes in a memfd
constexpr std::size_t large_xml = 64 * 1024;
constexpr std::size_t largest_chunk = 64;
constexpr std::size_t chunks_in_flight = 2;
constexpr std::size_t most_signers = 64; ///< of a CMS that is stamped
constexpr std::chrono::milliseconds chunk_time{250};

std::size_t size_shown(std::vector<Document> const& documents) {
    std::size_t size = 0;
    for (auto const& document : documents)
        size += document.shown().size();
    return size;
}

/// What the person is shown: the documents, and behind them what the page says of each, where it says something.
Result<UniqueFd> seal_shown(std::vector<Document> const& documents, std::vector<ipc::DocumentLabel> const& labels) {
    std::vector<View> items;
    for (auto const& document : documents)
        items.push_back(document.shown());
    std::vector<Bytes> written;
    for (auto const& label : labels) {
        ipc::Writer writer;
        writer(label);
        if (!writer.fits()) return Error{Errc::too_large, "title of a document"};
        written.push_back(to_bytes(writer.bytes()));
    }
    items.insert(items.end(), written.begin(), written.end());
    return seal_items(items);
}

ipc::Form form_of(protocol::Format format) {
    switch (format) {
    case protocol::Format::cms: return ipc::Form::cms;
    case protocol::Format::xml: return ipc::Form::xml;
    case protocol::Format::raw: return ipc::Form::raw;
    case protocol::Format::authenticate: return ipc::Form::authenticate;
    }
    return ipc::Form::raw;
}

/// Whether a key may come from a file: where no storage is named, whatever the person has will do.
bool takes_files(ipc::PromptRequest const& question) {
    auto const& storages = question.storages;
    return storages.empty() || std::ranges::find(storages, ipc::key_file_storage) != storages.end();
}
bool wants_files_alone(ipc::PromptRequest const& question) {
    return question.storages.size() == 1 && takes_files(question);
}

/// How many items go into the next message: as many as the token signs in a quarter of a second, so that a slow token
/// shows progress and a fast one is never kept waiting.
class ChunkSize {
public:
    [[nodiscard]] std::size_t next() const noexcept { return m_size; }
    void learn(std::size_t items, Clock::duration took) noexcept {
        auto const in_that_time = std::chrono::nanoseconds{chunk_time} * items / std::max(took, Clock::duration{1});
        m_size = std::clamp<std::size_t>(static_cast<std::size_t>(in_that_time), 1, largest_chunk);
    }

private:
    std::size_t m_size = 1;
};

/// Has the token end a login that it was to remember, unless all went well.
class NotRemembered {
public:
    NotRemembered(std::shared_ptr<TokenProcess> process, ipc::RequestId request, bool armed)
        : m_process{armed ? std::move(process) : nullptr}, m_request{request} {}
    NotRemembered(NotRemembered const&) = delete;
    NotRemembered& operator=(NotRemembered const&) = delete;
    ~NotRemembered() {
        if (m_process) m_process->finish_remembered(m_request);
    }
    void call_off() noexcept { m_process.reset(); }

private:
    std::shared_ptr<TokenProcess> m_process;
    ipc::RequestId m_request;
};

/// The token has signed, whatever becomes of it: whoever looks for these signatures finds them here.
void log_unstamped(Asker const& asker, std::size_t count, signing::Certificate const& signer, Error const& error) {
    log::warning("signed_without_stamp", {{"origin", asker.name()},
                                          {"count", static_cast<std::uint64_t>(count)},
                                          {"certificate", signer.log_name()},
                                          {"error", wire_name(error.code)}});
}

} // namespace

Task<Result<protocol::Outcome>> SignFlow::run(Asker asker, protocol::Sign request) {
    auto use = m_recorder.use(asker.name());
    auto outcome = co_await sign(std::move(asker), std::move(request), use);
    use.settle(outcome ? ok() : Result<void>{outcome.error()});
    co_return outcome;
}

Task<Result<protocol::Outcome>> SignFlow::sign(Asker asker, protocol::Sign request, Recorder::Use& use) {
    auto const known = standing(asker);
    if (known == Standing::refused) co_return Errc::site_refused;
    ipc::PromptRequest question;
    question.purpose = request.purpose;
    question.filter = request.filter;
    if (auto passed = m_gate.judge(request, asker.origin, asker.language, question); !passed) co_return passed.error();

    if (request.format == protocol::Format::authenticate && known == Standing::allowed) {
        if (auto const* login = m_remembered.find(asker.origin, question.filter, request.storages)) {
            auto signed_in = co_await sign_in_remembered(asker.origin, request, *login);
            if (signed_in) co_return signed_in;
            m_remembered.forget(asker.origin); // the person is asked, and told what there is to tell
        }
    }

    // What can fail without the person fails before the person is asked ...
    if (!request.file.empty()) {
        if (auto read = co_await read_chosen_file(asker, request); !read) co_return read.error();
    }
    // ... but the work that a large tree takes is not done for a site that nobody has allowed yet. A tree takes up to
    // thirty times its text, too: one large one at a time, from reading it to the answer.
    auto const is_xml = request.format == protocol::Format::xml;
    std::optional<Turnstile::Turn> tree_turn;
    if (is_xml && size_of(request) > large_xml) {
        if (auto settled = co_await settle_site(asker); !settled) co_return settled.error();
        auto turn = co_await m_large_trees.enter();
        if (!turn) co_return turn.error();
        tree_turn.emplace(std::move(*turn));
    }
    auto const large = is_xml ? Compute::large + 1 : size_of(request);
    auto read = [&request] { return read_documents(request); };
    auto& reader = tree_turn ? m_tree_reader : m_compute;
    auto documents = co_await reader.run_if_large(large, std::move(read));
    if (!documents) co_return documents.error();
    auto seal = [&documents, &request] { return seal_shown(*documents, request.labels); };
    auto items = co_await m_compute.run_if_large(size_shown(*documents), std::move(seal));
    if (!items) co_return items.error();

    auto const filter = question.filter;
    question.form = form_of(request.format);
    question.digested = request.digested;
    question.labelled = !request.labels.empty();
    question.storages = request.storages;
    use.begin(request, question, documents->size());
    auto decision = co_await decide(asker, std::move(question), std::move(*items));
    if (!decision) co_return decision.error();

    co_return co_await sign_as_decided(asker, request, filter, std::move(*decision), *documents, use);
}

/// What comes after consent and PIN, with the token logged in for this request.
Task<Result<protocol::Outcome>> SignFlow::sign_as_decided(Asker const& asker, protocol::Sign const& request,
                                                          ipc::KeyFilter const& filter, Decision decision,
                                                          std::vector<Document>& documents, Recorder::Use& use) {
    auto signer = signing::Certificate::parse(decision.accepted.certificate);
    auto process = co_await m_keys.process(decision.prompt->request(), decision.accepted.module);
    if (!signer) co_return signer.error();
    use.chosen(*signer);
    if (!process) co_return process.error();
    bool const to_be_remembered = decision.accepted.remembered && request.format == protocol::Format::authenticate;
    // What ends before it is known to be good is not remembered, by the token neither: it hears so after the lease's
    // end.
    NotRemembered not_remembered{*process, decision.prompt->request(), to_be_remembered};
    Lease lease{*process, decision.prompt->request()};
    if (auto settled = co_await m_revocations.settle(*signer, request.filter); !settled) {
        decision.prompt->done(settled);
        co_return settled.error();
    }
    auto values = co_await sign_all(documents, *signer, lease, *decision.prompt, asker, use);
    if (values && request.timestamp) {
        std::vector<signing::UnstampedSigner> signatures;
        for (auto const& document : documents)
            signatures.push_back({document.signature_value(), &signer->algorithm()});
        auto stamped = co_await stamp_all(*values, std::move(signatures), decision.prompt, asker);
        if (!stamped) {
            log_unstamped(asker, values->size(), *signer, stamped.error());
            values = stamped.error();
        }
    }
    decision.prompt->done(values ? ok() : Result<void>{values.error()});
    if (!values) co_return values.error();
    log::info("signed", {{"origin", asker.name()},
                         {"count", static_cast<std::uint64_t>(values->size())},
                         {"certificate", signer->log_name()}});
    if (to_be_remembered && standing(asker) == Standing::allowed) {
        not_remembered.call_off();
        m_remembered.keep(asker.origin,
                          {*process, decision.prompt->request(), *signer, filter, request.storages, Clock::now()});
    }
    protocol::SignedDocuments made{std::move(*values), signer->der()};
    if (request.format == protocol::Format::authenticate) made.statement = to_bytes(documents.front().to_be_signed());
    co_return protocol::Outcome{std::move(made)};
}

/// Without a window: the token compares the statement with what the person agreed to. Any error: as if nothing were
/// remembered.
Task<Result<protocol::Outcome>> SignFlow::sign_in_remembered(std::string origin, protocol::Sign const& request,
                                                             RememberedLogins::Login login) {
    constexpr std::chrono::seconds between_looks{60};
    if (Clock::now() - login.settled_at > between_looks) {
        if (auto settled = co_await m_revocations.settle(login.certificate, login.filter); !settled)
            co_return settled.error();
        if (auto* kept = m_remembered.find(origin, login.filter, login.storages)) kept->settled_at = Clock::now();
    }
    signing::XmlWork no_xml{0};
    auto document = Document::read(request, request.documents.front(), {}, no_xml);
    if (!document) co_return document.error();
    auto const statement = document->prepare(login.certificate, std::time(nullptr));
    if (!statement) co_return statement.error();
    protocol::SignedDocuments made{{}, login.certificate.der(), to_bytes(*statement)};
    auto value = co_await login.process->sign_remembered(login.request, made.statement);
    if (!value) co_return value.error();
    m_remembered.note_use(origin, login);
    auto finished = document->finish(login.certificate, *value);
    if (!finished) co_return finished.error();
    made.values.push_back(std::move(*finished));
    co_return protocol::Outcome{std::move(made)};
}

Task<Result<protocol::Outcome>> SignFlow::run(Asker asker, protocol::ApplyTimestamps request) {
    if (auto settled = co_await settle_site(asker); !settled) co_return settled.error();
    auto read = [&request] { return signing::unstamped_signers(request.cms); };
    auto signers = co_await m_compute.run_if_large(request.cms.size(), std::move(read));
    if (!signers) co_return signers.error();
    if (signers->size() > most_signers) co_return Error{Errc::too_large, "signers of one CMS"};
    auto const round = m_stamps.begin(std::move(*signers));
    std::function<void(std::size_t)> const nobody_watches = [](std::size_t) {};
    auto stamps = co_await m_stamps.fetch(round, nobody_watches);
    if (!stamps) co_return stamps.error();
    auto attach = [&] { return signing::attach_timestamps(request.cms, *stamps); };
    auto stamped = co_await m_compute.run_if_large(request.cms.size(), std::move(attach));
    if (!stamped) co_return stamped.error();
    protocol::SignedDocuments documents;
    documents.values.push_back(std::move(*stamped));
    co_return protocol::Outcome{std::move(documents)};
}

Task<Result<protocol::Outcome>> SignFlow::run(Asker asker, protocol::DescribeKey request) {
    if (standing(asker) == Standing::refused) co_return Errc::site_refused;
    ipc::PromptRequest question;
    question.purpose = ipc::Purpose::choose_key;
    question.filter = std::move(request.filter);
    question.storages = std::move(request.storages);
    auto decision = co_await decide(asker, std::move(question), UniqueFd{});
    if (!decision) co_return decision.error();
    decision->prompt->done(ok());
    auto chosen = signing::Certificate::parse(decision->accepted.certificate);
    if (!chosen) co_return chosen.error();
    co_return protocol::Outcome{describe(*chosen)};
}

Task<Result<protocol::Outcome>> SignFlow::run(Asker asker, protocol::ChooseFile) {
    if (standing(asker) == Standing::refused) co_return Errc::site_refused;
    ipc::PromptRequest question;
    question.purpose = ipc::Purpose::choose_file;
    auto decision = co_await ask(asker, 0, std::move(question), UniqueFd{});
    if (!decision) co_return decision.error();
    decision->prompt->done(ok());
    if (!decision->file || !asker.files) co_return Error{Errc::internal, "no file, or nowhere to keep it"};
    auto handle = asker.files->keep(std::move(decision->file));
    if (!handle) co_return handle.error();
    co_return protocol::Outcome{protocol::ChosenFile{std::move(*handle)}};
}

/// Read once: what is shown and signed is what it held then.
Task<Result<void>> SignFlow::read_chosen_file(Asker asker, protocol::Sign& request) {
    if (!asker.files) co_return Errc::file_not_found;
    auto const file = asker.files->take(request.file);
    if (!file) co_return file.error();
    auto read = [&file, &asker] { return read_whole(*file, asker.files->largest()); };
    auto octets = co_await m_compute.run(std::move(read));
    if (!octets) co_return octets.error();
    request.documents.push_back(std::move(*octets));
    co_return ok();
}

Task<Result<protocol::Outcome>> SignFlow::run(Asker asker, protocol::ListStorages) {
    if (auto settled = co_await settle_site(asker); !settled) co_return settled.error();
    co_await m_keys.await_restarts();
    auto tokens = co_await m_keys.list();
    protocol::Storages storages;
    if (!tokens && tokens.error().code != Errc::token_absent) co_return tokens.error();
    if (tokens) {
        for (auto const& token : *tokens) {
            if (std::ranges::find(storages.names, token.storage) == storages.names.end()) {
                storages.names.push_back(token.storage);
            }
        }
    }
    co_return protocol::Outcome{std::move(storages)};
}

/// A command is started by the person: there is no site to be asked about.
Standing SignFlow::standing(Asker const& asker) {
    if (asker.is_command) return Standing::allowed;
    auto const standing = m_sites.standing(asker.origin);
    if (standing == Standing::allowed) m_sites.note_use(asker.origin);
    return standing;
}

Task<Result<void>> SignFlow::settle_site(Asker asker) {
    switch (standing(asker)) {
    case Standing::allowed: co_return ok();
    case Standing::refused: co_return Errc::site_refused;
    case Standing::denied: co_return Errc::origin_denied;
    case Standing::asked: break;
    }
    ipc::PromptRequest question;
    question.purpose = ipc::Purpose::site;
    auto decision = co_await ask(asker, 0, std::move(question), UniqueFd{});
    if (!decision) co_return decision.error();
    decision->prompt->done(ok());
    co_return ok();
}

Task<Result<SignFlow::Decision>> SignFlow::decide(Asker asker, ipc::PromptRequest question, UniqueFd items) {
    if (wants_files_alone(question)) {
        auto decision = co_await ask(asker, 0, std::move(question), std::move(items));
        co_return decision;
    }
    co_await m_keys.await_restarts();
    auto const modules = m_keys.modules();
    // What is being started again is said; where there is just no token, a file may be what the person has.
    bool const absent = !modules && modules.error().code == Errc::token_absent;
    if (takes_files(question) && (absent || (!modules && !question.storages.empty()))) {
        auto decision = co_await ask(asker, 0, std::move(question), std::move(items));
        co_return decision;
    }
    if (!modules) {
        // A site that was not allowed yet learns nothing about tokens, their absence included.
        if (auto settled = co_await settle_site(asker); !settled) co_return settled.error();
        co_return modules.error();
    }
    bool const incomplete = m_keys.one_is_down();
    auto decision = co_await ask(asker, *modules, std::move(question), std::move(items));
    if (!decision && decision.error().code == Errc::token_absent && incomplete) {
        co_return Error{Errc::token_crashed, "no token; a module is being started again"};
    }
    co_return decision;
}

Task<Result<SignFlow::Decision>> SignFlow::ask(Asker asker, std::uint64_t modules, ipc::PromptRequest question,
                                               UniqueFd items) {
    auto const who = standing(asker) == Standing::allowed ? asker.name() : std::string{};
    auto prompt = co_await m_prompts.open(modules, who);
    if (!prompt) co_return prompt.error();

    // Looked at again: another tab of the same site may have been answered while this one waited for its turn.
    auto const now = standing(asker);
    if (now == Standing::refused) co_return Errc::site_refused;
    Decision decision;
    decision.prompt = std::move(*prompt);
    if (question.purpose == ipc::Purpose::site && now == Standing::allowed) co_return decision;
    question.language = asker.language;
    question.origin = asker.origin;
    question.terminal = asker.terminal;
    question.site_is_new = now == Standing::asked;
    question.resembles = question.site_is_new ? m_sites.resembles(asker.origin) : "";
    question.strict = m_revocations.strictness() == signing::Strictness::strict;
    question.user_authorities = m_revocations.user_authorities() == signing::UserAuthorities::counted;
    asker.tell(protocol::Stage::asking, 0, 0);
    auto reply = co_await decision.prompt->ask(std::move(question), std::move(items), m_prompt_limit);
    if (now == Standing::asked && reply.site_allowed) m_sites.remember(asker.origin, Standing::allowed);
    if (!reply.decision) {
        if (reply.decision.error().code == Errc::site_refused) m_sites.remember(asker.origin, Standing::refused);
        co_return reply.decision.error();
    }
    decision.accepted = std::move(*reply.decision);
    decision.file = std::move(reply.file);
    co_return decision;
}

Task<Result<std::vector<Bytes>>> SignFlow::sign_all(std::vector<Document>& documents, signing::Certificate signer,
                                                    Lease& lease, Prompt& prompt, Asker const& asker,
                                                    Recorder::Use& use) {
    auto const total = documents.size();
    std::vector<Bytes> values;
    values.reserve(total);
    std::deque<Chunk> in_flight;
    ChunkSize chunk_size;
    std::size_t sent = 0;
    while (values.size() < total) {
        // Two chunks are under way: while one is finished here the token signs the other.
        while (sent < total && in_flight.size() < chunks_in_flight) {
            auto const wanted = std::span{documents}.subspan(sent, std::min(chunk_size.next(), total - sent));
            auto chunk = co_await send_chunk(wanted, sent, signer, lease);
            if (!chunk) co_return chunk.error();
            sent += chunk->items.size();
            in_flight.push_back(*chunk);
        }
        auto signatures = co_await lease.next(in_flight.front().items.size());
        if (!signatures) co_return signatures.error();
        auto const chunk = in_flight.front();
        in_flight.pop_front();
        if (signatures->first != chunk.first || signatures->values.size() != chunk.items.size()) {
            co_return Error{Errc::token_failure, "signatures do not answer the items sent"};
        }
        chunk_size.learn(chunk.items.size(), Clock::now() - chunk.sent);
        for (auto const& document : chunk.items)
            use.signed_one(document.digest());
        auto finish = [&]() -> Result<void> {
            for (std::size_t i = 0; i < chunk.items.size(); ++i) {
                auto value = chunk.items[i].finish(signer, signatures->values[i]);
                if (!value) return value.error();
                values.push_back(std::move(*value));
            }
            return ok();
        };
        auto finished = co_await m_compute.run_if_large(chunk.octets, std::move(finish));
        if (!finished) co_return finished.error();
        prompt.progress(static_cast<std::uint32_t>(values.size()), static_cast<std::uint32_t>(total));
        asker.tell(protocol::Stage::signing, values.size(), total);
    }
    if (auto logged_out = co_await lease.finish(); !logged_out) co_return logged_out.error();
    co_return values;
}

/// Stamps the CMS in `values`, each at its one signature of ours. Nothing is changed where one stamp fails.
Task<Result<void>> SignFlow::stamp_all(std::vector<Bytes>& values, std::vector<signing::UnstampedSigner> signatures,
                                       std::shared_ptr<Prompt> prompt, Asker const& asker) {
    // One document has no steps to show.
    auto const total = values.size() > 1 ? static_cast<std::uint32_t>(values.size()) : 0;
    auto made = [&prompt, &asker, all = values.size(), total](std::size_t count) {
        asker.tell(protocol::Stage::stamping, count, all);
        if (total != 0) prompt->progress(static_cast<std::uint32_t>(count), total, ipc::Stage::stamping);
    };
    prompt->progress(0, total, ipc::Stage::stamping);
    asker.tell(protocol::Stage::stamping, 0, values.size());
    auto const round = m_stamps.begin(std::move(signatures));
    Prompt::Watch const watch{prompt, [round] { round->call_off(); }};
    auto stamps = co_await m_stamps.fetch(round, std::move(made));
    if (!stamps) co_return stamps.error();

    std::size_t octets = 0;
    for (auto const& value : values)
        octets += value.size();
    auto attach = [&]() -> Result<void> {
        for (std::size_t i = 0; i < values.size(); ++i) {
            auto stamped = signing::attach_timestamps(values[i], {(*stamps)[i]});
            if (!stamped) return stamped.error();
            values[i] = std::move(*stamped);
        }
        return ok();
    };
    auto attached = co_await m_compute.run_if_large(octets, std::move(attach));
    co_return attached;
}

Task<Result<SignFlow::Chunk>> SignFlow::send_chunk(std::span<Document> documents, std::size_t first,
                                                   signing::Certificate signer, Lease& lease) {
    std::size_t octets = 0;
    for (auto const& document : documents)
        octets += document.shown().size();
    auto prepare = [&]() -> Result<std::vector<Bytes>> {
        std::vector<Bytes> items;
        std::size_t used = 0;
        for (auto& document : documents) {
            auto prepared = document.prepare(signer, std::time(nullptr));
            if (!prepared) return prepared.error();
            used += prepared->size() + sizeof(std::uint32_t);
            if (used > message_room) break;
            items.push_back(to_bytes(*prepared));
        }
        return items;
    };
    auto items = co_await m_compute.run_if_large(octets, std::move(prepare));
    if (!items) co_return items.error();

    Chunk chunk;
    chunk.first = static_cast<std::uint32_t>(first);
    chunk.items = documents.first(std::max<std::size_t>(items->size(), 1));
    chunk.octets = octets;
    chunk.sent = Clock::now();
    if (!items->empty()) {
        auto sent = co_await lease.sign(chunk.first, std::move(*items));
        if (!sent) co_return sent.error();
        co_return chunk;
    }
    auto seal = [&] { return seal_items({documents.front().to_be_signed()}); };
    auto memfd = co_await m_compute.run(std::move(seal));
    if (!memfd) co_return memfd.error();
    auto sent = co_await lease.sign_large(chunk.first, std::move(*memfd));
    if (!sent) co_return sent.error();
    co_return chunk;
}

} // namespace tamga::daemon

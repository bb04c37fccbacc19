#include "daemon/session.hpp"

#include "base/build_id.hpp"
#include "base/log.hpp"
#include "signing/report.hpp"
#include "signing/to_be_signed.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <ctime>

namespace tamga::daemon {

namespace v1 = protocol::v1;

namespace {

std::string text_of(v1::Id const& id) {
    if (auto const* number = std::get_if<std::int64_t>(&id)) return std::to_string(*number);
    return '"' + std::get<std::string>(id);
}

std::size_t size_of(Result<v1::Reply> const& reply) {
    auto const* signatures = reply ? std::get_if<v1::Signatures>(&*reply) : nullptr;
    if (signatures == nullptr) return 0;
    std::size_t size = 0;
    for (auto const& value : signatures->documents.values)
        size += value.size();
    return size;
}

/// What ends a coroutine of a session that nobody called off: memory not to be had, or a bug. It costs that request.
void report(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(std::move(failure));
    } catch (std::exception const& exception) {
        log::error("session", {{"ended", exception.what()}});
    }
}

/// For the log. What is wrong with an XML document cannot be said without quoting it: that is for the page alone.
std::string_view log_detail(Error const& error) {
    return error.code == Errc::xml_malformed ? std::string_view{} : std::string_view{error.detail};
}

/// What a request with a document too large to be kept cannot do, said before anybody is asked.
Result<void> check_size(protocol::Sign const& request) {
    for (auto const& label : request.labels) {
        if (label.digests.empty()) continue;
        if (request.format == protocol::Format::cms && !request.attached) continue;
        return Error{Errc::too_large, "a document over 16 MiB can be signed in a detached CMS alone"};
    }
    return ok();
}

} // namespace

Session::Session(SessionParts parts, Asker asker, Write write)
    : m_parts{std::move(parts)},
      m_asker{std::move(asker)},
      m_write{std::move(write)},
      m_uploads{m_parts.executor, m_parts.compute},
      m_in_order{m_parts.executor} {}

Task<void> Session::hear(std::string text, Held held) {
    auto const self = shared_from_this();
    auto const started = Clock::now();
    auto const size = text.size();
    auto parse = [&text] { return v1::parse(std::move(text)); };
    auto message = co_await m_parts.compute.run_if_large(size, std::move(parse));
    if (auto* request = std::get_if<v1::Request>(&message)) {
        co_await begin(std::move(*request), started, std::move(held));
        co_return;
    }
    auto const& refusal = std::get<v1::Refusal>(message);
    log_request("nothing", refusal.fault.word, refusal.fault.detail, started);
    auto const written = co_await m_write(v1::render(refusal.id, refusal.fault, m_asker.language));
    static_cast<void>(written);
}

/// What takes no time is answered here and now, whatever else is under way.
Task<void> Session::begin(v1::Request request, Clock::time_point started, Held held) {
    auto const asked = v1::name_of(request.method);
    auto id = request.id;
    Reply reply = v1::Reply{v1::Done{}};
    if (m_running.contains(id)) {
        reply = Error{Errc::bad_request, "id: a request with this id is under way"};
    } else if (auto* hello = std::get_if<v1::Hello>(&request.method)) {
        if (hello->language) m_asker.language = *hello->language;
        reply = v1::Reply{greeting()};
        if (!hello->terminal.path.empty() && !m_asker.is_command)
            reply = Error{Errc::unsupported, "params.terminal is for commands of this computer"};
        else
            m_asker.terminal = std::move(hello->terminal);
    } else if (auto* cancelled = std::get_if<v1::Cancel>(&request.method)) {
        reply = v1::Reply{v1::Cancelled{cancel(cancelled->id)}};
    } else if (std::holds_alternative<v1::UnsubscribeFromTokens>(request.method)) {
        m_subscription.reset();
        m_news.erase("tokens");
    } else if (auto* dropped = std::get_if<v1::DropUpload>(&request.method)) {
        if (auto gone = m_uploads.drop(dropped->upload); !gone) reply = gone.error();
    } else if (std::holds_alternative<v1::LinkToStatus>(request.method)) {
        reply = make_status_link();
    } else if (auto* ended = std::get_if<v1::EndUpload>(&request.method)) {
        auto uploaded = co_await m_uploads.end(ended->upload);
        reply = uploaded ? Reply{v1::Reply{std::move(*uploaded)}} : Reply{uploaded.error()};
    } else {
        start(std::move(request), started, std::move(held));
        co_return;
    }
    co_await answer(std::move(id), asked, started, std::move(reply));
}

void Session::start(v1::Request request, Clock::time_point started, Held held) {
    auto const running = std::make_shared<Running>();
    running->started = started;
    running->asked = v1::name_of(request.method);
    running->held = std::move(held);
    auto const id = request.id;
    m_running.emplace(id, running);
    auto done = [self = shared_from_this(), id](std::exception_ptr failure, Reply reply) {
        auto const found = self->m_running.find(id);
        bool const withdrawn = found != self->m_running.end() && found->second->withdrawn;
        if (failure && !withdrawn && !self->m_ended) report(failure);
        if (failure) reply = withdrawn ? Error{Errc::withdrawn} : Error{Errc::internal, "the request was called off"};
        asio::co_spawn(self->m_parts.executor, finish(self, id, std::move(reply)), report);
    };
    auto until_called_off = asio::bind_cancellation_slot(running->signal.slot(), std::move(done));
    asio::co_spawn(m_parts.executor, act(shared_from_this(), std::move(request)), std::move(until_called_off));
}

Task<void> Session::finish(std::shared_ptr<Session> self, v1::Id id, Reply reply) {
    auto const found = self->m_running.find(id);
    auto const running = found->second;
    self->m_running.erase(found);
    self->m_news.erase(text_of(id));
    if (self->m_ended) {
        self->log_request(running->asked, Errc::user_cancelled, "the page is gone", running->started);
        co_return;
    }
    co_await self->answer(std::move(id), running->asked, running->started, std::move(reply));
}

Task<void> Session::answer(v1::Id id, std::string_view asked, Clock::time_point started, Reply reply) {
    if (reply)
        log_request(asked, {}, {}, started);
    else
        log_request(asked, reply.error().code, log_detail(reply.error()), started);
    auto const language = m_asker.language;
    auto render = [&] {
        return reply ? v1::render(id, std::move(*reply)) : v1::render(id, v1::fault_of(reply.error()), language);
    };
    auto text = co_await m_parts.compute.run_if_large(size_of(reply), std::move(render));
    auto const written = co_await m_write(std::move(text));
    static_cast<void>(written); // where it could not be, the connection is closing
}

Task<Session::Reply> Session::act(std::shared_ptr<Session> self, v1::Request request) {
    auto asker = self->m_asker;
    asker.progress = [weak = self->weak_from_this(), id = request.id](protocol::Stage stage, std::uint32_t done,
                                                                      std::uint32_t total) {
        if (auto const session = weak.lock()) session->tell(text_of(id), v1::sign_progress(id, stage, done, total));
    };
    auto& method = request.method;
    if (auto* sign = std::get_if<v1::SignDocuments>(&method)) {
        auto reply = co_await self->sign(std::move(asker), *sign);
        co_return reply;
    }
    if (auto* authenticate = std::get_if<v1::Authenticate>(&method)) {
        auto reply = co_await self->authenticate(std::move(asker), *authenticate);
        co_return reply;
    }
    if (v1::reserved(method) != v1::Reserved::no) {
        auto reply = co_await self->work_on_keys(std::move(asker), std::move(method));
        co_return reply;
    }
    asker.progress = nullptr;
    if (auto* list = std::get_if<v1::ListCertificates>(&method)) {
        auto reply = co_await self->show_certificate(std::move(asker), *list);
        co_return reply;
    }
    if (auto* verify = std::get_if<v1::Verify>(&method)) {
        auto reply = co_await self->verify(std::move(asker), *verify);
        co_return reply;
    }
    if (std::holds_alternative<v1::SubscribeToTokens>(method)) {
        auto reply = co_await self->subscribe(std::move(asker));
        co_return reply;
    }
    if (auto* upload = std::get_if<v1::BeginUpload>(&method)) {
        if (auto settled = co_await self->m_parts.flow.settle_site(std::move(asker)); !settled) {
            co_return settled.error();
        }
        auto begun = self->m_uploads.begin(std::move(*upload));
        if (!begun) co_return begun.error();
        co_return v1::Reply{v1::Uploading{std::move(*begun)}};
    }
    auto reply = co_await self->list_tokens(std::move(asker));
    co_return reply;
}

// ---- what the person is asked about ----

/// Puts what was uploaded in its place. @return what that is charged to.
Result<std::vector<Session::Held>> Session::fill_in(v1::SignDocuments& method) {
    std::vector<Held> charges;
    for (std::size_t i = 0; i < method.uploads.size(); ++i) {
        if (method.uploads[i].empty()) continue;
        auto upload = m_uploads.take(method.uploads[i]);
        if (!upload) return upload.error();
        auto& label = method.sign.labels[i];
        if (label.title.empty()) label.title = std::move(upload->label.title);
        if (label.media_type.empty()) label.media_type = std::move(upload->label.media_type);
        label.digests = std::move(upload->label.digests);
        label.size = upload->label.size;
        method.sign.documents[i] = std::move(upload->content);
        charges.push_back(std::move(upload->held));
    }
    if (auto small = check_size(method.sign); !small) return small.error();
    return charges;
}

Task<Session::Reply> Session::sign(Asker asker, v1::SignDocuments& method) {
    auto const charges = fill_in(method);
    if (!charges) co_return charges.error();
    auto reply = co_await run_in_order(std::move(asker), std::move(method.sign));
    co_return reply;
}

/// A command has no origin that a server could compare.
Task<Session::Reply> Session::authenticate(Asker asker, v1::Authenticate& method) {
    if (asker.is_command) co_return Error{Errc::unsupported, "a command signs in to no site"};
    auto request = signing::sign_in_request({asker.origin, std::move(method.challenge)});
    if (!request) co_return request.error();
    protocol::Sign sign;
    sign.format = protocol::Format::authenticate;
    sign.purpose = ipc::Purpose::sign_in;
    sign.claim.use = protocol::Use::sign_in;
    sign.filter = std::move(method.filter);
    sign.storages = std::move(method.storages);
    sign.documents.push_back(std::move(*request));
    auto reply = co_await run_in_order(std::move(asker), std::move(sign));
    co_return reply;
}

/// The window has one line a site; of that no connection takes more than all of it.
Task<Result<Turnstile::Turn>> Session::in_order() {
    if (m_in_line > Prompts::longest_line) co_return Error{Errc::busy, "too many requests wait for the person"};
    ++m_in_line;
    struct Leave {
        std::size_t& count;
        ~Leave() { --count; }
    } const leave{m_in_line};
    auto turn = co_await m_in_order.enter();
    co_return turn;
}

Task<Session::Reply> Session::run_in_order(Asker asker, protocol::Sign request) {
    auto const format = request.format;
    auto turn = co_await in_order();
    if (!turn) co_return turn.error();
    auto outcome = co_await m_parts.flow.run(std::move(asker), std::move(request));
    if (!outcome) co_return outcome.error();
    auto* documents = std::get_if<protocol::SignedDocuments>(&*outcome);
    if (documents == nullptr) co_return Errc::internal;
    co_return v1::Reply{v1::Signatures{format, std::move(*documents)}};
}

/// The person chooses which certificate is shown, as for any other page: nothing else of the list leaves the window.
Task<Session::Reply> Session::show_certificate(Asker asker, v1::ListCertificates& method) {
    auto turn = co_await in_order();
    if (!turn) co_return turn.error();
    auto outcome = co_await m_parts.flow.run(std::move(asker), std::move(method.wanted));
    if (!outcome) co_return outcome.error();
    auto* certificate = std::get_if<protocol::ChosenCertificate>(&*outcome);
    if (certificate == nullptr) co_return Errc::internal;
    co_return v1::Reply{std::move(*certificate)};
}

/// In its turn, as everything that the person is asked about: an application is signed in the middle of it.
Task<Session::Reply> Session::work_on_keys(Asker asker, v1::Method method) {
    auto turn = co_await in_order();
    if (!turn) co_return turn.error();
    auto told = co_await m_parts.key_flow.run(std::move(asker), std::move(method));
    if (!told) co_return told.error();
    co_return v1::Reply{v1::KeysTold{std::move(*told)}};
}

// ---- what needs no key ----

Result<Bytes> Session::octets_of(v1::Source& source) {
    if (source.upload.empty()) return std::move(source.octets);
    auto upload = m_uploads.take(source.upload);
    if (!upload) return upload.error();
    if (!upload->label.digests.empty()) return Error{Errc::too_large, "it was hashed, not kept"};
    return std::move(upload->content);
}

Task<Session::Reply> Session::verify(Asker asker, v1::Verify& method) {
    if (auto settled = co_await m_parts.flow.settle_site(std::move(asker)); !settled) co_return settled.error();
    auto document = octets_of(method.signed_document);
    if (!document) co_return document.error();
    auto content = method.content ? octets_of(*method.content) : Result<Bytes>{Bytes{}};
    if (!content) co_return content.error();
    auto check = [&]() -> Result<Tree> {
        signing::VerifySettings settings{m_parts.revocations.trusted(), m_parts.revocations.cache(), std::time(nullptr),
                                         method.at};
        auto const seen = method.content ? std::optional{View{*content}} : std::nullopt;
        auto const report = signing::verify_document(*document, seen, settings);
        if (!report) return report.error();
        return signing::tree_of(*report);
    };
    auto report = co_await m_parts.compute.run(std::move(check));
    if (!report) co_return report.error();
    co_return v1::Reply{v1::Verified{std::move(*report)}};
}

/// Not for pages: what it leads to names tokens more closely than they may know.
Session::Reply Session::make_status_link() {
    if (!m_asker.is_command) return Error{Errc::unsupported, "status.link is for commands of this computer"};
    auto url = m_parts.links.make(m_asker.language, Clock::now());
    if (!url) return url.error();
    return v1::Reply{v1::StatusLink{std::move(*url), StatusLinks::life.count()}};
}

Task<Session::Reply> Session::list_tokens(Asker asker) {
    if (auto settled = co_await m_parts.flow.settle_site(std::move(asker)); !settled) co_return settled.error();
    co_await m_parts.keys.await_restarts();
    auto tokens = co_await m_parts.keys.list();
    if (!tokens && tokens.error().code != Errc::token_absent) co_return tokens.error();
    co_return v1::Reply{v1::Tokens{described(tokens ? *tokens : Plugged::Tokens{})}};
}

/// Heard from before it is asked: nothing that happens in between is missed.
Task<Session::Reply> Session::subscribe(Asker asker) {
    if (auto settled = co_await m_parts.flow.settle_site(std::move(asker)); !settled) co_return settled.error();
    if (!m_subscription) {
        auto told = [this](Plugged::Tokens const& tokens) { tell_tokens(tokens); };
        m_subscription.emplace(m_parts.plugged, std::move(told));
    }
    auto const tokens = co_await m_parts.plugged.list();
    m_told = described(tokens);
    m_news.erase("tokens");
    co_return v1::Reply{v1::Tokens{m_told}};
}

std::vector<v1::Token> Session::described(Plugged::Tokens const& tokens) const {
    std::vector<v1::Token> described;
    for (auto const& info : tokens) {
        v1::Token token{info.storage, info.family, info.family_name.in(m_asker.language), {}};
        if (m_asker.is_command) {
            token.details = {info.label,  info.manufacturer, info.model,
                             info.serial, info.pin_locked,   info.attempts_left};
        }
        described.push_back(std::move(token));
    }
    return described;
}

v1::Greeting Session::greeting() {
    v1::Greeting greeting;
    greeting.build = build_id;
    greeting.language = m_asker.language;
    greeting.message_octets = m_parts.message_octets;
    greeting.kept_octets = Uploads::kept;
    for (auto const& algorithm : signing::algorithms()) {
        if (signing::available(algorithm)) greeting.algorithms.emplace_back(algorithm.name);
    }
    for (auto const algorithm : usable_digests())
        greeting.digests.emplace_back(signing::name_of(algorithm).oid);
    if (m_asker.is_command) {
        greeting.site = "local";
        return greeting;
    }
    switch (m_parts.sites.standing(m_asker.origin)) {
    case Standing::allowed: greeting.site = "allowed"; break;
    case Standing::asked: greeting.site = "new"; break;
    case Standing::denied:
    case Standing::refused: greeting.site = "refused"; break;
    }
    return greeting;
}

// ---- calling off, and news ----

bool Session::cancel(v1::Id const& id) {
    auto const found = m_running.find(id);
    if (found == m_running.end()) return false;
    auto const running = found->second; // what the signal ends may forget it
    running->withdrawn = true;
    running->signal.emit(asio::cancellation_type::terminal);
    return true;
}

void Session::end() {
    m_ended = true;
    m_subscription.reset();
    m_uploads.forget_all();
    for (auto const& [id, running] : std::map{m_running})
        running->signal.emit(asio::cancellation_type::terminal);
}

void Session::tell_tokens(Plugged::Tokens const& tokens) {
    auto now = described(tokens);
    if (now == m_told) return;
    m_told = std::move(now);
    tell("tokens", v1::tokens_changed(m_told));
}

/// Only the latest of what is told about one thing is sent: a page that does not read finds no pile.
void Session::tell(std::string about, std::string text) {
    if (m_ended) return;
    m_news.insert_or_assign(std::move(about), std::move(text));
    if (std::exchange(m_writing_news, true)) return;
    asio::co_spawn(m_parts.executor, write_news(shared_from_this()), report);
}

Task<void> Session::write_news(std::shared_ptr<Session> self) {
    while (!self->m_news.empty() && !self->m_ended) {
        auto text = std::move(self->m_news.begin()->second);
        self->m_news.erase(self->m_news.begin());
        auto const written = co_await self->m_write(std::move(text));
        if (!written) break;
    }
    self->m_writing_news = false;
}

void Session::log_request(std::string_view asked, std::optional<Errc> error, std::string_view detail,
                          Clock::time_point started) const {
    auto const took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started);
    log::info("request", {{"origin", m_asker.name()},
                          {"asked", asked},
                          {"outcome", error ? wire_name(*error) : "ok"},
                          {"detail", detail},
                          {"ms", std::int64_t{took.count()}}});
}

} // namespace tamga::daemon

#include "daemon/server/connection.hpp"

#include "base/log.hpp"
#include "daemon/server/status_page.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <cerrno>
#include <malloc.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tamga::daemon {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds handshake_patience{10}; ///< from accept to upgrade
constexpr std::chrono::seconds frame_patience{60};     ///< from a frame's first octets to its last
constexpr std::chrono::seconds close_patience{2};      ///< for the peer's part of a close
constexpr std::size_t head_limit = 8192;
constexpr std::size_t largest_read = 65536;
constexpr std::size_t give_memory_back_above = 8 * 1024 * 1024;
constexpr std::size_t unanswered_limit = 256; ///< frames of one connection; more closes it with 1008
constexpr std::uint16_t not_for_you = 4403;   ///< of tamga.v1: the site may not use Tamga
constexpr unsigned char tls_handshake = 0x16; ///< RFC 8446 section 5.1: ContentType handshake

template <class Name> // http::field, or a text where that does not know it
std::optional<std::string_view> field(http::fields const& fields, Name name) {
    auto const found = fields.find(name);
    if (found == fields.end()) return std::nullopt;
    return std::string_view{found->value().data(), found->value().size()};
}

/// Gives the memory of a large request back to the system. It is made before everything that the request needs, so that
/// all of that, the written reply included, is gone by then.
class GivesMemoryBack {
public:
    explicit GivesMemoryBack(std::size_t frame_octets) noexcept : m_large{frame_octets > give_memory_back_above} {}
    GivesMemoryBack(GivesMemoryBack const&) = delete;
    GivesMemoryBack& operator=(GivesMemoryBack const&) = delete;
    ~GivesMemoryBack() {
        if (m_large) ::malloc_trim(0);
    }

private:
    bool m_large;
};

/// Whether tamga.v1 is among the sub-protocols that the page offers.
bool offers_v1(http::fields const& fields) {
    auto const [first, last] = fields.equal_range(http::field::sec_websocket_protocol);
    for (auto at = first; at != last; ++at) {
        http::token_list offered{at->value()};
        if (offered.exists({protocol::v1::subprotocol.data(), protocol::v1::subprotocol.size()})) return true;
    }
    return false;
}

/// RFC 6455 section 7.4: codes an endpoint may send. Beast 1.81 takes, and would echo, any number.
bool is_close_code(std::uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/// The accepted upgrade will say which sub-protocol is spoken.
void say_v1(websocket::stream<Stream, false>& stream) {
    auto chosen = [](websocket::response_type& response) {
        response.set(http::field::sec_websocket_protocol,
                     beast::string_view{protocol::v1::subprotocol.data(), protocol::v1::subprotocol.size()});
    };
    stream.set_option(websocket::stream_base::decorator(chosen));
}

} // namespace

/// What a message of tamga.v1 costs as long as its request is under way. The connection stays for its account.
struct Connection::Held {
    std::shared_ptr<Connection> connection;
    GivesMemoryBack gives_memory_back;
    FrameBudget::Claim claim;
};

Connection::Connection(std::shared_ptr<Server::State> server, Stream::Socket socket, std::uint16_t port, Door door)
    : m_server{std::move(server)},
      m_tls{m_server->tls},
      m_port{port},
      m_door{door},
      m_stream{std::move(socket)},
      m_frames{m_server->loop.get_executor()},
      m_writing{m_server->loop.get_executor()},
      m_patience{m_server->loop} {
    m_asker.language = m_server->options.language;
    m_asker.files = std::make_shared<ChosenFiles>(m_server->options.frame_octets);
    m_server->connections.insert(this);
}

Connection::~Connection() {
    m_server->connections.erase(this);
}

Task<void> Connection::run() {
    auto const self = shared_from_this();
    expect_within(handshake_patience);
    auto const opened = co_await open();
    m_patience.cancel();
    if (!opened) co_return;

    m_open = true;
    if (m_session) {
        co_await hear_messages();
        m_open = false;
        m_session->end();
        co_return;
    }
    auto answering = [](std::shared_ptr<Connection> connection) { return connection->answer_frames(); };
    auto report = [self](std::exception_ptr failure) {
        if (failure && self->m_open) self->abort();
        report_end(std::move(failure));
    };
    auto until_left = asio::bind_cancellation_slot(m_answering.slot(), std::move(report));
    asio::co_spawn(m_server->loop, answering(self), std::move(until_left));
    co_await read_frames();
    m_open = false;
    m_answering.emit(asio::cancellation_type::terminal);
}

/// The socket is dropped unless m_patience is cancelled before `limit` is over.
void Connection::expect_within(std::chrono::seconds limit) {
    m_patience.expires_after(limit);
    m_patience.async_wait([weak = weak_from_this()](error_code aborted) {
        if (auto const connection = weak.lock(); connection && !aborted) connection->abort();
    });
}

bool Connection::peer_is_own_user() {
    if (m_door == Door::command) return true; // SO_PEERCRED said so when it was accepted
    auto const peer = m_server->options.peer_uid(m_stream.next_layer().next_layer().native_handle());
    if (peer && *peer == ::geteuid()) return true;
    if (peer) {
        log::warning("refused", {{"reason", "a connection from another user of this computer"}, {"uid", *peer}});
    } else if (peer.error().code == Errc::channel_closed) {
        log::debug("connection", {{"ended", "the peer is gone before it was looked at"}});
    } else {
        log::warning("refused", {{"reason", "whose connection it is cannot be told"}, {"detail", peer.error().detail}});
    }
    return false;
}

/// Hop 0: peer, TLS, head, gate. True once the socket speaks WebSocket.
Task<bool> Connection::open() {
    auto& socket = m_stream.next_layer().next_layer();
    if (!peer_is_own_user()) co_return false;
    unsigned char first = 0;
    for (::ssize_t got = -1; got != 1;) {
        auto const readable = co_await socket.async_wait(Stream::Socket::wait_read, as_result);
        got = ::recv(socket.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
        // Woken for nothing: wait again. Anything else is the end of the connection.
        bool const nothing_yet = got < 0 && (errno == EAGAIN || errno == EINTR);
        if (std::get<0>(readable) || (got != 1 && !nothing_yet)) {
            log::debug("connection", {{"ended", "before its first octet"}, {"error", std::get<0>(readable).message()}});
            co_return false;
        }
    }
    if (first == tls_handshake) {
        auto& tls = m_stream.next_layer().start_tls(*m_tls);
        auto const shaken = co_await tls.async_handshake(asio::ssl::stream_base::server, as_result);
        if (std::get<0>(shaken)) {
            log::debug("tls", {{"error", std::get<0>(shaken).message()}});
            co_return false;
        }
    }
    Parser parser;
    parser.header_limit(head_limit);
    auto const read = co_await http::async_read_header(m_stream.next_layer(), m_head, parser, as_result);
    if (std::get<0>(read)) {
        if (std::get<0>(read).category() == http::make_error_code(http::error::bad_method).category()) {
            co_await respond(400, "this is not HTTP\n", "text/plain");
        }
        co_return false;
    }
    auto const request = parser.release();
    auto const admitted = co_await admit(request, m_head.size() != 0);
    co_return admitted;
}

Task<bool> Connection::admit(Parser::value_type const& request, bool octets_follow) {
    Head head;
    head.method = {request.method_string().data(), request.method_string().size()};
    head.target = {request.target().data(), request.target().size()};
    head.host = field(request, http::field::host);
    head.origin = field(request, http::field::origin);
    head.key = field(request, http::field::sec_websocket_key).value_or("");
    head.fetch_site = field(request, "Sec-Fetch-Site").value_or("");
    head.upgrade = websocket::is_upgrade(request);
    head.repeated = request.count(http::field::host) > 1 || request.count(http::field::origin) > 1 ||
                    request.count(http::field::sec_websocket_key) > 1;
    head.octets_follow = octets_follow;
    head.offers_v1 = offers_v1(request);
    head.local = m_door == Door::command;
    auto const standing = [this](std::string_view origin) { return m_server->sites.standing(origin); };
    auto const judgement = judge(head, m_port, standing);

    switch (judgement.admission) {
    case Admission::status_page: co_await show(request, head.target); co_return false;
    case Admission::tried: co_await accept_and_close(request, websocket::close_code::normal); co_return false;
    case Admission::refused:
        log::info("refused", {{"origin", head.origin.value_or("")},
                              {"host", head.host.value_or("")},
                              {"status", judgement.status},
                              {"reason", judgement.reason}});
        co_await respond(judgement.status, std::string{judgement.reason} + "\n", "text/plain");
        co_return false;
    case Admission::explained:
        log::info("refused",
                  {{"origin", *head.origin}, {"status", unsigned{not_for_you}}, {"reason", judgement.reason}});
        co_await accept_and_close(request, {static_cast<websocket::close_code>(not_for_you),
                                            beast::string_view{judgement.reason.data(), judgement.reason.size()}});
        co_return false;
    case Admission::websocket: break;
    }
    m_asker.is_command = m_door == Door::command;
    m_asker.origin = std::string{head.origin.value_or("")};
    m_account.origin = m_asker.name();
    auto const admitted = co_await accept(request, head.offers_v1 ? Speaks::v1 : Speaks::ncalayer);
    co_return admitted;
}

/// Up to the first message of ours: of NCALayer's protocol the greeting; tamga.v1 has none.
Task<bool> Connection::accept(Parser::value_type const& request, Speaks speaks) {
    m_stream.read_message_max(m_server->options.frame_octets);
    m_stream.auto_fragment(false);
    m_stream.text(true);
    m_stream.control_callback([this](websocket::frame_type kind, beast::string_view) {
        if (kind != websocket::frame_type::close) return;
        auto const code = m_stream.reason().code;
        if (code != websocket::close_code::none && !is_close_code(code)) abort();
    });
    // The greeting travels with the answer to the upgrade: pages take the next message for a reply. Corked, both leave
    // in one segment.
    if (speaks == Speaks::v1) say_v1(m_stream);
    int const socket = m_stream.next_layer().next_layer().native_handle();
    int cork = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
    auto const accepted = co_await m_stream.async_accept(request, as_result);
    auto greeted = !std::get<0>(accepted) && co_await seat();
    if (greeted && speaks == Speaks::v1)
        begin_session();
    else if (greeted)
        greeted = co_await write(std::string{Desk::greeting()});
    cork = 0;
    ::setsockopt(socket, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
    int const no_delay = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    co_return greeted;
}

void Connection::begin_session() {
    auto write = [weak = weak_from_this()](std::string text) { return write_to(weak.lock(), std::move(text)); };
    m_session = std::make_shared<Session>(m_server->session, m_asker, std::move(write));
}

Task<bool> Connection::write_to(std::shared_ptr<Connection> connection, std::string text) {
    if (!connection) co_return false;
    auto const written = co_await connection->write(std::move(text));
    co_return written;
}

/// A refused upgrade looks to a page like no Tamga at all; the code and reason of a close it can read.
Task<void> Connection::accept_and_close(Parser::value_type const& request, websocket::close_reason reason) {
    say_v1(m_stream);
    auto const accepted = co_await m_stream.async_accept(request, as_result);
    if (std::get<0>(accepted)) co_return;
    co_await close(reason);
}

/// A place among the sockets of its site. Where it gets none it is closed with 1013, which a page can see, unlike the
/// status of a refused upgrade.
Task<bool> Connection::seat() {
    m_stood = standing();
    auto place = m_server->attendance.enter(m_asker.name(), m_stood);
    if (place) {
        m_place.emplace(std::move(*place));
        co_return true;
    }
    log::info("refused",
              {{"origin", m_asker.origin}, {"reason", "too many sockets of this site, or of unknown sites"}});
    co_await close(websocket::close_code::try_again_later);
    co_return false;
}

/// The status page, one of its files, or what a link opens. The gate has seen to it that the target is one of these.
Task<void> Connection::show(Parser::value_type const& request, std::string_view target) {
    constexpr std::string_view html = "text/html; charset=utf-8";
    auto const asked = status_target(target).value_or(StatusTarget{});
    auto const accepted = accepted_language(field(request, http::field::accept_language).value_or(""));
    auto const language = asked.language ? *asked.language : accepted.value_or(m_server->options.language);
    switch (asked.kind) {
    case StatusTarget::Kind::asset: {
        auto const asset = status_asset(asked.name);
        co_await respond(200, asset.octets, asset.type);
        co_return;
    }
    case StatusTarget::Kind::page: {
        auto const page = status_page(language, m_server->facts(m_port));
        co_await respond(200, page, html);
        co_return;
    }
    case StatusTarget::Kind::tokens: break;
    }
    auto const wanted = m_server->session.links.take(asked.name, Clock::now());
    if (!wanted) {
        log::info("refused", {{"status", 404U}, {"reason", "no link to the tokens, or none any more"}});
        auto const page = dead_link_page(language);
        co_await respond(404, page, html);
        co_return;
    }
    co_await m_server->session.keys.await_restarts();
    auto const tokens = co_await m_server->session.keys.list();
    auto const ending = co_await m_server->session.reminders.due();
    auto const page = tokens_page(*wanted, tokens ? *tokens : std::vector<ipc::TokenInfo>{}, ending);
    co_await respond(200, page, html);
}

Task<void> Connection::respond(unsigned status, std::string_view body, std::string_view type) {
    http::response<http::string_body> response{static_cast<http::status>(status), 11};
    response.set(http::field::content_type, {type.data(), type.size()});
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    response.set("Cross-Origin-Resource-Policy", "same-origin");
    response.set("Content-Security-Policy", content_security_policy(m_port));
    response.keep_alive(false);
    response.body() = std::string{body};
    response.prepare_payload();
    auto const written = co_await http::async_write(m_stream.next_layer(), response, as_result);
    error_code ignored = std::get<0>(written);
    m_stream.next_layer().next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
}

Task<void> Connection::read_frames() {
    while (true) {
        auto frame = co_await read_frame();
        if (!frame) co_return;
        if (m_stream.got_binary()) {
            co_await close(websocket::close_code::unknown_data);
            co_return;
        }
        if (auto reply = Desk::heartbeat_reply(frame->text)) {
            if (!co_await write(std::move(*reply))) co_return;
            continue;
        }
        if (++m_unanswered > unanswered_limit) {
            co_await close(websocket::close_code::policy_error);
            co_return;
        }
        m_frames.put(std::move(*frame));
    }
}

/// One message, whole. Nothing at the end of the connection; Beast has then said why (1007 not UTF-8, 1009 too big).
Task<std::optional<Connection::Frame>> Connection::read_frame() {
    auto const allowed = standing() == Standing::allowed;
    if (allowed) m_stood = Standing::allowed; // the window's answer may be taken back before its file was looked at
    auto const from = allowed ? FrameBudget::From::allowed_site : FrameBudget::From::stranger;
    Frame frame{{}, FrameBudget::Claim{m_server->budget, m_account, from}};
    do {
        auto const before = frame.text.size();
        if (before != 0 && !co_await m_server->budget.room(frame.claim)) {
            co_await close(websocket::close_code::try_again_later);
            co_return std::nullopt;
        }
        frame.text.resize(before + std::clamp<std::size_t>(before, 4096, largest_read));
        auto const into = asio::buffer(frame.text.data() + before, frame.text.size() - before);
        auto const read = co_await m_stream.async_read_some(into, as_result);
        if (std::get<0>(read)) co_return std::nullopt;
        if (before == 0 && !m_stream.is_message_done()) expect_within(frame_patience);
        frame.text.resize(before + std::get<1>(read));
        if (m_session && m_stream.got_binary()) {
            if (!co_await read_upload(frame)) co_return std::nullopt;
            break;
        }
        frame.claim.add(std::get<1>(read));
    } while (!m_stream.is_message_done());
    m_patience.cancel();
    frame.claim.whole();
    co_return frame;
}

/// tamga.v1: what the session makes of a message is its own affair; here is only said when it is too much.
Task<void> Connection::hear_messages() {
    auto const self = shared_from_this();
    while (true) {
        auto frame = co_await read_frame();
        if (!frame) co_return;
        if (frame->uploaded) continue;
        if (m_session->unanswered() >= unanswered_limit) {
            co_await close(websocket::close_code::policy_error);
            co_return;
        }
        auto const size = frame->text.size();
        std::shared_ptr<Held> held{new Held{self, GivesMemoryBack{size}, std::move(frame->claim)}};
        co_await m_session->hear(std::move(frame->text), std::move(held));
    }
}

/// A binary message, of which the first octets are in `frame`: to the open upload, a piece at a time. False where the
/// connection is to end.
Task<bool> Connection::read_upload(Frame& frame) {
    auto& uploads = m_session->uploads();
    if (!uploads.is_open()) {
        co_await close(websocket::close_code::unknown_data);
        co_return false;
    }
    auto piece = uploads.take_buffer();
    std::size_t used = frame.text.size();
    Clock::time_point patient_since{};
    std::ranges::copy(frame.text, piece.begin());
    while (true) {
        bool const whole = m_stream.is_message_done();
        if (whole || used == piece.size()) {
            if (uploads.keeps() && !co_await charge_upload(used)) co_return false;
            piece = co_await uploads.add(std::move(piece), used);
            used = 0;
        }
        if (whole) break;
        // Some ten thousand reads a second: not each of them sets the clock anew.
        if (auto const now = Clock::now(); now - patient_since > std::chrono::seconds{1}) {
            expect_within(frame_patience);
            patient_since = now;
        }
        auto const into = asio::buffer(piece.data() + used, piece.size() - used);
        auto const read = co_await m_stream.async_read_some(into, as_result);
        if (std::get<0>(read)) co_return false;
        used += std::get<1>(read);
    }
    uploads.give_back(std::move(piece));
    frame.uploaded = true;
    co_return true;
}

/// What is kept of an upload counts as an unanswered message, until something was made of it.
Task<bool> Connection::charge_upload(std::size_t octets) {
    auto& uploads = m_session->uploads();
    if (!uploads.held()) {
        FrameBudget::Claim claim{m_server->budget, m_account, FrameBudget::From::allowed_site};
        uploads.hold(std::shared_ptr<Held>{new Held{shared_from_this(), GivesMemoryBack{0}, std::move(claim)}});
    }
    auto const held = std::static_pointer_cast<Held>(uploads.held());
    if (!co_await m_server->budget.room(held->claim)) {
        co_await close(websocket::close_code::try_again_later);
        co_return false;
    }
    held->claim.add(octets);
    co_return true;
}

Task<void> Connection::answer_frames() {
    auto const self = shared_from_this();
    while (true) {
        auto frame = co_await m_frames.next();
        if (!frame) co_return;
        GivesMemoryBack const gives_memory_back{frame->text.size()};
        auto reply = co_await m_server->desk.answer(m_asker, std::move(frame->text));
        auto const written = !reply || co_await write(std::move(*reply));
        --m_unanswered;
        if (!written) co_return;
    }
}

Task<bool> Connection::write(std::string text) {
    auto turn = co_await m_writing.enter();
    if (!turn) co_return false;
    auto const written = co_await m_stream.async_write(asio::buffer(text), as_result);
    co_return !std::get<0>(written);
}

Task<void> Connection::close(websocket::close_reason reason) {
    expect_within(close_patience);
    auto turn = co_await m_writing.enter();
    if (!turn) co_return;
    auto const closed = co_await m_stream.async_close(reason, as_result);
    static_cast<void>(closed);
}

void Connection::leave() {
    end(websocket::close_code::going_away);
}

void Connection::reconsider() {
    if (m_door == Door::command || !m_open) return;
    auto const before = std::exchange(m_stood, standing());
    // A site that was never allowed hears of a refusal by the answer to its request.
    if (before != Standing::allowed || m_stood == Standing::allowed) return;
    std::string_view const why = m_stood == Standing::asked ? "site_revoked" : wire_name(Errc::site_refused);
    log::info("turned_away", {{"origin", m_asker.origin}, {"reason", why}});
    auto const code = m_session ? static_cast<websocket::close_code>(not_for_you) : websocket::close_code::policy_error;
    end({code, beast::string_view{why.data(), why.size()}});
}

void Connection::leave_if_answered() {
    if (!m_open || m_leaving || m_unanswered != 0 || (m_session && m_session->unanswered() != 0)) return;
    m_leaving = true;
    leave();
}

/// Calls everything off, and says why in the close.
void Connection::end(websocket::close_reason reason) {
    if (!m_open) return abort();
    if (m_session) m_session->end();
    m_answering.emit(asio::cancellation_type::terminal);
    auto closing = [](std::shared_ptr<Connection> connection, websocket::close_reason why) {
        return connection->close(why);
    };
    asio::co_spawn(m_server->loop, closing(shared_from_this(), reason), asio::detached);
}

Standing Connection::standing() {
    return m_door == Door::command ? Standing::allowed : m_server->sites.standing(m_asker.origin);
}

void Connection::abort() noexcept {
    error_code ignored;
    m_stream.next_layer().next_layer().close(ignored);
}

} // namespace tamga::daemon

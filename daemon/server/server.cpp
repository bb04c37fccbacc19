#include "daemon/server/server.hpp"

#include "base/log.hpp"
#include "daemon/server/connection.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tamga::daemon {

using boost::system::error_code;

namespace {

constexpr std::size_t most_connections = 1024;
constexpr std::chrono::seconds leaving_time{2};
constexpr std::chrono::milliseconds finishing_look{20};

Task<void> accept_connections(std::shared_ptr<Server::State> server, asio::ip::tcp::acceptor acceptor,
                              std::uint16_t port) {
    while (!server->stopping && !server->finishing) {
        asio::ip::tcp::socket socket{server->loop};
        auto const accepted = co_await acceptor.async_accept(socket, as_result);
        if (server->stopping) co_return;
        if (auto const failure = std::get<0>(accepted); failure) {
            if (server->finishing) co_return;
            log::warning("accept", {{"error", failure.message()}});
            asio::steady_timer pause{server->loop, std::chrono::milliseconds{100}};
            auto const waited = co_await pause.async_wait(as_result);
            static_cast<void>(waited);
            continue;
        }
        if (server->connections.size() >= most_connections) continue;
        if (std::chrono::system_clock::now() - server->tls_looked_at > std::chrono::hours{24}) {
            auto const renewed = server->renew_tls();
            if (!renewed)
                log::error("tls", {{"error", wire_name(renewed.error().code)}, {"detail", renewed.error().detail}});
        }
        auto const connection = std::make_shared<Connection>(server, std::move(socket), port, Connection::Door::page);
        asio::co_spawn(server->loop, connection->run(), report_end);
    }
}

/// For commands of this user alone, whatever the mode of the socket's file.
Task<void> accept_local(std::shared_ptr<Server::State> server, asio::local::stream_protocol::acceptor acceptor) {
    while (!server->stopping && !server->finishing) {
        asio::local::stream_protocol::socket socket{server->loop};
        auto const accepted = co_await acceptor.async_accept(socket, as_result);
        if (server->stopping) co_return;
        if (auto const failure = std::get<0>(accepted); failure) {
            if (server->finishing) co_return;
            log::warning("accept", {{"error", failure.message()}});
            asio::steady_timer pause{server->loop, std::chrono::milliseconds{100}};
            auto const waited = co_await pause.async_wait(as_result);
            static_cast<void>(waited);
            continue;
        }
        ::ucred peer{};
        ::socklen_t size = sizeof peer;
        if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
            peer.uid != ::geteuid()) {
            continue;
        }
        if (server->connections.size() >= most_connections) continue;
        auto const connection =
            std::make_shared<Connection>(server, std::move(socket), std::uint16_t{0}, Connection::Door::command);
        asio::co_spawn(server->loop, connection->run(), report_end);
    }
}

} // namespace

void report_end(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& cancelled) {
        if (cancelled.code() == asio::error::operation_aborted) return;
        log::warning("connection", {{"ended", cancelled.what()}});
    } catch (std::exception const& exception) {
        log::error("connection", {{"ended", exception.what()}});
    }
}

Result<std::unique_ptr<Server>> Server::make(asio::io_context& loop, ServerOptions options, Desk& desk,
                                             SessionParts session) {
    FrameBudget budget{loop.get_executor(), options.buffered_octets, options.frame_octets};
    std::shared_ptr<State> state{
        new State{loop, std::move(options), desk, session.sites, session, nullptr, {}, std::move(budget), {}, {}, {}}};
    if (auto renewed = state->renew_tls(); !renewed) return renewed.error();
    return std::unique_ptr<Server>{new Server{std::move(state)}};
}

Result<void> Server::State::renew_tls() {
    tls_looked_at = std::chrono::system_clock::now();
    auto const material = options.tls_material();
    if (!material) return material.error();
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code failure;
    context->use_certificate_chain(asio::buffer(material->chain_pem), failure);
    if (!failure) context->use_private_key(asio::buffer(material->key_pem), asio::ssl::context::pem, failure);
    if (failure) return Error{Errc::config_invalid, "TLS certificate: " + failure.message()};
    ::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    ::SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS); // an idle socket holds no 34 kB of buffers
    ::SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
    std::tm end{};
    auto const* const certificate = ::SSL_CTX_get0_certificate(context->native_handle());
    ::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &end);
    certificate_until = ::timegm(&end);
    tls = std::move(context);
    return ok();
}

StatusFacts Server::State::facts(std::uint16_t port) const {
    auto const modules = session.keys.count();
    return {port, since, certificate_until, modules.up, modules.all};
}

Server::Server(std::shared_ptr<State> state) : m_state{std::move(state)} {}
Server::~Server() = default;

void Server::listen(ipc::Listener listener, UniqueFd socket) {
    switch (listener.kind) {
    case ipc::ListenerKind::tcp: {
        ::sockaddr_storage address{};
        ::socklen_t size = sizeof address;
        ::getsockname(socket.get(), reinterpret_cast<::sockaddr*>(&address), &size);
        auto const protocol = address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
        asio::ip::tcp::acceptor acceptor{m_state->loop, protocol, socket.release()};
        m_state->session.links.served_at(listener.port);
        asio::co_spawn(m_state->loop, accept_connections(m_state, std::move(acceptor), listener.port),
                       asio::bind_cancellation_slot(m_state->accepting.emplace_back().slot(), report_end));
        log::info("listening", {{"port", unsigned{listener.port}},
                                {"address", address.ss_family == AF_INET6 ? "::1" : "127.0.0.1"}});
        return;
    }
    case ipc::ListenerKind::local: {
        asio::local::stream_protocol::acceptor acceptor{m_state->loop, asio::local::stream_protocol{},
                                                        socket.release()};
        asio::co_spawn(m_state->loop, accept_local(m_state, std::move(acceptor)),
                       asio::bind_cancellation_slot(m_state->accepting.emplace_back().slot(), report_end));
        return;
    }
    }
}

void Server::turn_sites_away() {
    for (auto* connection : std::set<Connection*>{m_state->connections})
        connection->reconsider();
}

void Server::finish(std::function<void()> done) {
    if (m_state->stopping || m_state->finishing) return;
    m_state->finishing = true;
    for (auto& signal : m_state->accepting)
        signal.emit(asio::cancellation_type::terminal);
    auto waiting = [](std::shared_ptr<State> state, std::function<void()> finished) -> Task<void> {
        while (!state->connections.empty() && !state->stopping) {
            for (auto* connection : std::set<Connection*>{state->connections})
                connection->leave_if_answered();
            asio::steady_timer pause{state->loop, finishing_look};
            auto const waited = co_await pause.async_wait(as_result);
            static_cast<void>(waited);
        }
        if (!state->stopping) finished();
    };
    asio::co_spawn(m_state->loop, waiting(m_state, std::move(done)), asio::detached);
}

void Server::stop(std::function<void()> done) {
    if (m_state->stopping) return;
    m_state->stopping = true;
    for (auto* connection : std::set<Connection*>{m_state->connections})
        connection->leave();
    auto waiting = [](std::shared_ptr<State> state, std::function<void()> finished) -> Task<void> {
        auto const deadline = Clock::now() + leaving_time;
        while (!state->connections.empty() && Clock::now() < deadline) {
            asio::steady_timer pause{state->loop, std::chrono::milliseconds{10}};
            auto const waited = co_await pause.async_wait(as_result);
            static_cast<void>(waited);
        }
        finished();
    };
    asio::co_spawn(m_state->loop, waiting(m_state, std::move(done)), asio::detached);
}

} // namespace tamga::daemon

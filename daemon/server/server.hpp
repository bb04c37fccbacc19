// The loopback server: everything that knows Beast lives in this folder, behind this header.
#pragma once

#include "base/messages.hpp"
#include "base/unique_fd.hpp"
#include "daemon/desk.hpp"
#include "daemon/session.hpp"
#include "daemon/sites.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace tamga::daemon {

struct TlsMaterial {
    std::string chain_pem; ///< the server certificate first
    std::string key_pem;
};

struct ServerOptions {
    std::size_t frame_octets = 256 * 1024 * 1024;    ///< one message; more closes the socket with 1009
    std::size_t buffered_octets = 512 * 1024 * 1024; ///< all unanswered messages together
    /// The certificate to serve now. Asked at start, and again by the first connection of a day: it may have been
    /// renewed.
    std::function<Result<TlsMaterial>()> tls_material;
    /// Whose the other end of this accepted TCP socket is. Errors: channel_closed (it is gone already), system.
    std::function<Result<uid_t>(int socket)> peer_uid;
    Language language{};
};

/// Loop thread.
class Server {
public:
    /// Errors: those of tls_material; config_invalid, where OpenSSL does not take it.
    static Result<std::unique_ptr<Server>> make(asio::io_context& loop, ServerOptions options, Desk& desk,
                                                SessionParts session);
    ~Server();

    /// Serves connections of this listening socket from now on.
    void listen(ipc::Listener listener, UniqueFd socket);
    /// What is said of sites changed: tells the sockets of each that was allowed and is not any more, and closes them.
    void turn_sites_away();
    /// Takes no new connection, so that those wait for whoever listens next, closes each of ours with 1001 as soon as
    /// all that it asked is answered, and calls `done`.
    void finish(std::function<void()> done);
    /// Stops listening, closes every connection with 1001 (their requests are cancelled) and calls `done`.
    void stop(std::function<void()> done);

    struct State;

private:
    explicit Server(std::shared_ptr<State> state);
    std::shared_ptr<State> m_state;
};

} // namespace tamga::daemon

// What the listener and the connections share. Private to daemon/server.
#pragma once

#include "daemon/server/attendance.hpp"
#include "daemon/server/frame_budget.hpp"
#include "daemon/server/server.hpp"
#include "daemon/server/status_page.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ssl/context.hpp>

#include <list>
#include <set>

namespace tamga::daemon {

class Connection;

struct Server::State {
    asio::io_context& loop;
    ServerOptions options;
    Desk& desk;
    Sites& sites;
    SessionParts session;
    /// Shared with the connections that use it, because a renewal puts another in its place.
    std::shared_ptr<asio::ssl::context> tls;
    std::chrono::system_clock::time_point tls_looked_at;
    FrameBudget budget;
    Attendance attendance;
    std::set<Connection*> connections;
    std::list<asio::cancellation_signal> accepting; ///< of each listening socket
    bool finishing = false;
    bool stopping = false;
    std::time_t since = std::time(nullptr);
    std::time_t certificate_until = 0; ///< of `tls`

    /// Error: as Server::make.
    Result<void> renew_tls();
    /// For the status page of this port.
    [[nodiscard]] StatusFacts facts(std::uint16_t port) const;
};

/// Completion handler of every coroutine of a connection, and the one place where their exceptions end: cancellation is
/// no news; anything else (memory not to be had, a bug) costs that connection and is logged.
void report_end(std::exception_ptr failure);

} // namespace tamga::daemon

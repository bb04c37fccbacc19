// What the listener and the connections share. Private to daemon/server.
#pragma once

#include "daemon/server/frame_budget.hpp"
#include "daemon/server/server.hpp"

#include <boost/asio/ssl/context.hpp>

#include <set>

namespace tamga::daemon {

class Connection;

struct Server::State {
    asio::io_context& loop;
    ServerOptions options;
    Desk& desk;
    Sites& sites;
    asio::ssl::context tls{asio::ssl::context::tls_server};
    FrameBudget budget;
    std::set<Connection*> connections;
    bool stopping = false;
};

/// Completion handler of every coroutine of a connection, and the one place where their exceptions end: cancellation is
/// no news; anything else (memory not to be had, a bug) costs that connection and is logged.
void report_end(std::exception_ptr failure);

}  // namespace tamga::daemon

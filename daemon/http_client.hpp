// Fetches from the few services that configuration names (time-stamps, revocation): no URL of a page, a document or a
// certificate ever comes here (S23). One request a connection; nothing is followed, kept or decompressed.
#pragma once

#include "base/bytes.hpp"
#include "daemon/task.hpp"
#include "policy/http_url.hpp"

#include <optional>

namespace tamga::daemon {

struct HttpRequest {
    policy::HttpUrl url;
    std::string content_type; ///< of `body`; empty: GET
    Bytes body;
    std::size_t most_octets = 64 * 1024; ///< of the answer
};

/// Loop thread.
class HttpClient {
public:
    HttpClient(asio::any_io_executor executor, std::optional<policy::HttpUrl> proxy)
        : m_executor{std::move(executor)}, m_proxy{std::move(proxy)} {}

    /// The body of a 200 answer. Given up at `deadline`, and when the coroutine is cancelled.
    /// Errors: timeout; too_large; system (name not found, refused, closed, another status), with the host in the
    /// detail.
    Task<Result<Bytes>> fetch(HttpRequest request, Deadline deadline);

private:
    asio::any_io_executor m_executor;
    std::optional<policy::HttpUrl> m_proxy;
};

} // namespace tamga::daemon

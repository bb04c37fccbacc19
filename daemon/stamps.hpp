// Time-stamps for the signatures of one request: hop 3f of README's table.
#pragma once

#include "daemon/compute.hpp"
#include "daemon/http_client.hpp"
#include "signing/cms.hpp"
#include "signing/timestamp.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <list>
#include <string>
#include <vector>

namespace tamga::daemon {

struct StampSettings {
    policy::HttpUrl url;
    std::optional<std::string> policy; ///< dotted, or empty: none is asked for. Absent: the NCA's for the kind of key
    std::chrono::seconds limit{20};    ///< for all stamps of a request
};

/// Loop thread.
class Stamps {
public:
    /// Judges a stamp's authority: whether its issuer is trusted. Runs on the compute thread.
    using Trust = std::function<Result<void>(signing::Timestamp const&)>;

    Stamps(asio::any_io_executor executor, HttpClient& client, Compute& compute, StampSettings settings, Trust trust)
        : m_executor{std::move(executor)},
          m_client{client},
          m_compute{compute},
          m_settings{std::move(settings)},
          m_trust{std::move(trust)} {}

    /// So many are asked for at the same time.
    static constexpr std::size_t parallel = 8;

    /// The stamps of one request, from asking to the last answer.
    class Round {
    public:
        Round(Stamps& owner, std::vector<signing::UnstampedSigner> list);
        /// Ends `fetch` with user_cancelled.
        void call_off();

    private:
        friend class Stamps;
        struct Answer {
            std::size_t index;
            Result<Bytes> token;
        };

        Stamps& m_stamps;
        std::vector<signing::UnstampedSigner> m_values;
        Mailbox<Answer> m_answers;
        std::list<asio::cancellation_signal> m_signals; ///< one a worker
        Deadline m_deadline;
        std::size_t m_next = 0;
        bool m_over = false;
    };
    [[nodiscard]] std::shared_ptr<Round> begin(std::vector<signing::UnstampedSigner> values);

    /// One stamp, verified, on each of the round's values, in their order; once for each round. The first failure calls
    /// the others off. `made` hears how many there are, each time one more is.
    /// Errors: timestamp_unavailable, timestamp_invalid, algorithm_unavailable, user_cancelled, what `trust` says.
    Task<Result<std::vector<signing::StampedValue>>> fetch(std::shared_ptr<Round> round,
                                                           std::function<void(std::size_t)> made);

private:
    static Task<void> work(std::shared_ptr<Round> round);
    Task<Result<Bytes>> stamp(signing::UnstampedSigner const& signer, Deadline deadline);

    asio::any_io_executor m_executor;
    HttpClient& m_client;
    Compute& m_compute;
    StampSettings m_settings;
    Trust m_trust;
};

} // namespace tamga::daemon

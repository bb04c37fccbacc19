#include "daemon/stamps.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace tamga::daemon {

namespace {

/// What failed on the way to the service is one thing to whoever waits for the stamp.
Error unavailable(Error const& error) {
    return {Errc::timestamp_unavailable, std::string{wire_name(error.code)} + ": " + error.detail};
}

} // namespace

/// What the workers of one request share; they hold it until they have noticed that it is over.
Stamps::Round::Round(Stamps& owner, std::vector<signing::UnstampedSigner> list)
    : m_stamps{owner}, m_values{std::move(list)}, m_answers{owner.m_executor} {}

void Stamps::Round::call_off() {
    m_answers.put({0, Error{Errc::user_cancelled}});
}

std::shared_ptr<Stamps::Round> Stamps::begin(std::vector<signing::UnstampedSigner> values) {
    return std::make_shared<Round>(*this, std::move(values));
}

Task<void> Stamps::work(std::shared_ptr<Round> round) {
    while (!round->m_over && round->m_next < round->m_values.size()) {
        auto const index = round->m_next++;
        auto token = co_await round->m_stamps.stamp(round->m_values[index], round->m_deadline);
        round->m_answers.put({index, std::move(token)});
    }
}

Task<Result<std::vector<signing::StampedValue>>> Stamps::fetch(std::shared_ptr<Round> round,
                                                               std::function<void(std::size_t)> made) {
    struct Ender {
        Round& round;
        ~Ender() {
            round.m_over = true;
            for (auto& signal : round.m_signals)
                signal.emit(asio::cancellation_type::terminal);
        }
    };
    Ender const ender{*round};
    round->m_deadline = Clock::now() + m_settings.limit;
    for (std::size_t i = 0; i < std::min(parallel, round->m_values.size()); ++i) {
        auto const slot = round->m_signals.emplace_back().slot();
        asio::co_spawn(m_executor, work(round), asio::bind_cancellation_slot(slot, asio::detached));
    }

    std::vector<signing::StampedValue> stamps(round->m_values.size());
    for (std::size_t count = 0; count < stamps.size(); ++count) {
        auto answer = co_await round->m_answers.next(round->m_deadline);
        if (!answer) co_return Error{Errc::timestamp_unavailable, "not in time"};
        if (!answer->token) co_return answer->token.error();
        stamps[answer->index] = {round->m_values[answer->index].value, std::move(*answer->token)};
        made(count + 1);
    }
    co_return stamps;
}

Task<Result<Bytes>> Stamps::stamp(signing::UnstampedSigner const& signer, Deadline deadline) {
    auto const policy = m_settings.policy.value_or(signer.algorithm->timestamp_policy);
    auto const query = signing::query_timestamp(signer.algorithm->digest, signer.value, policy);
    if (!query) co_return query.error();
    HttpRequest request{m_settings.url, "application/timestamp-query", query->der, signing::max_timestamp_reply};
    auto reply = co_await m_client.fetch(std::move(request), deadline);
    if (!reply) co_return unavailable(reply.error());
    auto judge = [this, &query, &reply]() -> Result<Bytes> {
        auto stamp = signing::read_timestamp_reply(*query, *reply, std::time(nullptr));
        if (!stamp) return stamp.error();
        if (auto trusted = m_trust(*stamp); !trusted) return trusted.error();
        return std::move(stamp->token);
    };
    auto token = co_await m_compute.run(std::move(judge));
    co_return token;
}

} // namespace tamga::daemon

#include "base/date.hpp"
#include "cli/doctor/checks.hpp"
#include "cli/doctor/web_probe.hpp"
#include "signing/timestamp.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstdlib>

namespace tamga::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 4s;                  // for a connection
constexpr std::int64_t most_seconds_off = 300; // beyond it a time-stamp is refused

/// A stamp on 32 random octets: nothing is told to anybody.
Result<signing::TimestampQuery> stamp_query(policy::WebConfig const& configuration) {
    std::array<unsigned char, 32> octets{};
    ::RAND_bytes(octets.data(), octets.size());
    return signing::query_timestamp(signing::DigestAlgorithm::sha256, octets,
                                    configuration.timestamp_policy.value_or(""));
}

class Probe {
public:
    Probe(Surroundings const& here, policy::WebConfig const& configuration)
        : m_here{here}, m_configuration{configuration} {}

    Findings run() {
        auto const stamp = stamp_query(m_configuration);
        std::vector<WebQuestion> questions{{m_configuration.timestamp_url, WebQuestion::Kind::post,
                                            "application/timestamp-query", stamp ? stamp->der : Bytes{}},
                                           {m_configuration.ocsp_url}};
        for (auto const& url : m_configuration.crl_urls)
            questions.push_back({url});
        auto const answers = ask_the_web(questions, m_configuration.proxy,
                                         {patience, std::chrono::seconds{m_configuration.timestamp_seconds}});
        for (std::size_t i = 0; i < answers.size(); ++i)
            judge(questions[i].url, i, answers[i]);
        if (stamp && answers[0]) judge_stamp(*stamp, *answers[0]);
        judge_clock(questions, answers);
        return std::move(m_findings);
    }

private:
    void judge(policy::HttpUrl const& url, std::size_t place, Result<WebAnswer> const& answer) {
        constexpr unsigned not_found = 404;
        auto const name = url.authority() + url.path;
        auto const silent = place == 0   ? Cause::services_stamps_silent
                            : place == 1 ? Cause::services_ocsp_silent
                                         : Cause::services_crl_silent;
        if (!answer)
            m_findings.push_back({silent, name, answer.error().detail});
        else if (place > 1 && answer->status >= not_found)
            m_findings.push_back({silent, name, "status " + std::to_string(answer->status)});
        else if (place > 0)
            m_findings.push_back({Cause::services_good, name});
    }

    /// Judged by its own clock: ours is another matter.
    void judge_stamp(signing::TimestampQuery const& query, WebAnswer const& answer) {
        auto const name = m_configuration.timestamp_url.authority() + m_configuration.timestamp_url.path;
        auto const stamp = signing::read_timestamp_reply(query, answer.body, answer.date.value_or(m_here.seconds()));
        if (stamp)
            m_findings.push_back({Cause::services_good, name});
        else
            m_findings.push_back({Cause::services_stamps_wrong, name, stamp.error().detail});
    }

    void judge_clock(std::vector<WebQuestion> const& questions, std::vector<Result<WebAnswer>> const& answers) {
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (!answers[i] || !answers[i]->date) continue;
            auto const off = m_here.seconds() - *answers[i]->date;
            auto const wrong = std::abs(off) > most_seconds_off;
            m_findings.push_back(wrong ? Finding{Cause::clock_off, std::to_string(off), questions[i].url.host}
                                       : Finding{Cause::clock_good});
            return;
        }
        m_findings.push_back({Cause::clock_unconfirmed});
    }

    Surroundings const& m_here;
    policy::WebConfig const& m_configuration;
    Findings m_findings;
};

} // namespace

Findings check_network(Surroundings const& here) {
    if (here.now < here.built) return {{Cause::clock_before_build, format_utc(here.seconds(), "%Y-%m-%d %H:%M UTC")}};
    if (here.network == Network::left_alone) return {};
    policy::WebConfig const otherwise;
    return Probe{here, here.configuration ? *here.configuration : otherwise}.run();
}

} // namespace tamga::cli

#include "daemon/revocations.hpp"

#include "base/log.hpp"
#include "signing/crl.hpp"
#include "signing/ocsp.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <ctime>

namespace tamga::daemon {

namespace {

constexpr std::chrono::seconds ocsp_limit{10};
constexpr std::chrono::minutes list_limit{10};
constexpr std::chrono::hours between_lists{1}; ///< tries, where they cannot be had

} // namespace

signing::TrustSet Revocations::trusted() const {
    return signing::TrustSet::load(m_settings.folders, m_settings.user);
}

Task<signing::Judgement> Revocations::look(signing::Certificate certificate, ipc::KeyFilter filter) {
    auto judge = [this, &certificate, &filter] {
        return signing::judge(certificate, filter, trusted(), m_cache, m_settings.strictness, std::time(nullptr));
    };
    auto judgement = co_await m_compute.run(std::move(judge));
    co_return judgement;
}

Task<Result<void>> Revocations::settle(signing::Certificate certificate, ipc::KeyFilter filter) {
    if (m_settings.strictness == signing::Strictness::lenient) {
        refresh(std::move(certificate));
        co_return ok();
    }
    auto const judgement = co_await look(certificate, filter);
    if (judgement.refusal) co_return *judgement.refusal;
    if (!judgement.doubt) co_return ok();
    if (!judgement.issuer) co_return *judgement.doubt;
    auto asked = co_await ask_ocsp(certificate, *judgement.issuer);
    if (!asked) co_return Error{Errc::revocation_unknown, asked.error().detail};
    if (asked->state == signing::Revocation::unknown) co_return Errc::revocation_unknown;
    bool const revoked = asked->state == signing::Revocation::revoked && !filter.allow_revoked;
    co_return revoked ? Result<void>{Errc::certificate_revoked} : ok();
}

/// Returns at once. The lists, which are large, are fetched only where OCSP does not answer and nothing is on disk.
void Revocations::refresh(signing::Certificate certificate) {
    if (!m_under_way.insert(certificate.fingerprint()).second) return;
    asio::co_spawn(m_executor, renew(std::move(certificate)), asio::detached);
}

Task<void> Revocations::renew(signing::Certificate certificate) {
    ipc::KeyFilter const anything;
    auto const judgement = co_await look(certificate, anything);
    auto const& known = judgement.revocation;
    tell_if_revoked(certificate, known);
    auto const age = std::time(nullptr) - known.this_update;
    bool const is_fresh = known.state == signing::Revocation::revoked ||
                          (known.state == signing::Revocation::good && age < std::chrono::seconds{fresh}.count());
    // Without its issuer nobody could be asked, and no answer verified.
    if (!is_fresh && judgement.issuer) {
        auto asked = co_await ask_ocsp(certificate, *judgement.issuer);
        if (!asked) {
            log::info("ocsp", {{"certificate", certificate.log_name()},
                               {"error", wire_name(asked.error().code)},
                               {"detail", asked.error().detail}});
            if (known.state == signing::Revocation::unknown) {
                co_await renew_lists();
                auto const again = co_await look(certificate, anything);
                tell_if_revoked(certificate, again.revocation);
            }
        }
    }
    m_under_way.erase(certificate.fingerprint());
}

Task<Result<signing::RevocationStatus>> Revocations::ask_ocsp(signing::Certificate certificate,
                                                              signing::Certificate issuer) {
    auto const query = signing::query_ocsp(certificate, issuer);
    if (!query) co_return query.error();
    HttpRequest request{m_settings.ocsp, "application/ocsp-request", query->der, signing::max_ocsp_reply};
    auto reply = co_await m_client.fetch(std::move(request), Clock::now() + ocsp_limit);
    if (!reply) co_return reply.error();
    auto judge = [&]() -> Result<signing::RevocationStatus> {
        auto status = signing::read_ocsp_reply(*query, *reply, certificate, issuer, std::time(nullptr));
        if (!status) return status.error();
        if (auto stored = m_cache.store(certificate, *status); !stored) {
            if (stored.error().code == Errc::timeout) return stored.error();
            log::warning("revocation_cache", {{"detail", stored.error().detail}});
        }
        return *status;
    };
    auto status = co_await m_compute.run(std::move(judge));
    if (status) tell_if_revoked(certificate, *status);
    co_return status;
}

void Revocations::tell_if_revoked(signing::Certificate const& certificate,
                                  signing::RevocationStatus const& status) const {
    if (status.state == signing::Revocation::revoked && m_revoked) m_revoked(certificate.fingerprint());
}

Task<void> Revocations::renew_lists() {
    if (m_lists_under_way || Clock::now() < m_lists_not_before) co_return;
    m_lists_under_way = true;
    m_lists_not_before = Clock::now() + between_lists;
    for (auto const& url : m_settings.lists) {
        auto renewed = co_await renew_list(url);
        if (renewed) continue;
        log::info("crl", {{"url", url.authority() + url.path},
                          {"error", wire_name(renewed.error().code)},
                          {"detail", renewed.error().detail}});
    }
    m_cache.trim(signing::RevocationCache::most_octets);
    m_lists_under_way = false;
}

Task<Result<void>> Revocations::renew_list(policy::HttpUrl url) {
    HttpRequest request{std::move(url), {}, {}, signing::max_crl};
    auto list = co_await m_client.fetch(std::move(request), Clock::now() + list_limit);
    if (!list) co_return list.error();
    auto judge = [this, &list]() -> Result<void> {
        Result<void> outcome{Error{Errc::issuer_missing, "of this list"}};
        auto const set = trusted();
        for (auto const& issuer : set.certificates()) {
            if (!signing::is_crl_of(*list, issuer)) continue;
            auto read = signing::read_crl(*list, issuer);
            outcome = read ? m_cache.store(issuer, std::move(*read)) : Result<void>{read.error()};
            if (outcome) return outcome;
        }
        return outcome;
    };
    auto judged = co_await m_compute.run(std::move(judge));
    co_return judged;
}

} // namespace tamga::daemon

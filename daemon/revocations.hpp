// Finds out whether certificates were revoked, beside the requests: from OCSP, else from the authorities' lists, into
// the cache on disk (signing/revocation.hpp), which the window reads next time.
#pragma once

#include "daemon/compute.hpp"
#include "daemon/http_client.hpp"
#include "signing/judge.hpp"

#include <functional>
#include <set>

namespace tamga::daemon {

struct RevocationSettings {
    policy::HttpUrl ocsp;
    std::vector<policy::HttpUrl> lists;
    signing::Strictness strictness{};
    signing::UserAuthorities user = signing::UserAuthorities::counted;
    signing::TrustFolders folders;
};

/// Loop thread. Outlives every coroutine it starts: one for the life of the program.
class Revocations {
public:
    Revocations(asio::any_io_executor executor, HttpClient& client, Compute& compute, RevocationSettings settings,
                signing::RevocationCache cache)
        : m_executor{std::move(executor)},
          m_client{client},
          m_compute{compute},
          m_settings{std::move(settings)},
          m_cache{std::move(cache)} {}

    /// An answer on disk that is younger than this is not asked for again.
    static constexpr std::chrono::hours fresh{4};

    [[nodiscard]] signing::Strictness strictness() const noexcept { return m_settings.strictness; }
    [[nodiscard]] signing::UserAuthorities user_authorities() const noexcept { return m_settings.user; }
    /// What is trusted now: read anew, so that `tamga ca add` needs no restart. Blocking, some small files; any thread.
    [[nodiscard]] signing::TrustSet trusted() const;

    /// Who hears, on the loop, of a certificate that it was revoked; each time that is found out or seen again.
    void on_revoked(std::function<void(ipc::Fingerprint const&)> heard) { m_revoked = std::move(heard); }

    /// What is known on this computer of certificates that were revoked.
    [[nodiscard]] signing::RevocationCache const& cache() const noexcept { return m_cache; }

    /// Before the chosen certificate signs. Lenient: returns at once, and has what is known of it renewed beside the
    /// request. Strict: everything must be known and good, and OCSP is asked within some seconds where it is not.
    /// Errors, strict alone: issuer_missing, certificate_untrusted, certificate_revoked, revocation_unknown.
    Task<Result<void>> settle(signing::Certificate certificate, ipc::KeyFilter filter);

private:
    Task<void> renew(signing::Certificate certificate);
    void tell_if_revoked(signing::Certificate const& certificate, signing::RevocationStatus const& status) const;
    Task<Result<signing::RevocationStatus>> ask_ocsp(signing::Certificate certificate, signing::Certificate issuer);
    Task<void> renew_lists();
    Task<Result<void>> renew_list(policy::HttpUrl url);
    void refresh(signing::Certificate certificate);
    Task<signing::Judgement> look(signing::Certificate certificate, ipc::KeyFilter filter);

    asio::any_io_executor m_executor;
    HttpClient& m_client;
    Compute& m_compute;
    RevocationSettings m_settings;
    signing::RevocationCache m_cache;
    std::function<void(ipc::Fingerprint const&)> m_revoked;
    std::set<ipc::Fingerprint> m_under_way;
    bool m_lists_under_way = false;
    Deadline m_lists_not_before{};
};

} // namespace tamga::daemon

#include "daemon/reminders.hpp"

#include "base/base64.hpp"
#include "base/log.hpp"
#include "journal/book.hpp"

#include <ctime>

namespace tamga::daemon {

namespace {

using Certificates = std::vector<signing::Certificate>;

/// Blocking.
Certificates known_in(std::filesystem::path const& journal) {
    Certificates certificates;
    auto book = journal::Book::open_existing(journal);
    if (book && !*book) return certificates;
    auto const known = book ? (*book)->certificates() : Result<std::vector<journal::KnownCertificate>>{book.error()};
    if (!known) {
        log::warning("reminders", {{"error", wire_name(known.error().code)}, {"detail", known.error().detail}});
        return certificates;
    }
    for (auto const& each : *known) {
        auto const der = from_base64(each.der);
        auto certificate = der ? signing::Certificate::parse(*der) : Result<signing::Certificate>{der.error()};
        if (certificate) certificates.push_back(std::move(*certificate));
    }
    return certificates;
}

} // namespace

Task<std::vector<policy::Reminder>> Reminders::due() {
    if (m_journal.empty()) co_return std::vector<policy::Reminder>{};
    auto look = [this] {
        auto certificates = known_in(m_journal);
        std::int64_t const now = std::time(nullptr);
        auto const trusted = m_revocations.trusted();
        auto const& cache = m_revocations.cache();
        std::erase_if(certificates, [&](signing::Certificate const& certificate) {
            auto const judged = signing::judge(certificate, {}, trusted, cache, signing::Strictness::lenient, now);
            return judged.revocation.state == signing::Revocation::revoked;
        });
        return policy::ReminderBook::load({}).due(certificates, now);
    };
    auto due = co_await m_compute.run(std::move(look));
    co_return due;
}

} // namespace tamga::daemon

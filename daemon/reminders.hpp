// Which certificates of this person end soon: for the page that a link alone opens, because it names them.
#pragma once

#include "daemon/compute.hpp"
#include "daemon/revocations.hpp"
#include "policy/reminders.hpp"

#include <filesystem>
#include <vector>

namespace tamga::daemon {

/// Loop thread; the work is done on the compute thread. Outlives those who wait for it.
class Reminders {
public:
    /// @param journal  its file; empty: none is kept, and nothing is known
    Reminders(Compute& compute, Revocations const& revocations, std::filesystem::path journal)
        : m_compute{compute}, m_revocations{revocations}, m_journal{std::move(journal)} {}

    /// Of the certificates that the journal knows those that end within 30 days, were not revoked and have no
    /// successor; what ends first comes first. Nothing where the journal cannot be read, which the log tells.
    Task<std::vector<policy::Reminder>> due();

private:
    Compute& m_compute;
    Revocations const& m_revocations;
    std::filesystem::path m_journal;
};

} // namespace tamga::daemon

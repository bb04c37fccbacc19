#include "daemon/remembered_logins.hpp"

#include "base/log.hpp"

#include <ctime>

namespace tamga::daemon {

void RememberedLogins::keep(std::string const& origin, Login login) {
    forget(origin);
    log::info("remembered", {{"origin", origin}, {"certificate", login.certificate.log_name()}});
    m_logins.insert_or_assign(origin, std::move(login));
}

RememberedLogins::Login* RememberedLogins::find(std::string const& origin, ipc::KeyFilter const& filter,
                                                std::vector<std::string> const& storages) {
    auto const found = m_logins.find(origin);
    if (found == m_logins.end()) return nullptr;
    auto& login = found->second;
    // The window found that it fits; of the same wish only the time can make that otherwise.
    bool const same = login.filter == filter && login.storages == storages;
    if (!same || std::time(nullptr) > login.certificate.not_after()) return nullptr;
    return &login;
}

void RememberedLogins::forget(std::string const& origin) {
    auto const found = m_logins.find(origin);
    if (found == m_logins.end()) return;
    found->second.process->finish_remembered(found->second.request);
    m_recorder.forget(name_of(found->second));
    log::info("forgotten", {{"origin", origin}, {"certificate", found->second.certificate.log_name()}});
    m_logins.erase(found);
}

void RememberedLogins::forget_revoked(ipc::Fingerprint const& certificate) {
    std::vector<std::string> theirs;
    for (auto const& [origin, login] : m_logins) {
        if (login.certificate.fingerprint() == certificate) theirs.push_back(origin);
    }
    forget_all(theirs);
}

void RememberedLogins::forget_turned_away(Sites& sites) {
    std::vector<std::string> turned_away;
    for (auto const& [origin, login] : m_logins) {
        if (sites.standing(origin) != Standing::allowed) turned_away.push_back(origin);
    }
    forget_all(turned_away);
}

void RememberedLogins::forget_all(std::vector<std::string> const& origins) {
    for (auto const& origin : origins)
        forget(origin);
}

void RememberedLogins::note_use(std::string const& origin, Login const& login) {
    m_recorder.remembered(name_of(login), origin, login.certificate);
}

} // namespace tamga::daemon

// Logins that the person had remembered for a site: which token process holds one, under which name. What may be signed
// with it is judged there (pkcs11/standing_mandate.hpp); what is forgotten here costs a window, nothing else.
#pragma once

#include "daemon/keys.hpp"
#include "daemon/recorder.hpp"
#include "daemon/sites.hpp"

namespace tamga::daemon {

/// Loop thread. One for the life of the program.
class RememberedLogins {
public:
    explicit RememberedLogins(Recorder& recorder) : m_recorder{recorder} {}

    struct Login {
        std::shared_ptr<TokenProcess> process;
        ipc::RequestId request; ///< that it was remembered in, and its name
        signing::Certificate certificate;
        ipc::KeyFilter filter; ///< what the site asked of the key then, as the next: whoever asks for another is asked
        std::vector<std::string> storages;
        Deadline settled_at{}; ///< when the certificate was looked at last
    };

    /// In the place of one that the site has.
    void keep(std::string const& origin, Login login);
    /// The site's; nullptr where it has none that would do. Until the next call of another member.
    [[nodiscard]] Login* find(std::string const& origin, ipc::KeyFilter const& filter,
                              std::vector<std::string> const& storages);
    /// Ends it, at the token too.
    void forget(std::string const& origin);
    /// Ends those by a certificate that was revoked.
    void forget_revoked(ipc::Fingerprint const& certificate);
    /// Ends those of sites that are not allowed any more.
    void forget_turned_away(Sites& sites);
    /// For the journal: it signed once more.
    void note_use(std::string const& origin, Login const& login);

private:
    void forget_all(std::vector<std::string> const& origins);
    [[nodiscard]] static std::string name_of(Login const& login) { return std::to_string(login.request.value()); }

    Recorder& m_recorder;
    std::map<std::string, Login> m_logins; ///< by the origins of their sites
};

} // namespace tamga::daemon

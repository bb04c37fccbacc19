// What `tamga keys` and `tamga pin` do: the tasks of somebody who owns keys. What touches a token goes through the
// daemon, whose window asks; what is only known is read from this person's own files.
#pragma once

#include "base/result.hpp"
#include "base/text.hpp"
#include "base/tree.hpp"
#include "cli/report_form.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace tamga::cli {

/// What every one of them has.
struct KeysSettings {
    Language language{};
    std::filesystem::path socket;
    std::filesystem::path journal; ///< empty without a home
    ReportForm form{};
    bool yes = false;                               ///< without questions
    std::function<bool(std::string const&)> agrees; ///< asks the person a question on the terminal
};

/// Which token; what is empty leaves it to the window.
struct TokenChoice {
    std::string storage;
    std::string serial;
};

// Each of these says on `out` what was done, and on `complaints` what was not. @return the exit code (docs/errors.md).

struct KeysListing {
    bool on_token = false; ///< asks for the PIN in a window, and lists what is on the token
    std::string state;     ///< only these; empty: all
    TokenChoice token;
};
int list_keys(KeysSettings const& settings, KeysListing const& wanted, std::ostream& out, std::ostream& complaints);

/// Certificates and their latest uses, and where to go: the token, its PIN or the password is gone.
int tell_of_lost_keys(KeysSettings const& settings, std::ostream& out, std::ostream& complaints);

struct Renewal {
    TokenChoice token;
    std::vector<std::string> certificates; ///< beginnings of fingerprints or serial numbers; empty: all that are valid
    std::string kind;                      ///< of the new pairs; empty: as the present ones
    std::string email;
    std::string resume;           ///< number of an application to go on with
    std::filesystem::path folder; ///< for the requests and the signed application; empty: nothing is written
};
int renew_keys(KeysSettings const& settings, Renewal const& wanted, std::ostream& out, std::ostream& complaints);
int list_applications(KeysSettings const& settings, std::ostream& out, std::ostream& complaints);
int note_submission(KeysSettings const& settings, std::string const& number, std::string const& portal_number,
                    std::ostream& out, std::ostream& complaints);

struct Installation {
    std::vector<std::filesystem::path> files;
    std::string application;
    TokenChoice token;
};
int install_certificates(KeysSettings const& settings, Installation const& wanted, std::ostream& out,
                         std::ostream& complaints);

/// `id`: beginning of the identifier that `list` shows.
int delete_pair(KeysSettings const& settings, TokenChoice const& token, std::string const& id, std::ostream& out,
                std::ostream& complaints);
int label_pair(KeysSettings const& settings, TokenChoice const& token, std::string const& id, std::string const& label,
               std::ostream& out, std::ostream& complaints);

enum class PinAction : bool { change, unblock };
int work_on_pin(KeysSettings const& settings, PinAction action, TokenChoice const& token, std::ostream& out,
                std::ostream& complaints);

struct Revocation {
    std::vector<std::filesystem::path> files; ///< certificates; with the next empty: all that are known and valid
    std::vector<std::string> certificates;    ///< beginnings of fingerprints or serial numbers
    std::string reason;                       ///< lost, compromised, changed, ended
    std::filesystem::path folder;
};
/// Statements that have certificates revoked, signed in one go: that for authentication before that for signatures,
/// which signs them all, unless they were named in another order.
int revoke_keys(KeysSettings const& settings, Revocation const& wanted, std::ostream& out, std::ostream& complaints);

struct Decision {
    bool approves = false;
    std::vector<std::filesystem::path> applications;
    std::string reason; ///< of a refusal
    std::filesystem::path folder;
};
/// Employees' applications: each is shown and confirmed, then all decisions are signed with one PIN.
int decide_applications(KeysSettings const& settings, Decision const& wanted, std::ostream& out,
                        std::ostream& complaints);

/// Gives one reminder. Error: why nobody could be told.
using Notify = std::function<Result<void>(std::string const& summary, std::string const& body)>;
/// Reminds of certificates that end soon, each stage once (policy/reminders.hpp). `told`: where that is remembered.
int remind(KeysSettings const& settings, std::filesystem::path const& told, Notify const& notify, std::int64_t now,
           std::ostream& out, std::ostream& complaints);

/// By org.freedesktop.Notifications on this session's bus. Blocking, some seconds at most. Error: system.
Result<void> notify_desktop(std::string const& summary, std::string const& body);

} // namespace tamga::cli

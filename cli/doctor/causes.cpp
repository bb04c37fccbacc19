#include "cli/doctor/causes.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tamga::cli {

namespace {

constexpr auto good = State::good;
constexpr auto unknown = State::unknown;
constexpr auto bad = State::bad;

constexpr std::array table{
    CauseRow{Cause::configuration_good, "configuration.good", 201, good, Fix::none,
             message_id("The configuration can be read.")},
    CauseRow{Cause::configuration_invalid, "configuration.invalid", 202, bad, Fix::none,
             message_id("A configuration file has a mistake: %1"),
             message_id("Correct the line that is named, then start Tamga again.")},
    CauseRow{Cause::configuration_untrusted, "configuration.untrusted", 203, bad, Fix::none,
             message_id("Other users can change a file that Tamga relies on: %1"),
             message_id("Take that right away from them: %2")},
    CauseRow{Cause::configuration_left_out, "configuration.left_out", 204, unknown, Fix::none,
             message_id("The file %1 does not count: the administrator of this computer left out what its users add."),
             message_id("Remove the file, or have what it says written into the one of its name in /etc/tamga.")},

    CauseRow{Cause::package_good, "package.good", 101, good, Fix::none,
             message_id("Tamga %1 is installed, with all its programs.")},
    CauseRow{Cause::package_incomplete, "package.incomplete", 102, bad, Fix::none,
             message_id("A program of Tamga is missing: %1"), message_id("Install Tamga's package again.")},
    CauseRow{Cause::package_mixed, "package.mixed", 103, bad, Fix::restart_service,
             message_id("The Tamga that runs is another version (%1) than the one that is installed (%2)."),
             message_id("Start Tamga again; signing out and in does it too.")},

    CauseRow{Cause::state_good, "state.good", 211, good, Fix::none,
             message_id("What Tamga remembers is readable for you alone.")},
    CauseRow{Cause::state_open, "state.open", 212, bad, Fix::close_files,
             message_id("Other users of this computer may look into %1."),
             message_id("Close it to them: chmod -R go-rwx FOLDER.")},
    CauseRow{Cause::state_foreign, "state.foreign", 213, bad, Fix::none, message_id("%1 belongs to another user."),
             message_id("Ask the administrator of this computer to give it back to you.")},
    CauseRow{Cause::state_sites_damaged, "state.sites_damaged", 214, bad, Fix::none,
             message_id("The answers about sites cannot be read: %1"),
             message_id("Correct the file, or remove it: you are asked about each site again then.")},

    CauseRow{Cause::service_good, "service.good", 301, good, Fix::none, message_id("Tamga runs for this user.")},
    CauseRow{Cause::service_no_runtime_folder, "service.no_runtime_folder", 302, bad, Fix::none,
             message_id("This session has no folder for running programs (XDG_RUNTIME_DIR)."),
             message_id("Sign in to the desktop as yourself; do not use su or sudo for Tamga.")},
    CauseRow{Cause::service_stopped, "service.stopped", 303, bad, Fix::start_service,
             message_id("Tamga is installed as a service, but does not run."),
             message_id("Start it: systemctl --user start tamga.socket")},
    CauseRow{Cause::service_failed, "service.failed", 304, bad, Fix::start_service,
             message_id("The service of Tamga failed: %1"),
             message_id("Look at its last lines (tamga log), then start it: systemctl --user start tamga.socket")},
    CauseRow{Cause::service_absent, "service.absent", 305, bad, Fix::none,
             message_id("Tamga does not run for this user, and no service is there that would start it."),
             message_id("Install Tamga's package, then sign out and in.")},
    CauseRow{Cause::service_silent, "service.silent", 306, bad, Fix::restart_service,
             message_id("Tamga was started, but does not answer."),
             message_id("Start it again: systemctl --user restart tamga.service")},

    CauseRow{Cause::port_good, "port.good", 401, good, Fix::none, message_id("Port %1 is Tamga's.")},
    CauseRow{Cause::port_nobody, "port.nobody", 402, bad, Fix::start_service,
             message_id("Nobody listens on port %1, so no page reaches Tamga."), message_id("Start Tamga again.")},
    CauseRow{Cause::port_ncalayer, "port.ncalayer", 403, bad, Fix::none,
             message_id("NCALayer holds port %1 (%2). Pages talk to it, not to Tamga."),
             message_id("Close NCALayer, and switch off that it starts with the computer.")},
    CauseRow{Cause::port_kaztoken, "port.kaztoken", 404, bad, Fix::none,
             message_id("KAZTOKEN's program holds port %1 (%2). Pages talk to it, not to Tamga."),
             message_id("Close KAZTOKEN's program, and switch off that it starts with the computer.")},
    CauseRow{Cause::port_other, "port.other", 405, bad, Fix::none,
             message_id("Another program of yours holds port %1: %2"),
             message_id("Close that program. If you do not know it, have the computer looked at: it hears what pages "
                        "want to have signed.")},
    CauseRow{Cause::port_other_user, "port.other_user", 406, bad, Fix::none,
             message_id("A program of another user of this computer (%2) holds port %1."),
             message_id("That user must sign out or close it. Sign nothing until then: what pages ask of your computer "
                        "goes to that program.")},

    CauseRow{Cause::tls_good, "tls.good", 501, good, Fix::none,
             message_id("The certificate of this computer's Tamga is valid until %1.")},
    CauseRow{Cause::tls_none, "tls.none", 502, bad, Fix::install_trust,
             message_id("Tamga has no certificate for this computer yet."),
             message_id("Make it and let the browsers trust it: tamga trust --install")},
    CauseRow{Cause::tls_expired, "tls.expired", 503, bad, Fix::install_trust,
             message_id("The certificate of this computer's Tamga is not valid now: %1"),
             message_id("Make a new one: tamga trust --install, then start Tamga and the browser again.")},
    CauseRow{Cause::tls_foreign, "tls.foreign", 504, bad, Fix::restart_service,
             message_id("What answers on port %1 shows a certificate that is not of your Tamga."),
             message_id("Start Tamga again. If that does not help, another program answers for it: see the port.")},
    CauseRow{Cause::tls_silent, "tls.silent", 505, bad, Fix::restart_service,
             message_id("No encrypted connection to port %1 comes about: %2"), message_id("Start Tamga again.")},

    CauseRow{Cause::trust_good, "trust.good", 601, good, Fix::none, message_id("%1 trusts the certificate.")},
    CauseRow{Cause::trust_missing, "trust.missing", 602, bad, Fix::install_trust,
             message_id("%1 does not trust the certificate: pages say there that the program is not running."),
             message_id("tamga trust --install, then close the browser completely and open it again.")},
    CauseRow{Cause::trust_no_certutil, "trust.no_certutil", 603, bad, Fix::none,
             message_id("The program certutil is missing: what browsers trust can neither be seen nor changed."),
             message_id("Install the package libnss3-tools.")},
    CauseRow{Cause::trust_unreadable, "trust.unreadable", 604, bad, Fix::none,
             message_id("The certificates of %1 cannot be read: %2"),
             message_id("Where Firefox has a primary password, take it away for a moment; a damaged profile is made "
                        "anew by the browser.")},

    CauseRow{Cause::browser_none, "browser.none", 651, unknown, Fix::none,
             message_id("No browser that Tamga knows was found for this user."),
             message_id("Open a portal once in Chromium, Chrome or Firefox, then ask again.")},
    CauseRow{Cause::browser_asks, "browser.asks", 652, good, Fix::none,
             message_id("%1 asks once for each site whether it may reach programs on this device: choose Allow.")},
    CauseRow{Cause::browser_allowed, "browser.allowed", 653, good, Fix::none,
             message_id("%1 lets the sites of a policy reach this computer without a question: %2")},
    CauseRow{Cause::browser_blocked_by_policy, "browser.blocked_by_policy", 654, bad, Fix::none,
             message_id("A policy of this computer keeps pages in %1 from reaching Tamga: %2"),
             message_id("Ask the administrator to change LoopbackNetworkBlockedForUrls.")},
    CauseRow{Cause::browser_blocked_by_person, "browser.blocked_by_person", 655, bad, Fix::none,
             message_id("In %1 you once answered Block to: %2"),
             message_id("Open that site, click the sign left of its address, and reset the permission for programs on "
                        "this device.")},

    CauseRow{Cause::card_service_good, "card_service.good", 701, good, Fix::none,
             message_id("The card service (pcscd) answers.")},
    CauseRow{Cause::card_service_absent, "card_service.absent", 702, bad, Fix::none,
             message_id("The card service (pcscd) does not answer, so no token can be seen."),
             message_id("Install the package pcscd; as administrator: systemctl enable --now pcscd.socket")},
    CauseRow{Cause::card_service_refuses, "card_service.refuses", 703, bad, Fix::none,
             message_id("The card service (pcscd) refuses this user."),
             message_id("Sign in at the computer itself, not from afar; or ask the administrator for the right to use "
                        "cards (polkit).")},
    CauseRow{Cause::card_service_no_library, "card_service.no_library", 704, bad, Fix::none,
             message_id("The library of the card service is missing."),
             message_id("Install the package libpcsclite1.")},

    CauseRow{Cause::readers_good, "readers.good", 711, good, Fix::none, message_id("Reader %1 holds a card: %2")},
    CauseRow{Cause::readers_none, "readers.none", 712, unknown, Fix::none,
             message_id("No reader and no token is plugged in, as far as the card service sees."),
             message_id("Plug the token in; try another socket, without a hub.")},
    CauseRow{Cause::readers_empty, "readers.empty", 713, good, Fix::none, message_id("Reader %1 is empty.")},
    CauseRow{Cause::readers_unknown_atr, "readers.unknown_atr", 714, unknown, Fix::none,
             message_id("The kind of the card in reader %1 is not known; its ATR is %2."),
             message_id("Have the row below added to /etc/tamga/families.toml, with the right name and module.")},
    CauseRow{Cause::readers_other_kind, "readers.other_kind", 717, good, Fix::none,
             message_id("Reader %1 holds a token that works; of which kind it is, is not known. Its ATR is %2."),
             message_id("Nothing has to be done. The row below, in /etc/tamga/families.toml, would give it a name.")},
    CauseRow{Cause::readers_mute, "readers.mute", 715, bad, Fix::none,
             message_id("The card in reader %1 does not answer."),
             message_id("Take it out and put it in again. If that does not help, try it on another computer: it may be "
                        "broken.")},
    CauseRow{Cause::readers_unlisted, "readers.unlisted", 716, bad, Fix::none,
             message_id("A token is plugged in (USB %1) that the card service does not know as a reader."),
             message_id("As administrator: /usr/libexec/tamga/teach-libccid, then plug the token in again.")},

    CauseRow{Cause::modules_good, "modules.good", 801, good, Fix::none, message_id("Driver %1 works: %2")},
    CauseRow{Cause::modules_none, "modules.none", 802, unknown, Fix::none,
             message_id("No driver of a token is installed on this computer."),
             message_id("Install the vendor's program for your token, or the package opensc-pkcs11. Keys in files need "
                        "none.")},
    CauseRow{Cause::modules_missing, "modules.missing", 803, bad, Fix::none,
             message_id("The driver %1 that modules.toml names is not there: %2"),
             message_id("Install the vendor's program for the token, or correct the path.")},
    CauseRow{Cause::modules_untrusted, "modules.untrusted", 804, bad, Fix::none,
             message_id("The driver %1 was not loaded because other users can change it: %2"),
             message_id("Install it from the vendor's package, or have the administrator take that right away: %3")},
    CauseRow{Cause::modules_unloadable, "modules.unloadable", 805, bad, Fix::none,
             message_id("The driver %1 cannot be loaded: %2"),
             message_id("Install the vendor's program for this system and processor.")},
    CauseRow{Cause::modules_crashes, "modules.crashes", 806, bad, Fix::none, message_id("The driver %1 crashes (%2)."),
             message_id("Install another version of the vendor's program, and send the vendor this finding.")},
    CauseRow{Cause::modules_hangs, "modules.hangs", 807, bad, Fix::none,
             message_id("The driver %1 does not come back within %2 seconds."),
             message_id("Plug the token out and in again. If that does not help, install another version of the "
                        "vendor's program.")},
    CauseRow{Cause::modules_fails, "modules.fails", 808, bad, Fix::none,
             message_id("The driver %1 was loaded, but cannot say which tokens there are: %2"),
             message_id("Plug the token out and in again; then install another version of the vendor's program.")},
    CauseRow{Cause::modules_none_for_family, "modules.none_for_family", 809, bad, Fix::none,
             message_id("A token of the kind %1 is plugged in, and none of its drivers can be used: %2"),
             message_id("Install %3, then plug the token in again.")},
    CauseRow{Cause::modules_not_looked, "modules.not_looked", 810, unknown, Fix::none,
             message_id("The drivers could not be asked: %1"), message_id("Install Tamga's package again.")},
    CauseRow{Cause::modules_crashed, "modules.crashed", 811, unknown, Fix::none,
             message_id("The driver %1 works now, but crashed or hung in the last 7 days; how often: %2."),
             message_id("If it happens while you sign, install another version of the vendor's program, and send the "
                        "vendor this finding.")},

    CauseRow{Cause::tokens_good, "tokens.good", 901, good, Fix::none, message_id("Token %1: %2")},
    CauseRow{Cause::tokens_none, "tokens.none", 902, unknown, Fix::none, message_id("No driver shows a token."),
             message_id("Plug the token in.")},
    CauseRow{Cause::tokens_pin_locked, "tokens.pin_locked", 903, bad, Fix::none,
             message_id("The PIN of %1 is locked after too many wrong attempts."),
             message_id("Tries with other PINs do not help. %2")},
    CauseRow{Cause::tokens_pin_final_try, "tokens.pin_final_try", 904, bad, Fix::none,
             message_id("%1 has one attempt left: one more wrong PIN locks it."),
             message_id("Type the PIN only when you are sure of it and of the keyboard's language.")},
    CauseRow{Cause::tokens_pin_count_low, "tokens.pin_count_low", 905, unknown, Fix::none,
             message_id("%1 has seen wrong PINs; few attempts are left."), message_id("Be sure of the PIN.")},
    CauseRow{Cause::tokens_pin_not_set, "tokens.pin_not_set", 906, bad, Fix::none,
             message_id("%1 has no PIN yet: it was not prepared."),
             message_id("Have it prepared with the vendor's program, or at the registration centre.")},
    CauseRow{Cause::tokens_no_keys, "tokens.no_keys", 907, bad, Fix::none,
             message_id("%1 is seen, but its driver shows no certificate on it."),
             message_id("If the token works in NCALayer, its keys lie where this driver does not look: name the "
                        "vendor's driver in modules.toml, and tell us with: tamga doctor --token-dump. A key that is "
                        "visible only after the PIN is found when you sign.")},
    CauseRow{Cause::tokens_memory_low, "tokens.memory_low", 908, unknown, Fix::none,
             message_id("%1 has hardly any memory left (%2 octets): a new key may not fit."),
             message_id("Before a renewal, remove keys that have expired.")},
    CauseRow{Cause::tokens_not_shown, "tokens.not_shown", 909, bad, Fix::restart_service,
             message_id("The Tamga that runs shows fewer tokens (%1) than there are (%2)."),
             message_id("Start Tamga again.")},

    CauseRow{Cause::keys_good, "keys.good", 911, good, Fix::none, message_id("Certificate %1 is valid until %2.")},
    CauseRow{Cause::keys_expired, "keys.expired", 912, bad, Fix::none,
             message_id("Certificate %1 ended on %2: it cannot sign any more."),
             message_id("An ended key is not renewed over the network: get a new one at the registration centre.")},
    CauseRow{Cause::keys_expiring, "keys.expiring", 913, unknown, Fix::none,
             message_id("Certificate %1 ends soon, on %2."),
             message_id("Renew it now in the account of the NCA: after its end that is not possible.")},
    CauseRow{Cause::keys_not_yet, "keys.not_yet", 914, bad, Fix::none,
             message_id("Certificate %1 is valid from %2 on, not yet."),
             message_id("Look at this computer's date; if it is right, wait.")},
    CauseRow{Cause::keys_revoked, "keys.revoked", 915, bad, Fix::none, message_id("Certificate %1 was revoked."),
             message_id("Signatures with it are not valid. Get a new key.")},
    CauseRow{Cause::keys_issuer_missing, "keys.issuer_missing", 916, unknown, Fix::none,
             message_id("The certificate of the authority that issued %1 is not on this computer."),
             message_id("Get it from pki.gov.kz and add it with: tamga ca add FILE")},
    CauseRow{Cause::keys_untrusted, "keys.untrusted", 917, bad, Fix::none,
             message_id("Certificate %1 cannot be used: %2"), message_id("Choose another key, or get a new one.")},

    CauseRow{Cause::clock_good, "clock.good", 921, good, Fix::none, message_id("The clock is right.")},
    CauseRow{Cause::clock_before_build, "clock.before_build", 922, bad, Fix::none,
             message_id("The clock of this computer says %1, which is before this Tamga was made."),
             message_id("Set date and time, best automatically: timedatectl set-ntp true")},
    CauseRow{Cause::clock_off, "clock.off", 923, bad, Fix::none,
             message_id("The clock of this computer is %1 seconds away from that of %2."),
             message_id("Set date, time and time zone, best automatically: timedatectl set-ntp true")},
    CauseRow{Cause::clock_unconfirmed, "clock.unconfirmed", 924, unknown, Fix::none,
             message_id("Whether the clock is right is not known: nobody answered who would tell the time."),
             message_id("Look at the date and the time yourself.")},

    CauseRow{Cause::services_good, "services.good", 931, good, Fix::none, message_id("%1 answers.")},
    CauseRow{Cause::services_stamps_silent, "services.stamps_silent", 932, bad, Fix::none,
             message_id("The time-stamp service %1 does not answer: %2"),
             message_id("Look at the network. In an organisation ask for its proxy, and set network.proxy.")},
    CauseRow{Cause::services_stamps_wrong, "services.stamps_wrong", 933, bad, Fix::none,
             message_id("%1 answers, but not with a time-stamp: %2"),
             message_id("Look at timestamp.url in tamga.toml; a proxy or a sign-in page may answer in its place.")},
    CauseRow{Cause::services_ocsp_silent, "services.ocsp_silent", 934, unknown, Fix::none,
             message_id("The service that knows revoked certificates (%1) does not answer: %2"),
             message_id("Look at the network. Signing works without it, except in strict mode.")},
    CauseRow{Cause::services_crl_silent, "services.crl_silent", 935, unknown, Fix::none,
             message_id("The list of revoked certificates at %1 cannot be fetched: %2"),
             message_id("Look at the network. Signing works without it, except in strict mode.")},

    CauseRow{Cause::catalogue_good, "catalogue.good", 941, good, Fix::none,
             message_id("Catalogues of public services in effect: %1")},
    CauseRow{Cause::catalogue_refused, "catalogue.refused", 942, bad, Fix::none,
             message_id("A catalogue of public services is not believed: %1 (%2)"),
             message_id("Get it anew from the body that publishes it; tamga services verify FILE says more.")},

    CauseRow{Cause::window_good, "window.good", 951, good, Fix::none, message_id("The window can be shown.")},
    CauseRow{Cause::window_missing, "window.missing", 952, bad, Fix::none,
             message_id("The program of the window is not installed, so nothing can be signed."),
             message_id("Install the package tamga-qt.")},
    CauseRow{Cause::window_no_display, "window.no_display", 953, bad, Fix::none,
             message_id("There is no screen on which the window could be shown."),
             message_id("Sign in to the desktop and run this there.")},
    CauseRow{Cause::window_display_silent, "window.display_silent", 954, bad, Fix::none,
             message_id("The screen %1 does not answer."),
             message_id("Sign out of the desktop and in again, so that Tamga learns of the new screen.")},

    CauseRow{Cause::sign_good, "sign.good", 961, good, Fix::none, message_id("A signature was made, and it is right.")},
    CauseRow{Cause::sign_failed, "sign.failed", 962, bad, Fix::none, message_id("No signature came about: %1"),
             message_id("tamga explain tells more of that word.")},
};
static_assert(table.size() == static_cast<std::size_t>(Cause::sign_failed) + 1);

int luhn_digit(int number) {
    int sum = 0;
    bool doubled = true;
    for (; number > 0; number /= 10, doubled = !doubled) {
        auto const digit = number % 10 * (doubled ? 2 : 1);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return (10 - sum % 10) % 10;
}

} // namespace

std::string_view name_of(State state) noexcept {
    switch (state) {
    case State::good: return "good";
    case State::unknown: return "unknown";
    case State::bad: return "bad";
    }
    return {};
}

std::span<CauseRow const> causes() noexcept {
    return table;
}

CauseRow const& row_of(Cause cause) noexcept {
    return *std::ranges::find(table, cause, &CauseRow::cause);
}

std::string phone_code(Cause cause) {
    auto const number = row_of(cause).number;
    return 'D' + std::to_string(number) + std::to_string(luhn_digit(number));
}

std::optional<Cause> cause_of_code(std::string_view typed) {
    std::string digits;
    for (auto const c : typed) {
        if (std::isdigit(static_cast<unsigned char>(c)) != 0)
            digits += c;
        else if (c != ' ' && c != '-' && !(digits.empty() && (c == 'D' || c == 'd')))
            return std::nullopt;
    }
    auto const same = [&](CauseRow const& row) { return phone_code(row.cause).substr(1) == digits; };
    auto const found = std::ranges::find_if(table, same);
    return found == table.end() ? std::nullopt : std::optional{found->cause};
}

} // namespace tamga::cli

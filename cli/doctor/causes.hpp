// Everything `tamga doctor` can find, as one table: the word for programs, the number for the telephone, and what a
// person is told and can do. Checks name a cause; nobody else has words.
#pragma once

#include "base/text.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tamga::cli {

enum class State : std::uint8_t { good, unknown, bad };

/// "good", "unknown", "bad".
[[nodiscard]] std::string_view name_of(State state) noexcept;

/// What `--fix` can do about a cause.
enum class Fix : std::uint8_t { none, start_service, restart_service, install_trust, close_files };

/// In the order in which one follows from another: of two bad findings the first one is more likely the reason.
enum class Cause : std::uint8_t {
    configuration_good,
    configuration_invalid,
    configuration_untrusted,
    configuration_left_out,
    package_good,
    package_incomplete,
    package_mixed,
    clock_good,
    clock_before_build,
    clock_off,
    clock_unconfirmed,
    state_good,
    state_open,
    state_foreign,
    state_sites_damaged,
    service_good,
    service_no_runtime_folder,
    service_stopped,
    service_failed,
    service_absent,
    service_silent,
    port_good,
    port_nobody,
    port_ncalayer,
    port_kaztoken,
    port_other,
    port_other_user,
    tls_good,
    tls_none,
    tls_expired,
    tls_foreign,
    tls_silent,
    trust_good,
    trust_missing,
    trust_no_certutil,
    trust_unreadable,
    browser_none,
    browser_asks,
    browser_allowed,
    browser_blocked_by_policy,
    browser_blocked_by_person,
    card_service_good,
    card_service_absent,
    card_service_refuses,
    card_service_no_library,
    readers_good,
    readers_none,
    readers_empty,
    readers_unknown_atr,
    readers_other_kind,
    readers_mute,
    readers_unlisted,
    modules_good,
    modules_none,
    modules_missing,
    modules_untrusted,
    modules_unloadable,
    modules_crashes,
    modules_hangs,
    modules_fails,
    modules_none_for_family,
    modules_not_looked,
    modules_crashed,
    tokens_good,
    tokens_none,
    tokens_pin_locked,
    tokens_pin_final_try,
    tokens_pin_count_low,
    tokens_pin_not_set,
    tokens_no_keys,
    tokens_memory_low,
    tokens_not_shown,
    keys_good,
    keys_expired,
    keys_expiring,
    keys_not_yet,
    keys_revoked,
    keys_issuer_missing,
    keys_untrusted,
    services_good,
    services_stamps_silent,
    services_stamps_wrong,
    services_ocsp_silent,
    services_crl_silent,
    catalogue_good,
    catalogue_refused,
    window_good,
    window_missing,
    window_no_display,
    window_display_silent,
    sign_good,
    sign_failed,
};

struct CauseRow {
    Cause cause{};
    std::string_view id; ///< "port.ncalayer": hop and what is the matter there; stable
    int number = 0;      ///< three digits; stable, and never given to another
    State state{};
    Fix fix{};
    char const* sentence = ""; ///< a message id; %1, %2 and %3 are the finding's words
    char const* step = "";     ///< a message id: what to do next; empty where nothing is to be done

    /// "port".
    [[nodiscard]] std::string_view hop() const noexcept { return id.substr(0, id.find('.')); }
};

/// All of them.
[[nodiscard]] std::span<CauseRow const> causes() noexcept;
[[nodiscard]] CauseRow const& row_of(Cause cause) noexcept;

/// "D4036": the number and a digit (Luhn's) by which a digit that was misheard is noticed.
[[nodiscard]] std::string phone_code(Cause cause);
/// The cause of a code as people type it: "D4036", "d 403-6", "4036". Nothing where it is none.
[[nodiscard]] std::optional<Cause> cause_of_code(std::string_view typed);

} // namespace tamga::cli

// The checks of `tamga doctor`, a function for each hop. All block; none changes anything, asks for a PIN or loads a
// module.
#pragma once

#include "cli/doctor/daemon_facts.hpp"
#include "cli/doctor/finding.hpp"
#include "cli/doctor/surroundings.hpp"
#include "cli/doctor/token_facts.hpp"

namespace tamga::cli {

// ---- check_installation.cpp ----

[[nodiscard]] Findings check_package(Surroundings const& here, DaemonFacts const& daemon);
[[nodiscard]] Findings check_configuration(Surroundings const& here, TokenFacts const& tokens);
[[nodiscard]] Findings check_state(Surroundings const& here);
[[nodiscard]] Findings check_catalogue(Surroundings const& here);
[[nodiscard]] Findings check_window(Surroundings const& here);

// ---- check_daemon.cpp ----

[[nodiscard]] Findings check_service(Surroundings const& here, DaemonFacts const& daemon);
[[nodiscard]] Findings check_port(Surroundings const& here);
/// @param port  what check_port found: only Tamga itself is asked for its certificate
[[nodiscard]] Findings check_tls(Surroundings const& here, Findings const& port);

// ---- check_browsers.cpp ----

[[nodiscard]] Findings check_trust(Surroundings const& here);
[[nodiscard]] Findings check_browsers(Surroundings const& here);

// ---- check_tokens.cpp ----

[[nodiscard]] Findings check_card_service(TokenFacts const& facts);
[[nodiscard]] Findings check_readers(Surroundings const& here, TokenFacts const& facts);
[[nodiscard]] Findings check_modules(TokenFacts const& facts);
[[nodiscard]] Findings check_tokens(TokenFacts const& facts, DaemonFacts const& daemon);
[[nodiscard]] Findings check_keys(Surroundings const& here, TokenFacts const& facts);

/// What keeps tokens from being seen: of the card service, readers and modules everything that is not good.
[[nodiscard]] Findings why_no_token(Surroundings const& here);

/// The row of families.toml that a card of no known kind needs, to be completed by hand.
/// @param module  that which shows the card already; empty where none does
[[nodiscard]] std::string family_row_for(std::string const& atr, std::string const& module);

// ---- check_network.cpp ----

/// The clock, and whether the services answer; nothing of the latter where the network is left alone.
[[nodiscard]] Findings check_network(Surroundings const& here);

} // namespace tamga::cli

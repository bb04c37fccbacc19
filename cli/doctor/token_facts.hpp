// What `tamga-token --facts` says of readers, modules and tokens: asked in processes of their own, which may crash or
// hang. This is how `tamga doctor` comes to load a vendor's library: not at all.
#pragma once

#include "base/toml.hpp"
#include "cli/doctor/run_program.hpp"
#include "cli/doctor/surroundings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tamga::cli {

/// One module: what it said, or how its process ended.
struct ModuleFacts {
    std::string name;
    std::string path;
    std::string fault; ///< the word for what is wrong with its file; empty: it was loaded, or it was tried to
    std::string detail;
    Ran ran;
    toml::table said;           ///< empty where it said nothing
    unsigned crashes = 0;       ///< of its process under tamgad, in the last 7 days
    std::string last_crash;     ///< how that process ended last; empty where it did not
    std::string second_opinion; ///< in English: how another program fared with a module that failed us; else empty
};

struct TokenFacts {
    Language language{};  ///< of what findings say of it
    std::string unasked;  ///< why nothing is known at all; empty where something is
    toml::table computer; ///< card_service, readers, families
    std::vector<ModuleFacts> modules;
};

/// Asks everything, each module for at most 10 s. Blocking.
[[nodiscard]] TokenFacts ask_tokens(Surroundings const& here);

// What a table says; empty, 0 or false where it does not.
[[nodiscard]] std::string text_in(toml::table const& table, std::string_view key);
[[nodiscard]] std::int64_t number_in(toml::table const& table, std::string_view key, std::int64_t otherwise = 0);
[[nodiscard]] bool flag_in(toml::table const& table, std::string_view key);
/// Of `names`, that in a language; empty where it is not there.
[[nodiscard]] std::string name_in(toml::table const& table, Language language);
/// The tables of an array; none where it is not there.
[[nodiscard]] std::vector<toml::table const*> tables_in(toml::table const& table, std::string_view key);

} // namespace tamga::cli

// What a person who looks for a fault is told of readers, modules and tokens, as TOML for `tamga doctor`: two runs, so
// that a module which crashes or hangs takes nothing along but its own answer.
#pragma once

#include "pkcs11/module_search.hpp"
#include "pkcs11/readers.hpp"

#include <string>

namespace tamga::pkcs11 {

/// The card service, its readers with their ATRs and the families these belong to, and every module with what is wrong
/// with its file. Loads no module. Blocks for as long as pcscd does. Where the configuration cannot be read, what is
/// wrong with it stands in `fault`.
[[nodiscard]] std::string facts_of_computer(Result<Modules> const& found);

/// Notes the cards as the card service sees them; none where it does not answer. Blocks for as long as that does.
void look_into_readers(Readers& readers);

/// What modules.toml and families.toml of the computer and of the person say, each value with its file (TOML: key,
/// value, file), the rows in the order in which they count. Where one cannot be read, what is wrong with it stands in
/// `fault`. Blocking.
[[nodiscard]] std::string settings_of(ConfigFiles const& files);

/// Loads the module and tells what it shows without a PIN: tokens, their mechanisms, and their public objects.
/// Certificates stand there whole: the one who reads this judges them. Blocks for as long as the vendor's code does.
[[nodiscard]] std::string facts_of_module(ModuleConfig const& config, Readers const& readers);

} // namespace tamga::pkcs11

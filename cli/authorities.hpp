// `tamga ca`: which authorities' certificates this person trusts for signatures, beside the computer's.
#pragma once

#include "base/text.hpp"
#include "signing/trust_set.hpp"

#include <filesystem>
#include <ostream>
#include <string>

namespace tamga::cli {

struct AuthoritySettings {
    Language language{};
    signing::TrustFolders folders;
};

/// Copies the authorities' certificates of `file` (PEM, DER or PKCS#7) into the person's folder, and shows whose they
/// are with the fingerprint to compare. Those with a kind of key that is not supported are left out, which `errors`
/// hears of.
/// @return the exit code: 1 where one is no authority's, none is left, or nothing could be written.
int add_authorities(AuthoritySettings const& settings, std::filesystem::path const& file, std::ostream& out,
                    std::ostream& errors);
/// Every trusted authority with its fingerprint and where it comes from. @return 0
int list_authorities(AuthoritySettings const& settings, std::ostream& out);
/// Takes one of the person's own back, named by the beginning of its fingerprint (8 digits or more).
/// @return the exit code: 1 where that names none, or several; 2 where it is no such beginning.
int remove_authority(AuthoritySettings const& settings, std::string fingerprint, std::ostream& out,
                     std::ostream& errors);

} // namespace tamga::cli

// `tamga trust`: tells this user's browsers of the local authority, takes it back, or says how things stand.
#pragma once

#include "base/text.hpp"
#include "trust/local_ca.hpp"
#include "trust/nss_stores.hpp"

#include <filesystem>
#include <ostream>

namespace tamga::cli {

enum class TrustAction : std::uint8_t { install, remove, status };

/// Who asks. A removal that the person asked for is remembered beside the certificates; what happens by itself (at the
/// start of tamgad, at the removal of the package) heeds it and leaves no such mark.
enum class TrustWish : std::uint8_t { of_the_person, automatic };

struct TrustSettings {
    Language language{};
    std::filesystem::path home;
    std::filesystem::path tls_folder;
    std::filesystem::path certutil = "/usr/bin/certutil";
    trust::TimePoint now;
    TrustWish wish = TrustWish::of_the_person;
};

/// Does `action` for every store and says on `out`, in words, what was done to each. Never touches a running browser.
/// @return the exit code: 0 when all is as asked (for status: trusted everywhere), 1 otherwise.
int run_trust(TrustAction action, TrustSettings const& settings, std::ostream& out);

} // namespace tamga::cli

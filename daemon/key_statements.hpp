// What a person signs about their keys, in their words: shown in the window as it is, and so signed.
#pragma once

#include "base/text.hpp"
#include "base/tree.hpp"
#include "daemon/applications.hpp"

namespace tamga::daemon {

/// The application as text: who asks, for which keys on which token, and the digests of the PKCS#10 requests, so that
/// the one signature binds them all.
[[nodiscard]] std::string application_statement(Application const& application, Language language);

/// For programs: number, state and what belongs to the state; with the requests and the signed application (base64).
[[nodiscard]] Tree describe(Application const& application);

} // namespace tamga::daemon

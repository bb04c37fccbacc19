// A certificate as getKeyInfo tells it.
#pragma once

#include "protocol/request.hpp"
#include "signing/certificate.hpp"

namespace tamga::daemon {

[[nodiscard]] protocol::ChosenCertificate describe(signing::Certificate const& certificate);

} // namespace tamga::daemon

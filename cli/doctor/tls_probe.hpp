// Which certificate is shown on a port of this computer.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>

namespace tamga::cli {

/// DER of the certificate that whoever listens on 127.0.0.1:`port` shows; nothing about it is verified. Blocks for at
/// most 4 s. Errors: system (nobody there, or no handshake, with OpenSSL's words).
[[nodiscard]] Result<Bytes> served_certificate(std::uint16_t port);

} // namespace tamga::cli

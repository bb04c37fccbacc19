// Whether something in this process speaks with the card service.
#pragma once

namespace tamga::pkcs11 {

/// True where a library named libpcsclite is loaded: a module over PC/SC brings it, one in software does not. What such
/// a module knows is worth nothing once the service was lost (OpenSC 0.23 goes on listing the tokens from before).
[[nodiscard]] bool uses_card_service();

} // namespace tamga::pkcs11

// What OpenSSL lets go of is wiped first. Its decoders copy a private key some forty times on the way into memory and
// free the copies as they are.
#pragma once

namespace tamga::keyfile {

/// For this process and for good. False, and without effect, where OpenSSL has allocated anything before: call it
/// first.
bool wipe_what_openssl_frees() noexcept;

} // namespace tamga::keyfile

// Teaches OpenSSL the kinds of keys of the registry that it does not know, so that its own X509_verify_cert,
// X509_CRL_verify and OCSP_basic_verify work over certificates of Kazakhstan.
#pragma once

namespace tamga::signing {

/// Must have been called before OpenSSL parses a certificate, CRL or OCSP answer with such a key: a key is decoded when
/// it is parsed, or never. Certificate::parse calls it; others do so themselves. Does it once, takes microseconds,
/// loads nothing: gost-engine is wanted only when a signature is verified, which fails without it (signing/gost.hpp).
/// Thread-safe.
void teach_openssl();

} // namespace tamga::signing

// The two certificates behind our TLS port: an authority that can vouch for this computer's own loopback and nothing
// else, and the one certificate it issues. Used by trust/local_ca, and by tests that try to misuse such an authority.
#pragma once

#include "base/result.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>

namespace tamga::trust {

using TimePoint = std::chrono::system_clock::time_point;

struct FreeKey {
    void operator()(::EVP_PKEY* key) const noexcept { ::EVP_PKEY_free(key); } // wipes the private part
};
struct FreeCertificate {
    void operator()(::X509* certificate) const noexcept { ::X509_free(certificate); }
};
using Key = std::unique_ptr<::EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<::X509, FreeCertificate>;

struct Issued {
    Key key;
    Certificate certificate;
};

struct Validity {
    TimePoint from;
    TimePoint to;
};

/// An authority (EC P-256, pathlen 0, keyCertSign) named "Tamga local CA ID", where ID is 8 hexadecimal digits that its
/// key decides, so that several may stand in one store. Critical name constraints: 127.0.0.1, ::1, localhost.
/// Error: internal (OpenSSL).
Result<Issued> make_authority(Validity validity);

/// A TLS server certificate for `names` ("IP:127.0.0.1,DNS:localhost", as OpenSSL's subjectAltName takes them) with a
/// new EC P-256 key. Does not ask whether the authority's constraints allow the names: whoever verifies does.
/// Error: internal (OpenSSL).
Result<Issued> make_server_certificate(Issued const& authority, std::string const& names, Validity validity);

} // namespace tamga::trust

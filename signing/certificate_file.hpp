// Files of certificates as authorities hand them out, PKCS#7 among them. For a person who adds one; the folders of
// trusted authorities hold PEM and DER alone (signing/trust_set.hpp).
#pragma once

#include "signing/trust_set.hpp"

namespace tamga::signing {

/// As read_certificates, and the certificates of a SignedData (.p7b, .p7c), DER or PEM. Errors: bad_request.
Result<CertificateFile> read_certificate_file(View file);

} // namespace tamga::signing

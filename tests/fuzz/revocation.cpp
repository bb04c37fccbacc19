// What OCSP services and lists of revoked certificates may say: nothing, unless the issuer signed it.
#include "signing/crl.hpp"
#include "signing/ocsp.hpp"
#include "tests/support/test_certificates.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga;
    using namespace tamga::signing;
    // A new key each run: no input can hold its signature.
    static auto const authority = test::make_authority(test::KeyKind::ec_p256, "ISSUER");
    static auto const issuer = *Certificate::parse(authority.certificate);
    static auto const leaf =
        *Certificate::parse(test::make_certificate({.key = test::KeyKind::ec_p256}, &authority).certificate);
    static auto const query = query_ocsp(leaf, issuer);
    View const octets{data, size};
    if (read_ocsp_reply(*query, octets, leaf, issuer, 1'790'000'000)) std::abort();
    if (read_crl(octets, issuer)) std::abort();
    return 0;
}

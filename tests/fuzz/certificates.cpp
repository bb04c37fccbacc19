// Files of certificates, as `tamga ca add` and tokens have them: read to the last name, and judged.
#include "signing/certificate_file.hpp"
#include "signing/judge.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga;
    using namespace tamga::signing;
    auto const read = read_certificate_file({data, size});
    if (!read) return 0;
    for (auto const& certificate : read->certificates) {
        if (certificate.pem().empty() || certificate.serial_number().empty()) std::abort();
        static_cast<void>(certificate.subject_dn() + certificate.issuer_dn() + certificate.iin() + certificate.bin());
        static_cast<void>(certificate.extended_key_usages());
        static_cast<void>(is_authority(certificate));
        auto const judgement = judge(certificate, {}, TrustSet{read->certificates}, RevocationCache{{}},
                                     Strictness::strict, 1'790'000'000);
        auto const nobody = judge(certificate, {}, TrustSet{}, RevocationCache{{}}, Strictness::strict, 1'790'000'000);
        if (!nobody.refusal) std::abort();
        static_cast<void>(judgement);
    }
    return 0;
}

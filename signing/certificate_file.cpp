#include "signing/certificate_file.hpp"

#include "signing/signed_data.hpp"

namespace tamga::signing {

Result<CertificateFile> read_certificate_file(View file) {
    auto const unarmoured = octets_of_pem(as_text(file));
    auto const data = read_signed_data(unarmoured ? View{*unarmoured} : file);
    if (!data) return read_certificates(file);
    CertificateFile found;
    auto rest = data->certificates;
    while (auto const member = der::take(rest)) {
        if (auto added = found.add(member->octets); !added) return added.error();
    }
    if (found.certificates.empty() && found.left_out.empty()) return Error{Errc::bad_request, "no certificate"};
    return found;
}

} // namespace tamga::signing

// XML from a page: parsed, canonicalised and prepared; what comes out as SignedInfo is what a key may sign, and the
// signed document has the content of the one that came in. The first line may hold the two paths, "to be
// signed|parent".
#include "signing/xml.hpp"
#include "base/base64.hpp"
#include "signing/digest.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace tamga;
using namespace tamga::signing;

// A self-signed certificate of nobody's: CN=TAMGA FUZZ, P-256.
constexpr std::string_view certificate_base64 =
    "MIIBgTCCASegAwIBAgIUFdtgwDwoghQoZMYd60QmOh28ljgwCgYIKoZIzj0EAwIwFTETMBEGA1UEAwwKVEFNR0EgRlVaWjAgFw0y"
    "NjExMjMwMjMzMzlaGA8yMTI2MTAzMDAyMzMzOVowFTETMBEGA1UEAwwKVEFNR0EgRlVaWjBZMBMGByqGSM49AgEGCCqGSM49AwEH"
    "A0IABKWndyBWnOipKcKKtltQrvi0ffxprSNifwDOW/9UaL6YWLB3Ho16GTcHGax+mQE6VH7OrLffoczWXvTkiHolgfKjUzBRMB0G"
    "A1UdDgQWBBTZofMmMEWiKhp4jWZQ5KD8DR8DWjAfBgNVHSMEGDAWgBTZofMmMEWiKhp4jWZQ5KD8DR8DWjAPBgNVHRMBAf8EBTAD"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIQCYGE6qU21pYpGyLeLJ6qdIoRVUMLDsfmnu9v98e1Ed0wIgDYTjgkzyWFpPytBCGGJ3p67t"
    "IOw7y5uPwt+6bh2VN50=";

Certificate const& signer() {
    static auto const certificate = *Certificate::parse(*from_base64(certificate_base64));
    return certificate;
}

XmlTarget take_target(std::string_view& text) {
    if (!text.starts_with('/') && !text.starts_with('|')) return {};
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto const bar = line.find('|');
    if (bar == std::string_view::npos) return {std::string{line}, ""};
    return {std::string{line.substr(0, bar)}, std::string{line.substr(bar + 1)}};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    std::string_view text{reinterpret_cast<char const*>(data), size};
    auto const target = take_target(text);
    auto document = XmlDocument::parse(text, target);
    if (!document) return 0;
    auto const canonical = document->canonical();
    if (!canonical) std::abort();
    auto const to_be_signed = document->prepare(signer(), sha256(*canonical));
    if (!to_be_signed || !parse_signed_info(*to_be_signed, signer().algorithm())) std::abort();
    auto const written = document->finish(Bytes(64));
    if (!written) std::abort();

    if (target.to_be_signed_xpath.empty()) return 0;
    auto const again = XmlDocument::parse(*written, target);
    if (again && *again->canonical() != *canonical) std::abort();
    return 0;
}

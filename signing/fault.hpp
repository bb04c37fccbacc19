// Why a signature is not valid or could not be verified, as far as a person can be told: words are chosen by it. Code
// and detail of the error beside it are for programs and for support.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tamga::signing {

enum class FaultKind : std::uint8_t {
    none,
    damaged,                 ///< it cannot be read, or does not speak of the content
    content_changed,         ///< what is here is not what was signed
    content_differs,         ///< the content given is not the one in the file
    not_by_this_key,         ///< the value was not made with the certificate's key, or what it covers was changed
    another_certificate,     ///< what was signed names another certificate
    target_unclear,          ///< XML: no element has the Id that was signed, or several have
    certificate_missing,     ///< not in the file, or of a kind of key that is not known
    certificate_unsupported, ///< a kind of key that is not known
    digest_unsupported,      ///< not known, or not accepted any more (SHA-1)
    method_unsupported,      ///< likewise of the signature algorithm
    form_unsupported,        ///< XML: a transform, a canonical form, a reference to elsewhere
    gost_missing,            ///< needs libengine-gost-openssl
};

struct Fault {
    FaultKind kind = FaultKind::none;
    std::string algorithm; ///< the one that is not supported; harmless to print
};

/// What an error of a signature means where nothing closer is known.
[[nodiscard]] FaultKind fault_of(Errc code) noexcept;

/// A short name of an algorithm, of its dotted identifier or of its URI in XML: "SHA1", "rsa-sha1". Other characters
/// than such names have are replaced, for it comes from a file of anybody's.
[[nodiscard]] std::string algorithm_label(std::string_view identifier);

} // namespace tamga::signing

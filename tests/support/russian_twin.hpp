// A CMS of Kazakhstan as Russia would write it, so that `openssl cms -verify` with gost-engine can judge its structure.
#pragma once

#include "tests/support/test_certificates.hpp"

namespace tamga::test {

/// What a signer of a CMS signed, and the value in its SignerInfo.
struct SignerParts {
    Bytes attributes; ///< DER SET OF
    Bytes value;
};
/// Of the first signer.
[[nodiscard]] SignerParts signer_parts(View cms);

/// The same octets with Russian identifiers, `twin_certificate` (DER, of the same key) in the place of the signer's,
/// and therefore a new signature, in Russia's order. The CMS has one signer, `signer`.
[[nodiscard]] Bytes russian_twin(View cms, TestKey const& signer, View twin_certificate);

} // namespace tamga::test

// What the tests of signing/ share.
#pragma once

#include "signing/certificate.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

namespace tamga::signing {

struct Signer {
    test::TestKey key;
    Certificate certificate;
};

inline Signer make_signer(test::CertificateSpec const& spec = {}) {
    auto key = test::make_certificate(spec);
    auto certificate = Certificate::parse(key.certificate);
    EXPECT_TRUE(certificate) << (certificate ? "" : certificate.error().detail);
    return {std::move(key), *certificate};
}

inline Signer const& rsa_signer() {
    static auto const signer = make_signer();
    return signer;
}

inline Signer const& ec_signer() {
    static auto const signer = make_signer({.key = test::KeyKind::ec_p256, .common_name = "ПРОБНЫЙ ПОДПИСАНТ"});
    return signer;
}

inline Bytes sha256(View octets) {
    return digest(DigestAlgorithm::sha256, octets);
}

} // namespace tamga::signing

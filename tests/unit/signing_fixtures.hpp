// What the tests of signing/ share.
#pragma once

#include "base/base64.hpp"
#include "signing/certificate.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

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

inline Signer const& gost_signer() {
    static auto const signer = make_signer({.key = test::KeyKind::gost2015_512});
    return signer;
}
inline Signer const& gost_256_signer() {
    static auto const signer = make_signer({.key = test::KeyKind::gost2015_256});
    return signer;
}
inline Signer const& gost_2004_signer() {
    static auto const signer = make_signer({.key = test::KeyKind::gost2004});
    return signer;
}

/// A certificate the NCA published, of tests/data/nca-certs.
inline Result<Certificate> published(std::string const& name) {
    std::ifstream file{test::data_folder() / "nca-certs" / name};
    std::string const pem{std::istreambuf_iterator<char>{file}, {}};
    auto const begin = pem.find("-----BEGIN CERTIFICATE-----") + 27;
    auto const der = from_base64(pem.substr(begin, pem.find("-----END") - begin), Base64Whitespace::skipped);
    return der ? Certificate::parse(*der) : der.error();
}

} // namespace tamga::signing

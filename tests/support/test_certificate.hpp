// Certificates shaped like those of the National Certification Authority, of obviously invented people; self-signed.
#pragma once

#include "base/bytes.hpp"
#include "signing/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>

namespace tamga::testing {

struct Owner {
    std::string name = "ТЕСТОВ ТЕСТ";
    std::string iin = "123456789011";
    std::string organisation{};
    std::string bin{};
    std::string usage = "emailProtection"; ///< or clientAuth
    long valid_days = 365;
};

/// DER, with a new P-256 key that is thrown away.
inline Bytes make_certificate(Owner const& owner) {
    std::unique_ptr<::EVP_PKEY, decltype(&::EVP_PKEY_free)> const key{::EVP_EC_gen("P-256"), &::EVP_PKEY_free};
    std::unique_ptr<::X509, decltype(&::X509_free)> const certificate{::X509_new(), &::X509_free};
    ::X509_set_version(certificate.get(), X509_VERSION_3);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), 4711);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -24L * 3600 * 400);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), 24L * 3600 * owner.valid_days);
    auto* subject = ::X509_get_subject_name(certificate.get());
    auto const add = [subject](char const* field, std::string const& value) {
        if (value.empty()) return;
        ::X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, as_view(value).data(),
                                     static_cast<int>(value.size()), -1, 0);
    };
    add("CN", owner.name);
    add("serialNumber", "IIN" + owner.iin);
    add("C", "KZ");
    add("O", owner.organisation);
    add("OU", owner.bin.empty() ? std::string{} : "BIN" + owner.bin);
    ::X509_set_issuer_name(certificate.get(), subject);
    ::X509_set_pubkey(certificate.get(), key.get());
    auto* usage = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, owner.usage.c_str());
    ::X509_add_ext(certificate.get(), usage, -1);
    ::X509_EXTENSION_free(usage);
    ::X509_sign(certificate.get(), key.get(), ::EVP_sha256());

    unsigned char* der = nullptr;
    auto const size = ::i2d_X509(certificate.get(), &der);
    Bytes octets{der, der + size};
    ::OPENSSL_free(der);
    return octets;
}

} // namespace tamga::testing

// libp11 as the second opinion: another implementation over the same module sees and signs the same.
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>
#include <libp11.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace tamga::test {
namespace {

struct Seen {
    std::set<std::string> tokens;
    std::set<Bytes> certificates;
    Bytes signature;
};

Bytes der_of(::X509* certificate) {
    unsigned char* der = nullptr;
    auto const size = ::i2d_X509(certificate, &der);
    Bytes const octets{der, der + size};
    ::OPENSSL_free(der);
    return octets;
}

Bytes signature_by(::EVP_PKEY* key, View octets) {
    auto* const context = ::EVP_MD_CTX_new();
    Bytes signature(1024);
    auto size = signature.size();
    EXPECT_EQ(::EVP_DigestSignInit(context, nullptr, ::EVP_sha256(), nullptr, key), 1);
    EXPECT_EQ(::EVP_DigestSign(context, signature.data(), &size, octets.data(), octets.size()), 1);
    ::EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
}

/// What libp11 lists, and its signature over `octets` with the first private key of the first token.
Seen ask_libp11(View octets) {
    Seen seen;
    auto* const context = ::PKCS11_CTX_new();
    EXPECT_EQ(::PKCS11_CTX_load(context, SoftToken::module), 0);
    ::PKCS11_SLOT* slots = nullptr;
    unsigned count = 0;
    EXPECT_EQ(::PKCS11_enumerate_slots(context, &slots, &count), 0);
    for (auto* slot = slots; slot != slots + count; ++slot) {
        if (slot->token == nullptr || slot->token->initialized == 0) continue;
        seen.tokens.insert(slot->token->label);
        ::PKCS11_CERT* certificates = nullptr;
        unsigned found = 0;
        EXPECT_EQ(::PKCS11_enumerate_certs(slot->token, &certificates, &found), 0);
        for (unsigned i = 0; i < found; ++i)
            seen.certificates.insert(der_of(certificates[i].x509));
        if (!seen.signature.empty() || found == 0) continue;
        EXPECT_EQ(::PKCS11_login(slot, 0, user_pin), 0);
        ::PKCS11_KEY* keys = nullptr;
        EXPECT_EQ(::PKCS11_enumerate_keys(slot->token, &keys, &found), 0);
        if (found != 0) {
            auto* const key = ::PKCS11_get_private_key(&keys[0]);
            seen.signature = signature_by(key, octets);
            ::EVP_PKEY_free(key);
        }
        ::PKCS11_logout(slot);
    }
    ::PKCS11_release_all_slots(context, slots, count);
    ::PKCS11_CTX_unload(context);
    ::PKCS11_CTX_free(context);
    return seen;
}

TEST(Libp11, ListsTheSameAndMakesBitIdenticalRsaSignatures) {
    if (!std::filesystem::exists(SoftToken::module)) GTEST_SKIP() << "softhsm2 is not installed";
    Scratch const folder;
    SoftToken const token{folder};
    token.add_token("second");
    auto const certificate = make_key(folder, "rsa", KeyKind::rsa_2048);
    token.add_key("rsa", "01");
    token.add_certificate("rsa", "01");
    make_key(folder, "ec", KeyKind::ec_p256);
    token.add_certificate("ec", "02", "second");
    auto const item = cms_item(certificate, "document");

    Seen ours;
    {
        TokenDriver driver{folder.path()};
        auto const listing = driver.list(ipc::Depth::certificates);
        ipc::SlotId slot;
        for (auto const& found : listing.tokens) {
            ours.tokens.insert(found.info.label);
            if (found.info.label == "tamga") slot = found.slot;
        }
        for (auto const& found : listing.certificates)
            ours.certificates.insert(found.der);
        auto prompt = driver.prompt(ipc::RequestId{1});
        ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        ASSERT_TRUE(
            give(prompt, mandate_for(ipc::RequestId{1}, ipc::Form::cms, certificate, {sha256(as_view("document"))})));
        ours.signature = driver.sign(ipc::RequestId{1}, {item})->at(0);
    }
    ::setenv("SOFTHSM2_CONF", (folder / "softhsm2.conf").c_str(), 1);
    auto const theirs = ask_libp11(item);

    EXPECT_EQ(ours.tokens, theirs.tokens);
    EXPECT_EQ(ours.tokens, (std::set<std::string>{"tamga", "second"}));
    EXPECT_EQ(ours.certificates, theirs.certificates);
    EXPECT_EQ(ours.signature, theirs.signature);
    EXPECT_EQ(ours.signature.size(), 256U);
}

} // namespace
} // namespace tamga::test

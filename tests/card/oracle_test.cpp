// libp11 as the second opinion on cards: it sees the same tokens and certificates through OpenSC as tamga-token does.
#include "tests/card/virtual_readers.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>
#include <libp11.h>
#include <openssl/x509.h>

#include <set>

namespace tamga::test {
namespace {

struct Seen {
    std::set<std::string> tokens;
    std::set<Bytes> certificates;
};

Bytes der_of(::X509* certificate) {
    unsigned char* der = nullptr;
    auto const size = ::i2d_X509(certificate, &der);
    Bytes const octets{der, der + size};
    ::OPENSSL_free(der);
    return octets;
}

Seen seen_by_libp11() {
    Seen seen;
    auto* const context = ::PKCS11_CTX_new();
    EXPECT_EQ(::PKCS11_CTX_load(context, VirtualReaders::opensc), 0);
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
    }
    ::PKCS11_release_all_slots(context, slots, count);
    ::PKCS11_CTX_unload(context);
    ::PKCS11_CTX_free(context);
    return seen;
}

Seen seen_by_us(Scratch const& folder) {
    Seen seen;
    TokenDriver driver{folder.path()};
    auto const listing = driver.list(ipc::Depth::certificates);
    EXPECT_TRUE(listing.status);
    for (auto const& found : listing.tokens) {
        seen.tokens.insert(found.info.label);
        EXPECT_EQ(found.info.family, "kaztoken");
        EXPECT_EQ(found.info.storage, "AKKaztokenStore");
    }
    for (auto const& found : listing.certificates)
        seen.certificates.insert(found.der);
    return seen;
}

TEST(CardsThroughOpenSc, NeedNoConfigurationAndAreListedAsLibp11ListsThem) {
    Scratch const folder;
    VirtualReaders const readers{folder};
    readers.format(0);
    readers.format(1);
    auto const ours = seen_by_us(folder);
    auto const theirs = seen_by_libp11();

    EXPECT_EQ(theirs.tokens, (std::set<std::string>{"Card 0 (User PIN)", "Card 1 (User PIN)"}));
    EXPECT_EQ(ours.tokens, (std::set<std::string>{"Card 0", "Card 1"})) << "without the name of the PIN";
    EXPECT_EQ(ours.certificates, theirs.certificates);
    EXPECT_EQ(ours.certificates.size(), 4U);
}

} // namespace
} // namespace tamga::test

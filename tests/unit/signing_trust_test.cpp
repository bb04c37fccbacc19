// Chains, OCSP answers and lists of revoked certificates: made here with RSA and GOST keys, and what the NCA published.
#include "signing/chain.hpp"
#include "signing/crl.hpp"
#include "signing/der.hpp"
#include "signing/ocsp.hpp"
#include "tests/support/services.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <fstream>

namespace tamga::signing {
namespace {

using test::OcspAnswer;

constexpr std::int64_t now = 1'790'000'000;
constexpr std::int64_t a_year = 365 * 24 * 3600;

Certificate parsed(test::TestKey const& key) {
    return *Certificate::parse(key.certificate);
}

class Trust : public testing::TestWithParam<test::KeyKind> {
protected:
    [[nodiscard]] static test::Authority const& authority() {
        static auto const rsa = test::make_services(test::KeyKind::rsa_2048);
        static auto const gost = test::make_services(test::KeyKind::gost2015_512);
        return GetParam() == test::KeyKind::rsa_2048 ? rsa : gost;
    }
    [[nodiscard]] static Certificate issue(std::int64_t not_after = 4'000'000'000) {
        return parsed(test::make_certificate({.key = GetParam(), .not_after = not_after}, &authority().issuer));
    }
    Certificate const m_leaf = issue();
    Certificate const m_issuer = parsed(authority().issuer);
    Certificate const m_root = parsed(authority().root);
};
INSTANTIATE_TEST_SUITE_P(Keys, Trust, testing::Values(test::KeyKind::rsa_2048, test::KeyKind::gost2015_512));

TEST_P(Trust, AChainMayEndAtTheRootOrAtAnIntermediateThatIsTrusted) {
    auto const whole = build_chain(TrustSet{{m_root, m_issuer}}, m_leaf, {}, now);
    EXPECT_EQ(whole.state, ChainState::good) << whole.detail;
    EXPECT_EQ(whole.issuer()->der(), m_issuer.der());

    EXPECT_EQ(build_chain(TrustSet{{m_issuer}}, m_leaf, {}, now).state, ChainState::good);
    EXPECT_EQ(build_chain(TrustSet{{m_root}}, m_leaf, {m_issuer}, now).state, ChainState::good);
}

TEST_P(Trust, WithoutTheIssuerNothingIsSaidAgainstTheCertificate) {
    EXPECT_EQ(build_chain(TrustSet{}, m_leaf, {}, now).state, ChainState::issuer_missing);
    EXPECT_EQ(build_chain(TrustSet{{m_root}}, m_leaf, {}, now).state, ChainState::issuer_missing);
    // What a document brings along is believed nothing.
    EXPECT_EQ(build_chain(TrustSet{}, m_leaf, {m_issuer, m_root}, now).state, ChainState::issuer_missing);
}

TEST_P(Trust, IsJudgedAsOfAStatedTime) {
    auto const short_lived = issue(1'750'000'000);
    TrustSet const trusted{{m_issuer}};

    EXPECT_EQ(build_chain(trusted, short_lived, {}, now).state, ChainState::expired);
    EXPECT_EQ(build_chain(trusted, short_lived, {}, 1'740'000'000).state, ChainState::good);
    EXPECT_EQ(build_chain(trusted, short_lived, {}, 1'650'000'000).state, ChainState::not_yet_valid);
}

TEST_P(Trust, AnIssuerOfTheSameNameWithAnotherKeyIsNotTheIssuer) {
    auto const impostor = test::make_services(GetParam());
    auto const forged = parsed(test::make_certificate({.key = GetParam()}, &impostor.issuer));

    EXPECT_NE(build_chain(TrustSet{{m_root, m_issuer}}, forged, {}, now).state, ChainState::good);
}

TEST_P(Trust, ACitizenIsNoAuthority) {
    auto const key = test::make_certificate({.key = GetParam()}, &authority().issuer);
    auto const below = parsed(test::make_certificate({.key = GetParam()}, &key));

    EXPECT_FALSE(is_authority(parsed(key)));
    EXPECT_NE(build_chain(TrustSet{{m_root, m_issuer}}, below, {parsed(key)}, now).state, ChainState::good);
}

TEST_P(Trust, OnlyACertificateForTimeStampsStamps) {
    TrustSet const trusted{{m_issuer}};

    EXPECT_EQ(build_chain(trusted, parsed(authority().timestamps), {}, now, ChainUse::timestamp).state,
              ChainState::good);
    EXPECT_EQ(build_chain(trusted, m_leaf, {}, now, ChainUse::timestamp).state, ChainState::untrusted);
}

TEST_P(Trust, AnOcspAnswerSaysWhetherItWasRevoked) {
    auto const query = query_ocsp(m_leaf, m_issuer);
    ASSERT_TRUE(query);
    auto const answered = [&](OcspAnswer answer) {
        return read_ocsp_reply(*query, test::answer_ocsp(authority(), query->der, now, answer), m_leaf, m_issuer, now);
    };

    auto const good = answered(OcspAnswer::good);
    ASSERT_TRUE(good) << good.error().detail;
    EXPECT_EQ(good->state, Revocation::good);
    EXPECT_EQ(good->this_update, now);
    auto const revoked = answered(OcspAnswer::revoked);
    ASSERT_TRUE(revoked) << revoked.error().detail;
    EXPECT_EQ(revoked->state, Revocation::revoked);
    EXPECT_EQ(revoked->revoked_at, now - 3600);
    EXPECT_EQ(answered(OcspAnswer::unknown)->state, Revocation::unknown);
}

TEST_P(Trust, AnOcspAnswerThatIsNotToTheQuestionSaysNothing) {
    auto const query = query_ocsp(m_leaf, m_issuer);
    auto const error_of = [&](OcspAnswer answer) {
        auto const read =
            read_ocsp_reply(*query, test::answer_ocsp(authority(), query->der, now, answer), m_leaf, m_issuer, now);
        return read ? std::string{"believed"} : std::string{wire_name(read.error().code)};
    };

    EXPECT_EQ(error_of(OcspAnswer::refused), "message_malformed");
    EXPECT_EQ(error_of(OcspAnswer::other_nonce), "message_malformed");
    EXPECT_EQ(error_of(OcspAnswer::other_certificate), "message_malformed");
    EXPECT_EQ(error_of(OcspAnswer::old), "timeout");
    EXPECT_EQ(error_of(OcspAnswer::broken_signature), "signature_invalid");
    EXPECT_EQ(error_of(OcspAnswer::by_stranger), "signature_invalid");
    EXPECT_FALSE(read_ocsp_reply(*query, as_view("<html>"), m_leaf, m_issuer, now));
}

TEST_P(Trust, AListNamesWhatWasRevokedAndIsVerified) {
    auto const other = issue();
    auto const list = test::make_crl(authority(), {m_leaf.der()}, now);
    auto const read = read_crl(list, m_issuer);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->revoked.size(), 1U);

    test::Scratch const scratch;
    RevocationCache const cache{scratch / "revocation"};
    ASSERT_TRUE(cache.store(m_issuer, *read));
    EXPECT_EQ(cache.find(m_leaf, &m_issuer, now).state, Revocation::revoked);
    EXPECT_EQ(cache.find(m_leaf, &m_issuer, now).revoked_at, now - 3600);
    EXPECT_EQ(cache.find(other, &m_issuer, now).state, Revocation::good);
    EXPECT_EQ(cache.find(other, nullptr, now).state, Revocation::unknown);
    EXPECT_EQ(cache.find(other, &m_issuer, now + 10 * 24 * 3600).state, Revocation::unknown) << "the list is too old";
    EXPECT_EQ(cache.find(m_leaf, &m_issuer, now + 10 * 24 * 3600).state, Revocation::revoked) << "for good";

    auto broken = list;
    broken.back() ^= 1;
    EXPECT_EQ(read_crl(broken, m_issuer).error().code, Errc::signature_invalid);
    EXPECT_EQ(read_crl(list, m_root).error().code, Errc::message_malformed) << "of another issuer";
}

TEST_P(Trust, WhatOcspSaidGoesBeforeTheList) {
    test::Scratch const scratch;
    RevocationCache const cache{scratch / "revocation"};
    ASSERT_TRUE(cache.store(m_issuer, *read_crl(test::make_crl(authority(), {}, now), m_issuer)));
    ASSERT_TRUE(cache.store(m_leaf, {Revocation::revoked, now - 60, now, 0}));

    EXPECT_EQ(cache.find(m_leaf, &m_issuer, now).state, Revocation::revoked);
    cache.trim(0);
    EXPECT_EQ(cache.find(m_leaf, &m_issuer, now).state, Revocation::unknown);
}

TEST(RevocationTable, FindsEachOfManyAndNoneBetween) {
    test::Scratch const scratch;
    RevocationCache const cache{scratch / "revocation"};
    auto const issuer = parsed(test::make_authority(test::KeyKind::ec_p256, "ISSUER"));
    std::vector<Certificate> certificates;
    RevocationList list{now, now + 1000, {}};
    for (int i = 0; i < 64; ++i) {
        certificates.push_back(parsed(test::make_certificate({.key = test::KeyKind::ec_p256})));
        auto const identifier = certificates.back().issuer_and_serial_number();
        View rest{identifier};
        rest = der::take(rest, der::sequence)->content;
        der::take(rest, der::sequence);
        if (i % 2 == 0) list.revoked.push_back({to_bytes(der::take(rest, der::integer)->content), now - i});
    }
    ASSERT_TRUE(cache.store(issuer, list));

    for (int i = 0; i < 64; ++i) {
        auto const status = cache.find(certificates[static_cast<std::size_t>(i)], &issuer, now);
        EXPECT_EQ(status.state, i % 2 == 0 ? Revocation::revoked : Revocation::good) << i;
        EXPECT_EQ(status.revoked_at, i % 2 == 0 ? now - i : 0);
    }
}

// ---- what the NCA published ----

TEST(PublishedCertificates, ChainToTheirIssuersWhereThoseAreHereAsOfTheirTime) {
    auto const root_2004 = published("prod-root-gost2004-2015.pem");
    auto const root_rsa = published("prod-root-rsa-2015.pem");
    auto const test_root = published("test-root-gost2015-2022.pem");
    TrustSet const roots{{*root_2004, *root_rsa, *test_root}};

    for (auto const* name : {"prod-nca-gost2004-2018.pem", "prod-nca-rsa-2018.pem", "prod-nca-rsa-2015.pem",
                             "test-nca-gost2015-2022.pem"}) {
        auto const certificate = published(name);
        ASSERT_TRUE(certificate) << name;
        auto const chain = build_chain(roots, *certificate, {}, certificate->not_before() + a_year);
        EXPECT_EQ(chain.state, ChainState::good) << name << ": " << chain.detail;
    }
    EXPECT_EQ(build_chain(roots, *published("prod-nca-rsa-2018.pem"), {}, now).state, ChainState::expired);
}

TEST(PublishedCertificates, WithoutTheirIssuersAreNotCalledInvalid) {
    TrustSet const roots{{*published("prod-root-gost2004-2015.pem"), *published("prod-root-rsa-2015.pem")}};

    for (auto const* name : {"prod-tsa-gost2015-2025.pem", "test-nca-gost2004-2019.pem", "test-nca-rsa-2019.pem",
                             "test-ocsp-gost2015-2022.pem"}) {
        auto const certificate = published(name);
        ASSERT_TRUE(certificate) << name;
        auto const chain = build_chain(roots, *certificate, {}, certificate->not_before() + 1000);
        EXPECT_EQ(chain.state, ChainState::issuer_missing) << name << ": " << chain.detail;
    }
}

TEST(PublishedCertificates, AFlippedBitInTheSignatureIsNoChain) {
    auto const root = published("test-root-gost2015-2022.pem");
    auto der = published("test-nca-gost2015-2022.pem")->der();
    der.back() ^= 1;

    EXPECT_EQ(build_chain(TrustSet{{*root}}, *Certificate::parse(der), {}, 1'700'000'000).state, ChainState::untrusted);
}

TEST(TrustSetFolders, TakeAuthoritiesAndLeaveTheRestOut) {
    test::Scratch const scratch;
    auto const authority = test::make_authority(test::KeyKind::ec_p256, "AUTHORITY");
    auto const citizen = test::make_certificate({.key = test::KeyKind::ec_p256});
    scratch.write("person/one.pem", as_view(test::certificate_pem(authority.certificate)));
    scratch.write("person/two.der", authority.certificate);
    scratch.write("person/citizen.pem", as_view(test::certificate_pem(citizen.certificate)));
    scratch.write("person/rubbish.cer", as_view("rubbish"));
    scratch.write("person/open.pem",
                  as_view(test::certificate_pem(test::make_authority(test::KeyKind::ec_p256, "OPEN").certificate)));
    scratch.run("chmod 666 person/open.pem");

    TrustFolders const folders{{}, scratch / "none", scratch / "person"};
    auto const counted = TrustSet::load(folders, UserAuthorities::counted);
    EXPECT_TRUE(TrustSet::load(folders, UserAuthorities::left_out).certificates().empty());

    ASSERT_EQ(counted.certificates().size(), 1U);
    EXPECT_EQ(counted.certificates().front().der(), authority.certificate);
}

} // namespace
} // namespace tamga::signing

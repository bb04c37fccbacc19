// Time-stamps: what is asked, what is believed, and how they come into a CMS. OpenSSL's own service and its own
// verifier are on the other side wherever the algorithm is one it knows.
#include "signing/timestamp.hpp"

#include "signing/cms.hpp"
#include "signing/signed_data.hpp"
#include "tests/support/services.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <ctime>

namespace tamga::signing {
namespace {

using test::StampFault;

constexpr std::int64_t now = 1'790'000'000;
constexpr std::string_view policy = "1.2.398.3.3.2.6.4";

test::Authority const& authority_of(test::KeyKind kind) {
    static auto const rsa = test::make_services(test::KeyKind::rsa_2048);
    static auto const gost = test::make_services(test::KeyKind::gost2015_512);
    return kind == test::KeyKind::rsa_2048 ? rsa : gost;
}

class Timestamps : public testing::TestWithParam<test::KeyKind> {
protected:
    [[nodiscard]] static test::Authority const& authority() { return authority_of(GetParam()); }
    [[nodiscard]] static DigestAlgorithm method() {
        return GetParam() == test::KeyKind::rsa_2048 ? DigestAlgorithm::sha256 : DigestAlgorithm::streebog512;
    }
    TimestampQuery const m_query = *query_timestamp(method(), as_view("the octets of a signature"), policy);
};
INSTANTIATE_TEST_SUITE_P(Keys, Timestamps, testing::Values(test::KeyKind::rsa_2048, test::KeyKind::gost2015_512));

TEST_P(Timestamps, AnAnswerToTheQueryIsBelieved) {
    auto const stamp = read_timestamp_reply(m_query, test::answer_timestamp(authority(), m_query.der, now), now);

    ASSERT_TRUE(stamp) << stamp.error().detail;
    EXPECT_EQ(stamp->time, now);
    EXPECT_EQ(stamp->policy, policy);
    EXPECT_EQ(stamp->authority.der(), authority().timestamps.certificate);
}

TEST_P(Timestamps, EveryWrongAnswerIsRefused) {
    for (auto const& [fault, why] :
         {std::pair{StampFault::other_nonce, "another nonce"}, std::pair{StampFault::no_nonce, "another nonce"},
          std::pair{StampFault::other_imprint, "another imprint"},
          std::pair{StampFault::other_policy, "another policy"},
          std::pair{StampFault::wrong_usage, "the certificate of the service is not one for time-stamps"},
          std::pair{StampFault::two_signers, "not one signer"}}) {
        auto const stamp =
            read_timestamp_reply(m_query, test::answer_timestamp(authority(), m_query.der, now, fault), now);
        ASSERT_FALSE(stamp) << why;
        EXPECT_EQ(stamp.error().code, Errc::timestamp_invalid);
        EXPECT_EQ(stamp.error().detail, why);
    }
    auto const broken = test::answer_timestamp(authority(), m_query.der, now, StampFault::broken_signature);
    auto const stamp = read_timestamp_reply(m_query, broken, now);
    ASSERT_FALSE(stamp);
    EXPECT_EQ(stamp.error().code, Errc::timestamp_invalid);
    EXPECT_TRUE(stamp.error().detail.starts_with("signature_invalid")) << stamp.error().detail;
}

TEST_P(Timestamps, ARefusalOfTheServiceIsToldApartFromRubbish) {
    auto const refused = test::answer_timestamp(authority(), m_query.der, now, StampFault::refused);

    EXPECT_EQ(read_timestamp_reply(m_query, refused, now).error().code, Errc::timestamp_unavailable);
    EXPECT_EQ(read_timestamp_reply(m_query, as_view("<html>"), now).error().code, Errc::timestamp_invalid);
    EXPECT_EQ(read_timestamp_reply(m_query, {}, now).error().code, Errc::timestamp_invalid);
}

TEST_P(Timestamps, AFlippedBitIsRefusedOrChangesNothingThatWasSigned) {
    auto const reply = test::answer_timestamp(authority(), m_query.der, now);
    auto const step = GetParam() == test::KeyKind::rsa_2048 ? 1U : 5U;

    for (std::size_t i = 0; i < reply.size(); i += step) {
        auto flipped = reply;
        flipped[i] ^= 0x04;
        auto const stamp = read_timestamp_reply(m_query, flipped, now);
        if (!stamp) continue;
        EXPECT_EQ(stamp->time, now) << i;
        EXPECT_EQ(stamp->authority.der(), authority().timestamps.certificate) << i;
    }
}

TEST_P(Timestamps, AStampOfAServiceWhoseCertificateHadExpiredIsRefused) {
    constexpr std::int64_t later = 4'050'000'000;
    auto const stamp = read_timestamp_reply(m_query, test::answer_timestamp(authority(), m_query.der, later), later);

    ASSERT_FALSE(stamp);
    EXPECT_EQ(stamp.error().detail, "the certificate of the service was not valid then");
}

TEST_P(Timestamps, AStampOfAnotherTimeThanNowIsRefused) {
    constexpr std::int64_t five_minutes = 300;
    for (auto const off : {-five_minutes - 1, five_minutes + 1, 300 * 24 * 3600L}) {
        auto const reply = test::answer_timestamp(authority(), m_query.der, now + off);
        auto const stamp = read_timestamp_reply(m_query, reply, now);
        ASSERT_FALSE(stamp) << off;
        EXPECT_EQ(stamp.error().code, Errc::timestamp_invalid);
        EXPECT_EQ(stamp.error().detail, "of another time than now");
    }
    for (auto const off : {-five_minutes, five_minutes}) {
        EXPECT_TRUE(read_timestamp_reply(m_query, test::answer_timestamp(authority(), m_query.der, now + off), now));
    }
}

TEST_P(Timestamps, ATokenStaysATokenOverTheOctetsItWasMadeFor) {
    auto const stamp = read_timestamp_reply(m_query, test::answer_timestamp(authority(), m_query.der, now), now);
    ASSERT_TRUE(stamp);

    EXPECT_TRUE(check_timestamp(stamp->token, as_view("the octets of a signature")));
    auto const other = check_timestamp(stamp->token, as_view("other octets"));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().detail, "another imprint");
}

TEST_P(Timestamps, EachQueryHasANonceOfItsOwnOfEightOctets) {
    auto const other = query_timestamp(method(), as_view("the octets of a signature"), policy);

    EXPECT_EQ(m_query.nonce.size(), 8U);
    EXPECT_NE(m_query.nonce, other->nonce);
}

Bytes sign_with(Signer const& signer, View content, ExistingCms const* existing = nullptr) {
    auto const hashed = digest(signer.certificate.algorithm().digest, content);
    auto const to_be_signed = prepare_cms(signer.certificate, *hashed, now);
    return *finish_cms(signer.certificate, *to_be_signed, signer.key.sign(*to_be_signed), content,
                       Encapsulation::attached, existing);
}

Bytes stamped(View cms) {
    std::vector<StampedValue> stamps;
    auto const unstamped = unstamped_signers(cms);
    for (auto const& signer : *unstamped) {
        auto const& authority =
            authority_of(signer.algorithm->key == KeyAlgorithm::gost2015_512 ? test::KeyKind::gost2015_512
                                                                             : test::KeyKind::rsa_2048);
        auto const query = query_timestamp(signer.algorithm->digest, signer.value, signer.algorithm->timestamp_policy);
        auto stamp = read_timestamp_reply(*query, test::answer_timestamp(authority, query->der, now), now);
        EXPECT_TRUE(stamp) << (stamp ? "" : stamp.error().detail);
        stamps.push_back({signer.value, std::move(stamp->token)});
    }
    return *attach_timestamps(cms, stamps);
}

TEST(TimestampsInCms, OpensslVerifiesTheCmsAndTheStampThatIsTakenOutOfIt) {
    test::Scratch const scratch;
    auto const cms = stamped(sign_with(rsa_signer(), as_view("content")));
    scratch.write("stamped.cms", cms);
    scratch.write("ca.pem", as_view(test::ca_certificate_pem()));
    scratch.write("tsa-root.pem",
                  as_view(test::certificate_pem(authority_of(test::KeyKind::rsa_2048).root.certificate)));
    scratch.write("tsa-issuer.pem",
                  as_view(test::certificate_pem(authority_of(test::KeyKind::rsa_2048).issuer.certificate)));

    auto const verified =
        scratch.attempt("openssl cms -verify -cades -binary -inform DER -in stamped.cms -CAfile ca.pem "
                        "-purpose any -out /dev/null");
    EXPECT_EQ(verified.status, 0) << verified.output;

    auto const data = read_signed_data(cms);
    auto const signers = der::members(data->signers);
    auto const signer = read_signer_info(signers->front().octets);
    auto const tokens = attribute_values(signer->unsigned_attributes->content, oid_timestamp_token);
    ASSERT_EQ(tokens.size(), 1U);
    scratch.write("token", tokens.front());
    scratch.write("value", signer->value);
    auto const judged = scratch.attempt("openssl ts -verify -in token -token_in -data value -CAfile tsa-root.pem "
                                        "-untrusted tsa-issuer.pem");
    EXPECT_EQ(judged.status, 0) << judged.output;
}

TEST(TimestampsInCms, OpensslsOwnServiceIsUnderstood) {
    test::Scratch const scratch;
    auto const& authority = authority_of(test::KeyKind::rsa_2048);
    auto const query = query_timestamp(DigestAlgorithm::sha256, as_view("value"), "1.2.398.3.3.2.6.2");
    scratch.write("query", query->der);
    authority.save(scratch.path().string());
    scratch.write("serial", "01\n");
    scratch.write("tsa.cnf", "[tsa]\ndefault_tsa = it\n[it]\nserial = serial\ncrypto_device = builtin\n"
                             "signer_digest = sha512\ndefault_policy = 1.2.3\nother_policies = 1.2.398.3.3.2.6.2\n"
                             "digests = sha256\nordering = no\ntsa_name = no\ness_cert_id_chain = no\n"
                             "ess_cert_id_alg = sha256\n");
    auto const answered = scratch.attempt("openssl ts -reply -config tsa.cnf -queryfile query -signer timestamps.pem "
                                          "-inkey timestamps.key -out reply");
    ASSERT_EQ(answered.status, 0) << answered.output;

    auto const stamp = read_timestamp_reply(*query, scratch.read_octets("reply"), std::time(nullptr));

    ASSERT_TRUE(stamp) << stamp.error().detail;
    EXPECT_EQ(stamp->policy, "1.2.398.3.3.2.6.2");
}

TEST(TimestampsInCms, WhatOthersSignedStaysOctetByOctet) {
    auto const first = sign_with(rsa_signer(), as_view("content"));
    auto const existing = ExistingCms::recognise(first);
    auto const both = sign_with(gost_signer(), as_view("content"), &*existing);
    ASSERT_EQ(unstamped_signers(both)->size(), 2U);

    auto const once = stamped(both);

    EXPECT_TRUE(unstamped_signers(once)->empty());
    EXPECT_EQ(stamped(once), once) << "nothing is left to stamp";
    EXPECT_EQ(*ExistingCms::recognise(once)->content(), to_bytes(as_view("content")));
    auto const data = read_signed_data(once);
    auto const content = *content_of(*data);
    auto const signers = der::members(data->signers);
    for (auto const& member : *signers) {
        auto const checked =
            check_signer(*data, *read_signer_info(member.octets), View{*content}, certificates_of(*data));
        EXPECT_TRUE(checked.signature) << checked.signature.error().detail;
        ASSERT_EQ(checked.timestamps.size(), 1U);
        EXPECT_TRUE(check_timestamp(checked.timestamps.front(), checked.value));
    }
}

} // namespace
} // namespace tamga::signing

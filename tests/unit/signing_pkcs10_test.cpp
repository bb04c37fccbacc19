// Requests for certificates, judged by the openssl command: RSA and EC as they are; of GOST the structure in the
// request's Russian twin, and the signature by gost-engine's own arithmetic.
#include "signing/pkcs10.hpp"

#include "signing/der.hpp"
#include "signing/to_be_signed.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <openssl/x509.h>

namespace tamga::signing {
namespace {

RequestContent wanted(Signer const& signer) {
    auto content = renewal_of(signer.certificate, public_key_of(signer.certificate));
    content.email = "person@example.test";
    content.key_store = key_store_file;
    return content;
}

Bytes requested(Signer const& signer, RequestContent const& content) {
    auto const info = prepare_request(content);
    EXPECT_TRUE(info) << (info ? "" : info.error().detail);
    auto const request = finish_request(*info, signer.key.sign(*info));
    EXPECT_TRUE(request) << (request ? "" : request.error().detail);
    return request ? *request : Bytes{};
}

class Requests : public testing::TestWithParam<Signer const& (*)()> {
protected:
    [[nodiscard]] static Signer const& signer() { return GetParam()(); }
    test::Outcome run(std::string const& command) {
        return m_scratch.attempt("export OPENSSL_CONF=" TAMGA_TEST_DATA "/gost.cnf; " + command);
    }
    test::Scratch m_scratch;
};

class OrdinaryRequests : public Requests {};
INSTANTIATE_TEST_SUITE_P(Kinds, OrdinaryRequests, testing::Values(rsa_signer, ec_signer));

TEST_P(OrdinaryRequests, AreVerifiedByOpenssl) {
    m_scratch.write("request.der", requested(signer(), wanted(signer())));

    auto const judged = run("openssl req -inform DER -in request.der -verify -noout -text -nameopt utf8");

    EXPECT_EQ(judged.status, 0) << judged.output;
    EXPECT_NE(judged.output.find("Certificate request self-signature verify OK"), std::string::npos) << judged.output;
    EXPECT_NE(judged.output.find("email:person@example.test"), std::string::npos) << judged.output;
    EXPECT_NE(judged.output.find("1.2.398.3.3.5"), std::string::npos) << judged.output;
}

TEST_P(OrdinaryRequests, HaveTheSubjectOfThePresentCertificateOctetByOctet) {
    m_scratch.write("request.der", requested(signer(), wanted(signer())));
    m_scratch.write("present.pem", as_view(test::certificate_pem(signer().certificate.der())));

    auto const judged = run("openssl req -inform DER -in request.der -noout -subject -nameopt RFC2253 > one && "
                            "openssl x509 -in present.pem -noout -subject -nameopt RFC2253 > other && cmp one other");

    EXPECT_EQ(judged.status, 0) << judged.output;
    auto const read = read_request(m_scratch.read_octets("request.der"));
    ASSERT_TRUE(read);
    EXPECT_EQ(name_in_words(read->subject), signer().certificate.subject_dn());
}

class GostRequests : public Requests {
protected:
    /// The same request with the key under its Russian name, and so a signature of its own, in Russia's order.
    static Bytes russian_twin(View request) {
        auto rest = der::take(request, der::sequence)->content;
        auto const info = der::take(rest, der::sequence)->content;
        auto parts = info;
        auto const version = der::take(parts, der::integer)->octets;
        auto const subject = der::take(parts, der::sequence)->octets;
        der::take(parts, der::sequence);
        unsigned char* written = nullptr;
        auto const size = i2d_PUBKEY(signer().key.key.get(), &written);
        Bytes const key(written, written + size);
        OPENSSL_free(written);
        auto const twin = der::element(der::sequence, {version, subject, key, parts});
        bool const large = signer().certificate.algorithm().digest_size == 64;
        static constexpr unsigned char no_unused_bits = 0;
        return der::element(der::sequence,
                            {twin, der::algorithm_identifier(large ? "1.2.643.7.1.1.3.3" : "1.2.643.7.1.1.3.2", false),
                             der::element(der::bit_string, {{&no_unused_bits, 1}, signer().key.sign(twin)})});
    }
};
INSTANTIATE_TEST_SUITE_P(Sizes, GostRequests, testing::Values(gost_signer, gost_256_signer));

TEST_P(GostRequests, AreVerifiedByOpensslThroughTheirRussianTwin) {
    m_scratch.write("twin.der", russian_twin(requested(signer(), wanted(signer()))));

    auto const judged = run("openssl req -inform DER -in twin.der -verify -noout -text");

    EXPECT_EQ(judged.status, 0) << judged.output;
    EXPECT_NE(judged.output.find("verify OK"), std::string::npos) << judged.output;
    EXPECT_NE(judged.output.find("email:person@example.test"), std::string::npos) << judged.output;
}

TEST_P(GostRequests, HoldASignatureThatOpensslVerifies) {
    auto const request = requested(signer(), wanted(signer()));
    View rest{request};
    rest = der::take(rest, der::sequence)->content;
    auto const info = der::take(rest, der::sequence)->octets;
    auto const identifier = der::take(rest, der::sequence)->content;
    auto const value = der::take(rest, der::bit_string)->content.subspan(1);
    m_scratch.write("key.pem", as_view(signer().key.private_key_pem()));
    m_scratch.write("info", info);
    m_scratch.write("value", Bytes(value.rbegin(), value.rend())); // Russia's order
    auto const option = signer().certificate.algorithm().digest_size == 64 ? "-md_gost12_512" : "-md_gost12_256";

    auto const judged = run("openssl pkey -in key.pem -pubout -out public.pem && openssl dgst " + std::string{option} +
                            " -binary -out digest info && openssl pkeyutl -verify -pubin -inkey public.pem -in digest "
                            "-sigfile value");

    EXPECT_EQ(judged.status, 0) << judged.output;
    auto name = identifier;
    EXPECT_EQ(der::dotted(der::take(name, der::object_identifier)->octets),
              signer().certificate.algorithm().signature_oid);
    EXPECT_EQ(name.size(), 2U) << "an explicit NULL, as in the NCA's own signatures";
}

INSTANTIATE_TEST_SUITE_P(Kinds, Requests, testing::Values(rsa_signer, ec_signer, gost_signer, gost_256_signer));

TEST_P(Requests, AreReadAsTheyWereMeant) {
    auto const content = wanted(signer());

    auto const info = prepare_request(content);
    auto const read = parse_request_info(*info);

    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->subject, content.subject);
    EXPECT_EQ(read->key, content.key);
    EXPECT_EQ(read->email, content.email);
    EXPECT_EQ(read->key_store, content.key_store);
    EXPECT_TRUE(is_meaningful_form(*info)) << "never to be signed as raw octets";
}

TEST_P(Requests, OfAnotherKeyAreNotFinished) {
    auto const other = make_signer({.key = signer().key.kind});
    auto const info = prepare_request(wanted(signer()));

    EXPECT_EQ(finish_request(*info, other.key.sign(*info)).error().code, Errc::signature_invalid);
}

TEST(Request, WithoutAttributesIsWhole) {
    auto const content = renewal_of(rsa_signer().certificate, public_key_of(rsa_signer().certificate));
    test::Scratch scratch;
    scratch.write("request.der", requested(rsa_signer(), content));

    EXPECT_EQ(scratch.attempt("openssl req -inform DER -in request.der -verify -noout").status, 0);
}

TEST(Request, IsAcceptedByNothingButItsOwnOctets) {
    auto const info = prepare_request(wanted(rsa_signer()));
    for (std::size_t i = 0; i < info->size(); ++i) {
        auto changed = *info;
        changed[i] ^= 0x20;
        auto const read = parse_request_info(changed);
        if (!read) continue;
        // What still parses says something else, and exactly that.
        EXPECT_EQ(*prepare_request(*read), changed) << i;
    }
    auto longer = *info;
    longer.push_back(0);
    EXPECT_FALSE(parse_request_info(longer));
    EXPECT_FALSE(parse_request_info(View{*info}.first(info->size() - 1)));
}

TEST(Request, OfForeignMakeWithOtherExtensionsIsNotAccepted) {
    test::Scratch scratch;
    scratch.run("openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=T -addext "
                "basicConstraints=CA:TRUE -outform DER -out request.der");

    EXPECT_FALSE(read_request(scratch.read_octets("request.der")));
}

TEST(Request, WithAnAddressOrIdentifierThatIsNoneIsRefused) {
    auto content = wanted(rsa_signer());
    for (auto const* email : {"person", "@example.test", "a@b@c", "a b@c.test", "адрес@example.test", "a@"}) {
        content.email = email;
        EXPECT_EQ(prepare_request(content).error().code, Errc::bad_request) << email;
    }
    content.email.clear();
    for (auto const* identifier : {"1", "1.2.x", "1..2", "9.9.9", "1.02.3"}) {
        content.key_store = identifier;
        EXPECT_EQ(prepare_request(content).error().code, Errc::bad_request) << identifier;
    }
}

TEST(PublicKeys, ThatAreShortOrUnknownAreRefused) {
    test::Scratch scratch;
    scratch.run(
        "openssl genrsa -out short.pem 1024 && openssl rsa -in short.pem -pubout -outform DER -out short.der && "
        "openssl genpkey -algorithm ed25519 -out other.pem && "
        "openssl pkey -in other.pem -pubout -outform DER -out other.der");

    EXPECT_EQ(read_public_key(scratch.read_octets("short.der")).error().code, Errc::mechanism_unsupported);
    EXPECT_EQ(read_public_key(scratch.read_octets("other.der")).error().code, Errc::mechanism_unsupported);
    EXPECT_EQ(read_public_key(as_view("no key")).error().code, Errc::bad_request);
}

} // namespace
} // namespace tamga::signing

// signing/to_be_signed.hpp: what a key may sign, to the last octet.
#include "signing/cms.hpp"
#include "signing/der.hpp"
#include "signing/to_be_signed.hpp"
#include "signing/xml.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <openssl/rand.h>

namespace tamga::signing {
namespace {

constexpr std::int64_t now = 1'790'000'000;
Algorithm const& rsa = algorithm(KeyAlgorithm::rsa);

Bytes attributes_at(std::int64_t time) {
    return *prepare_cms(rsa_signer().certificate, sha256(as_view("hi")), time);
}

Bytes signed_info_of(std::string_view xml, XmlTarget const& target = {}) {
    auto document = XmlDocument::parse(xml, target);
    EXPECT_TRUE(document) << (document ? "" : document.error().detail);
    auto const to_be_signed = document->prepare(rsa_signer().certificate, sha256(*document->canonical()));
    EXPECT_TRUE(to_be_signed) << (to_be_signed ? "" : to_be_signed.error().detail);
    return *to_be_signed;
}

std::string with(std::string text, std::string_view what, std::string_view instead) {
    return text.replace(text.find(what), what.size(), instead);
}

TEST(SignedAttributes, SayWhatTheyCommitTo) {
    auto const commitment = parse_signed_attributes(attributes_at(now), rsa);

    ASSERT_TRUE(commitment) << commitment.error().detail;
    EXPECT_EQ(commitment->digest, sha256(as_view("hi")));
    EXPECT_EQ(commitment->certificate, rsa_signer().certificate.fingerprint());
    EXPECT_EQ(commitment->signing_time, now);
}

TEST(SignedAttributes, KnowBothTimesOfTheStandard) {
    for (std::int64_t const time : {-631152000LL, 0LL, 946684799LL, 2524607999LL, 2524608000LL, 253402300799LL}) {
        auto const commitment = parse_signed_attributes(attributes_at(time), rsa);

        ASSERT_TRUE(commitment) << time;
        EXPECT_EQ(commitment->signing_time, time);
    }
    EXPECT_FALSE(prepare_cms(rsa_signer().certificate, sha256({}), 253402300800LL));
}

TEST(SignedAttributes, CutAnywhereAreRefused) {
    auto const octets = attributes_at(now);
    for (std::size_t size = 0; size < octets.size(); ++size) {
        EXPECT_FALSE(parse_signed_attributes(View{octets}.first(size), rsa)) << size;
    }
}

TEST(SignedAttributes, WithAnyBitOutsideTheirValuesChangedAreRefused) {
    auto const original = attributes_at(now);
    auto const meant = *parse_signed_attributes(original, rsa);

    for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
        auto octets = original;
        octets[bit / 8] ^= static_cast<unsigned char>(1 << bit % 8);
        auto const read = parse_signed_attributes(octets, rsa);
        if (!read) continue;
        EXPECT_TRUE(read->digest != meant.digest || read->certificate != meant.certificate ||
                    read->signing_time != meant.signing_time)
            << bit;
    }
}

TEST(SignedAttributes, WithAnythingMoreOrLessAreRefused) {
    auto const octets = attributes_at(now);
    auto content = View{octets};
    content = der::take(content, der::set)->content;
    std::vector<Bytes> members;
    while (auto const member = der::take(content))
        members.push_back(to_bytes(member->octets));
    ASSERT_EQ(members.size(), 4U);
    ASSERT_EQ(der::set_of(der::set, members), octets);

    for (std::size_t i = 0; i < members.size(); ++i) {
        auto fewer = members;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(parse_signed_attributes(der::set_of(der::set, fewer), rsa)) << i;
        auto more = members;
        more.push_back(members[i]);
        EXPECT_FALSE(parse_signed_attributes(der::set_of(der::set, more), rsa)) << i;
    }
    Bytes shuffled;
    for (auto i = members.size(); i-- > 0;)
        der::append(shuffled, members[i]);
    EXPECT_FALSE(parse_signed_attributes(der::element(der::set, {shuffled}), rsa));
    auto trailed = octets;
    trailed.push_back(0);
    EXPECT_FALSE(parse_signed_attributes(trailed, rsa));
}

TEST(SignedInfo, SaysWhatItCommitsTo) {
    auto const whole = parse_signed_info(signed_info_of("<a xmlns='urn:a' xmlns:b='urn:b' xml:lang='k>'/>"), rsa);
    auto const part = parse_signed_info(signed_info_of("<a><b Id='x1'/></a>", {"/a/b", "/a"}), rsa);

    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->digest, sha256(as_view("<a xmlns=\"urn:a\" xmlns:b=\"urn:b\" xml:lang=\"k>\"></a>")));
    ASSERT_TRUE(part);
    EXPECT_EQ(part->digest, sha256(as_view("<b Id=\"x1\"></b>")));
}

TEST(SignedInfo, CutAnywhereOrContinuedIsRefused) {
    auto octets = signed_info_of("<a xmlns:z='urn:z'/>");
    for (std::size_t size = 0; size < octets.size(); ++size) {
        EXPECT_FALSE(parse_signed_info(View{octets}.first(size), rsa)) << size;
    }
    octets.push_back('\n');
    EXPECT_FALSE(parse_signed_info(octets, rsa));
}

TEST(SignedInfo, OfAnyOtherShapeIsRefused) {
    std::string const good{as_text(signed_info_of("<a/>"))};
    ASSERT_TRUE(parse_signed_info(as_view(good), rsa));
    EXPECT_FALSE(parse_signed_info(as_view(good), algorithm(KeyAlgorithm::ec_p256)));

    std::string const reference =
        good.substr(good.find("<ds:Reference"), good.find("</ds:SignedInfo>") - good.find("<ds:Reference"));
    for (auto const& bad :
         {with(good, "URI=\"\"", "URI=\"http://a/\""), with(good, "URI=\"\"", "URI=\"#x\""),
          with(good, "URI=\"\"", "URI=\"\" Id=\"x\""), with(good, "</ds:SignedInfo>", reference + "</ds:SignedInfo>"),
          with(good, "rsa-sha256", "rsa-sha1"), with(good, "#WithComments", ""), with(good, "20010315\"", "20010316\""),
          with(good, "<ds:SignedInfo ", "<ds:SignedInfo Id=\"x\" "), with(good, "<ds:SignedInfo ", "<ds:SignedInfo  "),
          with(good, "xmlns:ds=", "xmlns:z=\"urn:z\" xmlns:ds="),
          with(good, "xmldsig#\"", "xmldsig#\" xmlns:ds=\"urn:z\""), with(good, "xmldsig#", "xmldsig"),
          with(good, "<ds:DigestValue>", "<ds:DigestValue> "), with(good, "<ds:Transforms>", "<!-- --><ds:Transforms>"),
          with(good, "=</ds:DigestValue>", "</ds:DigestValue>"), " " + good}) {
        EXPECT_FALSE(parse_signed_info(as_view(bad), rsa)) << bad;
    }
}

TEST(MeaningfulForm, IsFoundInSignedAttributesOfAnyKind) {
    auto const ours = attributes_at(now);
    ASSERT_EQ(ours.size(), 165U);
    auto const foreign = der::element(
        der::set, {der::element(der::sequence, {der::oid("1.2.3.4"), der::element(der::set, {as_view("\x05\x00")})})});
    auto longer = ours;
    longer.push_back('x');

    EXPECT_TRUE(is_meaningful_form(ours));
    EXPECT_TRUE(is_meaningful_form(foreign));
    EXPECT_TRUE(is_meaningful_form(longer));
    EXPECT_TRUE(is_meaningful_form(View{ours}.first(100)));
}

TEST(MeaningfulForm, IsFoundInSignedInfoHoweverItBegins) {
    std::string const ours{as_text(signed_info_of("<a/>"))};
    for (auto const& text :
         {ours, " \r\n\t" + ours, "\xef\xbb\xbf" + ours, "<?xml version=\"1.0\"?>\n" + ours, "<!-- > --><?p >?>" + ours,
          "<!DOCTYPE x>" + ours, std::string{"<SignedInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">"},
          std::string{"<x:SignedInfo\n"}, std::string{"<SignedInfo/>"}, std::string{"<dsig:SignedInfo"}}) {
        EXPECT_TRUE(is_meaningful_form(as_view(text))) << text;
    }
}

TEST(MeaningfulForm, IsFoundInRequestsAndCertificatesOfOpenssl) {
    test::Scratch scratch;
    auto const made = scratch.attempt(
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=T -outform DER -out csr && "
        "openssl asn1parse -inform DER -in csr -strparse $(openssl asn1parse -inform DER -in csr | sed -n "
        "'2s/^ *\\([0-9]*\\):.*/\\1/p') -noout -out info");
    ASSERT_EQ(made.status, 0) << made.output;
    auto info = scratch.read_octets("info");
    View certificate{rsa_signer().certificate.der()};
    auto content = der::take(certificate)->content;
    auto tbs = to_bytes(der::take(content)->octets);

    EXPECT_TRUE(is_meaningful_form(info));
    EXPECT_TRUE(is_meaningful_form(tbs));
    info.push_back('x');
    tbs.push_back('x');
    EXPECT_TRUE(is_meaningful_form(info)) << "with junk behind it";
    EXPECT_TRUE(is_meaningful_form(tbs)) << "with junk behind it";
    tbs.resize(200);
    EXPECT_TRUE(is_meaningful_form(tbs)) << "cut";
}

TEST(MeaningfulForm, IsFoundInOurOwnAuthenticateStructure) {
    EXPECT_TRUE(is_meaningful_form(as_view("TAMGA-AUTHENTICATE-v1\norigin https://example.kz")));
}

TEST(MeaningfulForm, IsFoundInWhatLogsInOverTlsOrSsh) {
    auto const tls13 = std::string(64, ' ') + "TLS 1.3, client CertificateVerify" + '\0' + std::string(32, 'h');
    auto const tls12 = std::string{"\x01\x00\x00\xfc\x03\x03", 6} + std::string(252, 'r');
    auto const ssh = std::string{"\0\0\0\x20", 4} + std::string(32, 'i') + "\x32" + std::string{"\0\0\0\4root", 8};

    EXPECT_TRUE(is_meaningful_form(as_view(tls13)));
    EXPECT_TRUE(is_meaningful_form(as_view(tls12)));
    EXPECT_TRUE(is_meaningful_form(as_view(ssh)));
    EXPECT_TRUE(is_meaningful_form(as_view("SSHSIG\0\0\0\4file")));
    EXPECT_FALSE(is_meaningful_form(as_view(std::string(64, ' '))));
}

TEST(MeaningfulForm, IsNotFoundInWhatPeopleSign) {
    for (std::string_view const text :
         {"", "1", "10", "0", "<", "</", "<a>", "login=test", "{\"nonce\":\"MTIz\"}", "%PDF-1.7\n%\xe2\xe3\xcf\xd3",
          "<login><time>1</time></login>", "<?xml version=\"1.0\"?><doc><SignedInfo/></doc>", "SignedInfo",
          "<SignedInformation/>", "Привет", "1111111111111111", "0000000000000000000000000000000"}) {
        EXPECT_FALSE(is_meaningful_form(as_view(text))) << text;
    }
    for (int i = 0; i < 10'000; ++i) {
        std::array<unsigned char, 32> random{};
        RAND_bytes(random.data(), random.size());
        ASSERT_FALSE(is_meaningful_form(random)) << to_hex(random);
    }
    EXPECT_FALSE(is_meaningful_form(rsa_signer().certificate.der()));
}

// ---- signing in ----

SignIn const portal{"https://portal.test", to_bytes(as_view("sixteen octets!!"))};

TEST(SignInStatement, SaysWhatItCommitsTo) {
    auto const request = *sign_in_request(portal);
    auto const statement = sign_in_statement(request, rsa_signer().certificate.fingerprint(), now);

    auto const commitment = parse_sign_in_statement(statement, rsa);

    ASSERT_TRUE(commitment) << commitment.error().detail;
    EXPECT_EQ(commitment->digest, sha256(request));
    EXPECT_EQ(commitment->certificate, rsa_signer().certificate.fingerprint());
    EXPECT_EQ(commitment->signing_time, now);
    EXPECT_EQ(parse_sign_in_request(request)->origin, portal.origin);
    EXPECT_TRUE(is_meaningful_form(statement)) << "never raw";
    EXPECT_EQ(as_text(statement), "TAMGA-AUTHENTICATE-v1\norigin https://portal.test\n"
                                  "challenge c2l4dGVlbiBvY3RldHMhIQ==\ncertificate " +
                                      to_hex(rsa_signer().certificate.fingerprint()) + "\ntime 1790000000\n");
}

TEST(SignInStatement, CutChangedOrLengthenedIsRefused) {
    auto const statement = sign_in_statement(*sign_in_request(portal), rsa_signer().certificate.fingerprint(), now);
    for (std::size_t size = 0; size < statement.size(); ++size)
        EXPECT_FALSE(parse_sign_in_statement(View{statement}.first(size), rsa)) << size;
    auto longer = statement;
    longer.push_back('\n');
    EXPECT_FALSE(parse_sign_in_statement(longer, rsa));

    auto const text = std::string{as_text(statement)};
    for (auto const& [what, instead] :
         std::vector<std::pair<std::string, std::string>>{{"v1", "v2"},
                                                          {"origin ", "origin  "},
                                                          {"origin https", "origin \nhttps"},
                                                          {"challenge ", "Challenge "},
                                                          {"HMhIQ==", "HMhIR=="}, // base64 with bits nobody reads
                                                          {"\ntime 1", "\ntime +1"},
                                                          {"\ntime 1", "\ntime 01"},
                                                          {"\ntime", "\r\ntime"}}) {
        ASSERT_NE(text.find(what), std::string::npos) << what;
        EXPECT_FALSE(parse_sign_in_statement(as_view(with(text, what, instead)), rsa)) << what;
    }
    auto upper = text;
    std::ranges::transform(upper.begin() + static_cast<std::ptrdiff_t>(text.find("certificate ") + 12), upper.end(),
                           upper.begin() + static_cast<std::ptrdiff_t>(text.find("certificate ") + 12),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_FALSE(parse_sign_in_statement(as_view(upper), rsa));
}

TEST(SignInRequest, TakesChallengesThatCannotBeGuessedAndOriginsThatAreOne) {
    for (auto const& origin : {std::string{}, std::string{"https://a b"}, std::string{"https://a\nb"},
                               std::string{"https://\xd0\xb0"}, "https://" + std::string(600, 'a')}) {
        EXPECT_FALSE(sign_in_request({origin, portal.challenge})) << origin.substr(0, 40);
    }
    EXPECT_FALSE(sign_in_request({portal.origin, Bytes(15)}));
    EXPECT_FALSE(sign_in_request({portal.origin, Bytes(1025)}));
    EXPECT_TRUE(sign_in_request({portal.origin, Bytes(1024)}));
    EXPECT_FALSE(parse_sign_in_request(to_bytes(as_view("TAMGA-AUTHENTICATE-v1\norigin https://portal.test\n"))));
}

TEST(RunningDigest, IsThatOfTheWholeHoweverItCame) {
    Bytes const octets(100'000, 'x');
    for (auto const algorithm : {DigestAlgorithm::sha256, DigestAlgorithm::streebog512, DigestAlgorithm::streebog256}) {
        auto running = RunningDigest::begin(algorithm);
        ASSERT_TRUE(running);
        for (std::size_t at = 0, size = 1; at < octets.size(); at += size, size = size * 3 + 1)
            running->add(View{octets}.subspan(at, std::min(size, octets.size() - at)));
        EXPECT_EQ(*running->finish(), *digest(algorithm, octets));
    }
    EXPECT_FALSE(RunningDigest::begin(DigestAlgorithm::gost34311));
}

} // namespace
} // namespace tamga::signing

// Verification: what is good, what is bad, and what cannot be told, for every algorithm and both formats.
#include "signing/verify.hpp"

#include "base/base64.hpp"
#include "signing/certificate_file.hpp"
#include "signing/cms.hpp"
#include "signing/crl.hpp"
#include "signing/ocsp.hpp"
#include "signing/xml.hpp"
#include "tests/support/services.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <filesystem>
#include <fstream>
#include <map>

namespace tamga::signing {
namespace {

constexpr std::int64_t now = 1'790'000'000;
View const content = as_view("Өтініш: келісемін");

test::Authority const& services(test::KeyKind kind) {
    static auto& all = *new std::map<test::KeyKind, test::Authority>; // OpenSSL is gone when statics go
    if (!all.contains(kind)) all.emplace(kind, test::make_services(kind));
    return all.at(kind);
}

Certificate parsed(test::TestKey const& key) {
    return *Certificate::parse(key.certificate);
}

struct Citizen {
    test::TestKey key;
    Certificate certificate;
};
Citizen make_citizen(test::KeyKind kind, std::int64_t not_after = 4'000'000'000) {
    auto key = test::make_certificate({.key = kind, .not_after = not_after}, &services(kind).issuer);
    auto certificate = parsed(key);
    return {std::move(key), certificate};
}

Bytes cms_of(Citizen const& by, Encapsulation encapsulation, ExistingCms const* existing = nullptr,
             std::int64_t at = now) {
    auto const hashed = digest(by.certificate.algorithm().digest, content);
    auto const to_be_signed = prepare_cms(by.certificate, *hashed, at);
    return *finish_cms(by.certificate, *to_be_signed, by.key.sign(*to_be_signed), content, encapsulation, existing);
}

Bytes stamped(Bytes const& cms, test::Authority const& authority, std::int64_t at) {
    std::vector<StampedValue> stamps;
    auto const signers = unstamped_signers(cms);
    for (auto const& signer : *signers) {
        auto const query = query_timestamp(signer.algorithm->digest, signer.value, "");
        stamps.push_back(
            {signer.value, read_timestamp_reply(*query, test::answer_timestamp(authority, query->der, at), at)->token});
    }
    return *attach_timestamps(cms, stamps);
}

std::string xml_of(Citizen const& by, std::string const& text, XmlTarget const& target = {}) {
    auto document = XmlDocument::parse(text, target);
    auto const hashed = digest(by.certificate.algorithm().digest, *document->canonical());
    auto const to_be_signed = document->prepare(by.certificate, *hashed);
    return *document->finish(by.key.sign(*to_be_signed));
}

class Verify : public testing::TestWithParam<test::KeyKind> {
protected:
    Verify() {
        m_settings.trusted = TrustSet{{parsed(services(GetParam()).root), parsed(services(GetParam()).issuer)}};
        m_settings.revocation = RevocationCache{m_scratch / "revocation"};
        m_settings.now = now;
        know_revocation(m_citizen.certificate, {Revocation::good, 0, now, now + 1000});
    }
    void know_revocation(Certificate const& certificate, RevocationStatus const& status) const {
        EXPECT_TRUE(m_settings.revocation.store(certificate, status));
    }
    [[nodiscard]] Report report_of(View file, std::optional<View> given = {}) const {
        auto report = verify_document(file, given, m_settings);
        EXPECT_TRUE(report) << (report ? "" : report.error().detail);
        return report ? *report : Report{};
    }

    test::Scratch const m_scratch;
    Citizen const m_citizen = make_citizen(GetParam());
    VerifySettings m_settings;
};
INSTANTIATE_TEST_SUITE_P(Keys, Verify,
                         testing::Values(test::KeyKind::rsa_2048, test::KeyKind::ec_p256, test::KeyKind::gost2015_512,
                                         test::KeyKind::gost2015_256, test::KeyKind::gost2004));

TEST_P(Verify, ACmsIsGoodAsDerAsPemAndAsBase64) {
    auto const cms = cms_of(m_citizen, Encapsulation::attached);
    auto const one_line = to_base64(cms);
    auto const pem = "-----BEGIN CMS-----\n" + to_base64_lines(cms, 64) + "-----END CMS-----\n";

    for (auto const& file : {as_text(cms), std::string_view{pem}, std::string_view{one_line}}) {
        auto const report = report_of(as_view(file));
        ASSERT_EQ(report.signers.size(), 1U);
        EXPECT_EQ(report.verdict(), Verdict::good) << report.signers[0].chain.detail;
        EXPECT_EQ(report.signers[0].certificate->iin(), "123456789011");
        EXPECT_EQ(report.signers[0].claimed_time, now);
    }
}

TEST_P(Verify, ADetachedCmsNeedsItsContent) {
    auto const cms = cms_of(m_citizen, Encapsulation::detached);

    EXPECT_EQ(report_of(cms, content).verdict(), Verdict::good);
    EXPECT_EQ(report_of(cms).verdict(), Verdict::unsettled);
    EXPECT_FALSE(report_of(cms).signers[0].content_seen);
    EXPECT_EQ(report_of(cms, as_view("another")).verdict(), Verdict::bad);
    EXPECT_EQ(report_of(cms_of(m_citizen, Encapsulation::attached), as_view("another")).verdict(), Verdict::bad);
}

TEST_P(Verify, AFlippedBitOfTheContentOrOfWhatWasSignedIsBad) {
    auto const cms = cms_of(m_citizen, Encapsulation::attached);
    auto const text = std::string{as_text(cms)};
    for (auto const at : {text.find(as_text(content)), text.size() - 1}) {
        auto flipped = cms;
        flipped[at] ^= 1;
        EXPECT_EQ(report_of(flipped).verdict(), Verdict::bad) << at;
    }
}

TEST_P(Verify, XmlIsGoodUntilItIsChanged) {
    auto const xml = xml_of(m_citizen, "<a><b Id=\"x\">1</b><!-- said --></a>");
    EXPECT_EQ(report_of(as_view(xml)).verdict(), Verdict::good);
    EXPECT_EQ(report_of(as_view(xml)).form, SignedForm::xml);

    auto changed = xml;
    changed.replace(changed.find(">1<"), 3, ">2<");
    EXPECT_EQ(report_of(as_view(changed)).verdict(), Verdict::bad);

    auto const by_id = xml_of(m_citizen, "<a><b Id=\"x\">1</b><c/></a>", {"/a/b", "/a/c"});
    auto const report = report_of(as_view(by_id));
    EXPECT_TRUE(report.signers[0].signature) << report.signers[0].signature.error().detail;
    EXPECT_EQ(report.signers[0].coverage, Coverage::part);
    EXPECT_EQ(report.verdict(), Verdict::unsettled) << "of <c/> nobody has said anything";
    EXPECT_EQ(report.signers[0].covers, std::vector<std::string>{"x"});
}

TEST_P(Verify, SeveralSignersAreJudgedEachForItself) {
    auto const other = make_citizen(GetParam());
    auto const first = cms_of(m_citizen, Encapsulation::attached);
    auto const existing = ExistingCms::recognise(first);
    auto const both = report_of(cms_of(other, Encapsulation::attached, &*existing));
    ASSERT_EQ(both.signers.size(), 2U);
    EXPECT_EQ(both.verdict(), Verdict::unsettled) << "of the other nothing is known about revocation";
    EXPECT_TRUE(both.signers[0].signature && both.signers[1].signature);

    auto const twice = xml_of(other, xml_of(m_citizen, "<a>1</a>"));
    auto const report = report_of(as_view(twice));
    ASSERT_EQ(report.signers.size(), 2U);
    EXPECT_TRUE(report.signers[0].signature) << report.signers[0].signature.error().detail;
    EXPECT_TRUE(report.signers[1].signature) << report.signers[1].signature.error().detail;
}

TEST_P(Verify, WhatIsNotKnownIsNotCalledInvalid) {
    auto const cms = cms_of(m_citizen, Encapsulation::attached);
    auto unknown = m_settings;
    unknown.revocation = RevocationCache{{}};
    EXPECT_EQ(verify_document(cms, {}, unknown)->verdict(), Verdict::unsettled);
    unknown = m_settings;
    unknown.trusted = TrustSet{};
    auto const report = verify_document(cms, {}, unknown);
    EXPECT_EQ(report->verdict(), Verdict::unsettled);
    EXPECT_EQ(report->signers[0].chain.state, ChainState::issuer_missing);
}

TEST_P(Verify, ARevokedCertificateIsBadUnlessAStampProvesThatTheSignatureWasThereBefore) {
    know_revocation(m_citizen.certificate, {Revocation::revoked, now - 1000, now, 0});
    auto const cms = cms_of(m_citizen, Encapsulation::attached);

    EXPECT_EQ(report_of(cms).verdict(), Verdict::bad);
    EXPECT_EQ(report_of(stamped(cms, services(GetParam()), now - 5000)).verdict(), Verdict::good);
    EXPECT_EQ(report_of(stamped(cms, services(GetParam()), now - 500)).verdict(), Verdict::bad);
    auto const stranger = test::make_services(test::KeyKind::ec_p256);
    EXPECT_EQ(report_of(stamped(cms, stranger, now - 5000)).verdict(), Verdict::bad) << "a stamp that proves nothing";
}

TEST_P(Verify, AnExpiredCertificateIsJudgedAsOfTheStampOrAStatedTime) {
    auto const expired = make_citizen(GetParam(), 1'750'000'000);
    know_revocation(expired.certificate, {Revocation::good, 0, now, now + 1000});
    auto const cms = cms_of(expired, Encapsulation::attached, nullptr, 1'740'000'000);

    EXPECT_EQ(report_of(cms).verdict(), Verdict::bad);
    EXPECT_EQ(report_of(stamped(cms, services(GetParam()), 1'740'000'000)).verdict(), Verdict::good);
    m_settings.at = 1'740'000'000;
    EXPECT_EQ(report_of(cms).verdict(), Verdict::good);
}

TEST(VerifyDocuments, SayWhatIsNoSignedDocument) {
    VerifySettings const settings;
    EXPECT_EQ(verify_document(as_view("plain text"), {}, settings).error().code, Errc::bad_request);
    EXPECT_EQ(verify_document(as_view("<a/>"), {}, settings).error().code, Errc::xml_target);
    EXPECT_EQ(verify_document(as_view("<a>"), {}, settings).error().code, Errc::xml_malformed);
}

TEST(VerifyDocuments, S21ASignatureOverSha1IsNotVerified) {
    test::Scratch const scratch;
    scratch.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=OLD -out cert.pem 2>/dev/null && "
                "echo text > text && openssl cms -sign -md sha1 -in text -signer cert.pem -inkey key.pem -outform DER "
                "-nodetach -out old.cms");
    auto const report = verify_document(scratch.read_octets("old.cms"), {}, {});
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->signers[0].signature);
    EXPECT_EQ(report->signers[0].signature.error().code, Errc::mechanism_unsupported);
}

TEST(VerifyDocuments, WhatOpensslSignsWithSha512IsVerified) {
    test::Scratch const scratch;
    scratch.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=OTHER -out cert.pem 2>/dev/null && "
        "echo text > text && openssl cms -sign -md sha512 -binary -in text -signer cert.pem -inkey key.pem "
        "-outform DER -out other.cms && openssl cms -sign -md sha256 -nosmimecap -keyid -in text -signer "
        "cert.pem -inkey key.pem -outform PEM -nodetach -out keyid.pem");
    auto const other = verify_document(scratch.read_octets("other.cms"), scratch.read_octets("text"), {});
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->signers[0].signature) << other->signers[0].signature.error().detail;
    auto const by_key = verify_document(scratch.read_octets("keyid.pem"), {}, {});
    ASSERT_TRUE(by_key);
    EXPECT_TRUE(by_key->signers[0].signature) << by_key->signers[0].signature.error().detail;
}

/// The inputs the fuzz targets begin with, cut off and with bits turned: what each parser says of them is its own
/// affair.
TEST(Parsers, S30BearWhatIsCutOffOrTurned) {
    auto const issuer = parsed(services(test::KeyKind::ec_p256).issuer);
    auto const leaf = make_citizen(test::KeyKind::ec_p256).certificate;
    auto const ocsp = query_ocsp(leaf, issuer);
    auto const stamp = query_timestamp(DigestAlgorithm::sha256, content, "");
    std::size_t files = 0;
    for (auto const* folder : {"signed_data", "timestamp", "revocation", "certificates"}) {
        for (auto const& file : std::filesystem::directory_iterator{test::data_folder() / "../fuzz/corpus" / folder}) {
            std::ifstream stream{file.path(), std::ios::binary};
            std::string const whole{std::istreambuf_iterator<char>{stream}, {}};
            ++files;
            for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
                auto turned = whole;
                turned[at] = static_cast<char>(turned[at] ^ 0x21);
                for (auto const& text : {whole.substr(0, at), turned}) {
                    auto const octets = as_view(text);
                    EXPECT_FALSE(read_timestamp_reply(*stamp, octets, now));
                    EXPECT_FALSE(read_ocsp_reply(*ocsp, octets, leaf, issuer, now));
                    EXPECT_FALSE(read_crl(octets, issuer));
                    auto const report = verify_document(octets, {}, {});
                    EXPECT_TRUE(!report || report->verdict() != Verdict::good);
                    static_cast<void>(read_certificate_file(octets));
                }
            }
        }
    }
    EXPECT_GE(files, 12U);
}

TEST(VerifyXml, S22AWrappedElementIsNotTakenForTheSignedOne) {
    auto const citizen = make_citizen(test::KeyKind::ec_p256);
    auto signed_text = xml_of(citizen, "<a><b Id=\"x\">pay 1</b><c/></a>", {"/a/b", "/a/c"});
    auto const element = std::string{"<b Id=\"x\">pay 1</b>"};
    auto const wrapped = signed_text.replace(signed_text.find(element), element.size(),
                                             "<b Id=\"x\">pay 1000</b><wrap>" + element + "</wrap>");

    auto const signers = check_xml_signatures(as_view(wrapped));
    ASSERT_TRUE(signers);
    EXPECT_FALSE(signers->front().signature);
    EXPECT_EQ(signers->front().signature.error().detail, "an Id occurs twice");
}

} // namespace
} // namespace tamga::signing

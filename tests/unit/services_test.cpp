// Catalogues of services: what is read, whom they are believed from, what is remembered of them; and the gate.
#include "policy/service_book.hpp"

#include "signing/cms.hpp"
#include "signing/digest.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace tamga::policy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t now = 1'790'000'000; // 2026-09-21
constexpr std::int64_t a_year = 365 * 86'400;

std::string sample() {
    std::ostringstream text;
    text << std::ifstream{TAMGA_TEST_DATA "/services/sample.toml"}.rdbuf();
    return text.str();
}

std::string with(std::string text, std::string_view from, std::string_view to) {
    auto const place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return text.replace(place, from.size(), to);
}

std::string version(unsigned number) {
    return with(sample(), "version = 1", "version = " + std::to_string(number));
}

Bytes signed_by(test::TestKey const& key, std::string const& text,
                signing::Encapsulation encapsulation = signing::Encapsulation::attached,
                signing::ExistingCms const* existing = nullptr) {
    auto const signer = *signing::Certificate::parse(key.certificate);
    auto const hashed = *signing::digest(signer.algorithm().digest, as_view(text));
    auto const to_be_signed = *signing::prepare_cms(signer, hashed, now);
    return *signing::finish_cms(signer, to_be_signed, key.sign(to_be_signed), as_view(text), encapsulation, existing);
}

// ---- what is read ----

TEST(Catalogue, OfTheSampleHasEveryOutcome) {
    auto const catalogue = parse_catalogue(sample());

    ASSERT_TRUE(catalogue) << catalogue.error().detail;
    std::set<Method> methods;
    for (auto const& service : catalogue->services)
        methods.insert(classify(service.criteria, service.flags, service.channel).method);
    EXPECT_EQ(methods.size(), 4U);
    EXPECT_EQ(catalogue->id, "sample-body/sample");
    EXPECT_EQ(catalogue->services.front().id, "sample-body/address-certificate");
    EXPECT_EQ(catalogue->services.front().classified_on, "2026-01-01");
    EXPECT_EQ(catalogue->valid_until, 4'102'444'799) << "the last second of the day";
    EXPECT_EQ(catalogue->services[3].roles, (std::vector<std::string>{"1.2.398.3.3.4.1.2.1", "1.2.398.3.3.4.1.2.2"}));
}

TEST(Catalogue, AsksForAnOrganisationsCertificateWhereAServiceIsForOrganisationsAlone) {
    auto const catalogue = parse_catalogue(with(sample(), "roles = [\"first_head\", \"signatory\"]\n", ""));

    EXPECT_EQ(catalogue->services[3].roles, (std::vector<std::string>{"1.2.398.3.3.4.1.2"}));
    EXPECT_TRUE(catalogue->services[5].roles.empty());
}

TEST(Catalogue, IsRefusedWholeForOneFaultAndSaysWhere) {
    struct Fault {
        char const* from;
        char const* to;
        char const* said;
    };
    for (auto const& [from, to, said] :
         {Fault{"format = 1", "format = 2", "format: "},
          Fault{"format = 1", "", "format: "},
          Fault{"body = \"sample-body\"", "body = \"Sample\"", "catalogue.body: "},
          Fault{"version = 1", "version = 0", "catalogue.version: "},
          Fault{"version = 1", "version = 1\nlegal_force = true", "catalogue.legal_force: unknown"},
          Fault{"V1600013191-2019", "V1600013191-2031", "catalogue.edition: "},
          Fault{"valid_until = 2099-12-31", "valid_until = 2025-12-31", "catalogue.valid_until: before"},
          Fault{"valid_until = 2099-12-31", "valid_until = \"2099-12-31\"", "catalogue.valid_until: a day"},
          Fault{"valid_until = 2099-12-31", "valid_until = 2099-02-30", "line "},
          Fault{"id = \"no-criminal-record\"", "id = \"address-certificate\"", "service.id: a second"},
          Fault{"id = \"no-criminal-record\"", "id = \"other-body/record\"", "service.id: a to z"},
          Fault{", en = \"Issue of an address certificate (sample)\"", "", "service.name.en: "},
          Fault{"(образец)", "(\\u202E)", "service.name.ru: "},
          Fault{"\"Sample provider\"", "'Үлгі'", "service.provider.en: "},
          Fault{"format = 1", "format = 1\nатауы = 1", "line "},
          Fault{"format = 1", "format = 1 # \xff", "UTF-8"},
          Fault{"format = 1", "[[[", "line "},
          Fault{"minutes = 10", "minutes = -1", "minutes: "},
          Fault{"minutes = 10", "minutes = 1.5", "minutes: "},
          Fault{"risk = false", "risk = \"no\"", "criteria.risk: "},
          Fault{"recipients = [\"people\"]", "recipients = []", "service.recipients: "},
          Fault{"recipients = [\"people\"]", "recipients = [\"robots\"]", "service.recipients: "},
          Fault{"channel = \"portal\"", "channel = \"fax\"", "service.channel: "},
          Fault{"\"certificate.portal.test\"", "\"*.portal.test\"", "service.origins: "},
          Fault{"\"certificate.portal.test\"", "\"https://certificate.portal.test\"", "service.origins: "},
          Fault{"\"first_head\"", "\"king\"", "service.roles: "},
          Fault{"permit = true", "permits = true", "unknown"}}) {
        auto const catalogue = parse_catalogue(with(sample(), from, to));

        ASSERT_FALSE(catalogue) << to;
        EXPECT_EQ(catalogue.error().code, Errc::config_invalid);
        EXPECT_NE(catalogue.error().detail.find(said), std::string::npos) << to << ": " << catalogue.error().detail;
        EXPECT_TRUE(catalogue.error().detail.starts_with("line ")) << catalogue.error().detail;
    }
}

// ---- whom it is believed from ----

class Catalogues : public testing::Test {
protected:
    Catalogues() {
        for (auto const* folder : {"etc/publishers.d", "etc/services.d"})
            fs::create_directories(m_scratch / folder);
        publish("sample-body", m_publisher);
    }

    void publish(std::string const& body, test::TestKey const& key, std::string const& file = "sample") {
        m_scratch.write("etc/publishers.d/" + file + ".pem", test::certificate_pem(key.certificate));
        m_scratch.write("etc/publishers.d/" + file + ".toml", "[[publisher]]\nbody = \"" + body +
                                                                  "\"\nname = { kk = \"Үлгі\", ru = \"Образец\", en = "
                                                                  "\"Sample\" }\ncertificate = \"" +
                                                                  file + ".pem\"\n");
    }
    void put(Bytes const& cms, std::string const& file = "a") const {
        m_scratch.write("etc/services.d/" + file + ".services", as_text(cms));
    }
    [[nodiscard]] ServiceBook book(std::int64_t at = now, Remembering remembering = Remembering::kept) const {
        ServiceBook book{m_folders, UserCatalogues::counted, remembering};
        testing::internal::CaptureStderr();
        book.refresh(at);
        m_log = testing::internal::GetCapturedStderr();
        return book;
    }
    /// Why a file is refused; fails where it is not.
    [[nodiscard]] std::string refusal(Bytes const& cms, std::int64_t at = now) const {
        put(cms);
        auto const read = book(at);
        EXPECT_EQ(read.in_effect().size(), 0U);
        if (read.refused().size() != 1) return "not refused";
        EXPECT_NE(m_log.find("services_refused"), std::string::npos) << m_log;
        return std::string{name_of(read.refused().front().refused.why)};
    }
    [[nodiscard]] static std::vector<std::uint64_t> versions(ServiceBook const& book) {
        std::vector<std::uint64_t> versions;
        for (auto const& each : book.in_effect())
            versions.push_back(each.verified.catalogue.version);
        return versions;
    }

    test::Scratch m_scratch;
    ServiceFolders m_folders{{}, m_scratch / "etc", m_scratch / "home", m_scratch / "memory"};
    test::TestKey m_publisher =
        test::make_certificate({.key = test::KeyKind::ec_p256, .common_name = "ИЗДАТЕЛЬ-ОБРАЗЕЦ"});
    test::TestKey m_stranger = test::make_certificate({.key = test::KeyKind::ec_p256, .common_name = "ПОСТОРОННИЙ"});
    mutable std::string m_log;
};

TEST_F(Catalogues, SignedByTheirPublisherAreInEffect) {
    put(signed_by(m_publisher, sample()));

    auto const read = book();

    ASSERT_EQ(read.in_effect().size(), 1U) << m_log;
    EXPECT_EQ(read.services().size(), 6U);
    EXPECT_EQ(read.services().front().body.en, "Sample");
    EXPECT_TRUE(read.refused().empty());
}

TEST_F(Catalogues, OfNobodyAreBelievedWhereNoPublisherIsConfigured) {
    fs::remove(m_scratch / "etc/publishers.d/sample.toml");

    EXPECT_EQ(refusal(signed_by(m_publisher, sample())), "publisher");
}

TEST_F(Catalogues, WithOneFlippedBitAreRefused) {
    auto const good = signed_by(m_publisher, sample());
    unsigned refused = 0;

    // Everywhere in the text, the certificate and the signature: what was signed is one or the other.
    for (std::size_t place = 0; place < good.size(); place += 97) {
        auto bad = good;
        bad[place] ^= 0x04;
        auto const publisher = *signing::Certificate::parse(m_publisher.certificate);
        auto const judged = judge_catalogue(bad, {{"sample-body", {}, publisher}}, signing::RevocationCache{{}}, now);
        auto const* verified = std::get_if<Verified>(&judged);
        // Nothing that was not signed can change what is read.
        if (verified != nullptr)
            EXPECT_EQ(verified->digest, to_hex(signing::sha256(as_view(sample())))) << place;
        else
            ++refused;
    }

    EXPECT_GT(refused, good.size() / 97 * 9 / 10);
    auto text_changed = good;
    auto const place = std::ranges::search(text_changed, std::string_view{"minutes = 10"}).begin();
    *(place + 10) = '9';
    EXPECT_EQ(refusal(text_changed), "signature");
}

TEST_F(Catalogues, OfAStrangerUnsignedOrSignedTwiceAreRefused) {
    auto const once = signed_by(m_publisher, sample());
    auto const existing = signing::ExistingCms::recognise(once);

    EXPECT_EQ(refusal(signed_by(m_stranger, sample())), "publisher");
    EXPECT_EQ(refusal(to_bytes(as_view(sample()))), "not_signed");
    EXPECT_EQ(refusal({}), "not_signed");
    EXPECT_EQ(refusal(signed_by(m_publisher, sample(), signing::Encapsulation::detached)), "not_signed");
    EXPECT_EQ(refusal(signed_by(m_stranger, sample(), signing::Encapsulation::attached, &*existing)), "not_signed");
}

TEST_F(Catalogues, OfAnotherBodyThanThePublishersAreRefused) {
    publish("another-body", m_stranger, "another");

    EXPECT_EQ(refusal(signed_by(m_stranger, sample())), "other_body");
    EXPECT_EQ(refusal(signed_by(m_publisher, with(sample(), "\"sample-body\"", "\"another-body\""))), "other_body");
}

TEST_F(Catalogues, BeforeAndAfterTheirTimeAreRefused) {
    auto const text = with(sample(), "valid_until = 2099-12-31", "valid_until = 2026-12-31");
    auto const cms = signed_by(m_publisher, text);

    EXPECT_EQ(refusal(cms, now - a_year), "not_yet_valid");
    EXPECT_EQ(refusal(cms, now + a_year), "expired");
    EXPECT_EQ(book(now).in_effect().size(), 1U);
}

TEST_F(Catalogues, OfAPublisherWhoseCertificateHasExpiredOrWasRevokedAreRefused) {
    auto const past = test::make_certificate({.not_after = now - 1});
    publish("sample-body", past);

    EXPECT_EQ(refusal(signed_by(past, sample())), "publisher");

    publish("sample-body", m_publisher);
    auto const certificate = *signing::Certificate::parse(m_publisher.certificate);
    signing::RevocationCache const cache{m_scratch / "revocation"};
    ASSERT_TRUE(cache.store(certificate, {signing::Revocation::revoked, now - 10, now, now + 1000}));
    auto const judged =
        judge_catalogue(signed_by(m_publisher, sample()), {{"sample-body", {}, certificate}}, cache, now);
    ASSERT_TRUE(std::holds_alternative<Refused>(judged));
    EXPECT_EQ(std::get<Refused>(judged).why, Refusal::publisher);
}

TEST_F(Catalogues, WithAFaultInWhatWasSignedAreRefused) {
    EXPECT_EQ(refusal(signed_by(m_publisher, with(sample(), "permit = true", "permits = true"))), "malformed");
}

TEST_F(Catalogues, ThatOthersCouldWriteAreRefused) {
    auto const cms = signed_by(m_publisher, sample());
    put(cms);
    fs::permissions(m_scratch / "etc/services.d/a.services", fs::perms{0666});

    auto const read = book();

    ASSERT_EQ(read.refused().size(), 1U);
    EXPECT_EQ(read.refused().front().refused.why, Refusal::unreadable);
}

// ---- what is remembered ----

TEST_F(Catalogues, OfAnEarlierVersionAreRefusedAndTheLastGoodOneStays) {
    put(signed_by(m_publisher, version(3)));
    EXPECT_EQ(versions(book()), (std::vector<std::uint64_t>{3}));

    put(signed_by(m_publisher, version(2)));
    auto const read = book();

    EXPECT_EQ(versions(read), (std::vector<std::uint64_t>{3}));
    EXPECT_TRUE(read.in_effect().front().is_copy);
    ASSERT_EQ(read.refused().size(), 1U);
    EXPECT_EQ(read.refused().front().refused.why, Refusal::older);
}

TEST_F(Catalogues, OfTheSameVersionThatSaySomethingElseAreRefused) {
    put(signed_by(m_publisher, version(3)));
    ASSERT_EQ(book().in_effect().size(), 1U);

    put(signed_by(m_publisher, with(version(3), "minutes = 10", "minutes = 11")));
    EXPECT_EQ(book().refused().front().refused.why, Refusal::changed);

    put(signed_by(m_publisher, version(3)));
    EXPECT_TRUE(book().refused().empty()) << "signed anew is the same";
}

TEST_F(Catalogues, ThatBreakLeaveTheLastGoodOneInEffectUntilTheirFileIsTakenAway) {
    put(signed_by(m_publisher, sample()));
    ASSERT_EQ(book().in_effect().size(), 1U);

    put(to_bytes(as_view("half a file")));
    auto const broken = book();
    EXPECT_EQ(broken.services().size(), 6U);
    EXPECT_TRUE(broken.in_effect().front().is_copy);
    EXPECT_EQ(broken.refused().size(), 1U);

    fs::remove(m_scratch / "etc/services.d/a.services");
    EXPECT_TRUE(book().services().empty());
    put(to_bytes(as_view("half a file")));
    EXPECT_TRUE(book().services().empty()) << "nor does it come back with another broken one";

    put(signed_by(m_publisher, sample()));
    ASSERT_EQ(book().in_effect().size(), 1U);
    fs::remove(m_scratch / "etc/publishers.d/sample.toml");
    EXPECT_TRUE(book().services().empty()) << "the copy needs its publisher too";
}

TEST_F(Catalogues, AreRememberedAlthoughTheirFileWasTakenAway) {
    put(signed_by(m_publisher, version(3)));
    ASSERT_EQ(book().in_effect().size(), 1U);
    fs::remove(m_scratch / "etc/services.d/a.services");
    ASSERT_TRUE(book().services().empty());

    put(signed_by(m_publisher, version(2)), "elsewhere");
    auto const read = book();

    EXPECT_TRUE(read.services().empty());
    ASSERT_EQ(read.refused().size(), 1U);
    EXPECT_EQ(read.refused().front().refused.why, Refusal::older);
}

TEST_F(Catalogues, ThatAreOnlyLookedAtAreNotRemembered) {
    put(signed_by(m_publisher, version(3)));
    ASSERT_EQ(book(now, Remembering::looked_at).in_effect().size(), 1U);

    EXPECT_FALSE(fs::exists(m_scratch / "memory"));
    EXPECT_EQ(m_log, "");
}

TEST_F(Catalogues, InSeveralFilesCountByTheirLatestVersion) {
    put(signed_by(m_publisher, version(2)), "b");
    put(signed_by(m_publisher, version(4)), "c");
    put(signed_by(m_publisher, version(3)), "d");

    auto const read = book();

    EXPECT_EQ(versions(read), (std::vector<std::uint64_t>{4}));
    EXPECT_EQ(read.refused().size(), 2U);
}

TEST_F(Catalogues, CannotTakeAServiceOfAnother) {
    put(signed_by(m_publisher, sample()));
    put(signed_by(m_publisher, with(sample(), "name = \"sample\"", "name = \"second\"")), "b");

    auto const read = book();

    ASSERT_EQ(read.refused().size(), 1U);
    EXPECT_EQ(read.refused().front().refused.why, Refusal::taken);
    EXPECT_EQ(read.services().size(), 6U);
}

TEST_F(Catalogues, OfThePersonAreLeftOutWhereTheComputerSaysSo) {
    fs::create_directories(m_scratch / "home/services.d");
    m_scratch.write("home/services.d/a.services", as_text(signed_by(m_publisher, sample())));
    EXPECT_EQ(book().services().size(), 6U);

    ServiceBook without{m_folders, UserCatalogues::left_out, Remembering::looked_at};
    without.refresh(now);

    EXPECT_TRUE(without.services().empty());
}

TEST_F(Catalogues, AreReadAnewWhereTheyChangedAndNotElse) {
    put(signed_by(m_publisher, version(1)));
    auto read = book();
    put(signed_by(m_publisher, version(2)));

    testing::internal::CaptureStderr();
    read.refresh(now);
    auto const changed = testing::internal::GetCapturedStderr();
    testing::internal::CaptureStderr();
    read.refresh(now + 1);
    auto const unchanged = testing::internal::GetCapturedStderr();

    EXPECT_EQ(versions(read), (std::vector<std::uint64_t>{2}));
    EXPECT_NE(changed, "");
    EXPECT_EQ(unchanged, "");
}

TEST_F(Catalogues, SurviveADamagedMemory) {
    put(signed_by(m_publisher, version(3)));
    ASSERT_EQ(book().in_effect().size(), 1U);
    m_scratch.write("memory/seen.toml", "[[[");

    EXPECT_EQ(versions(book()), (std::vector<std::uint64_t>{3}));
    EXPECT_NE(m_log.find("services_memory"), std::string::npos);
}

// ---- the gate ----

KnownServices known_services(std::int64_t valid_until = now + 1) {
    KnownServices known;
    auto const catalogue = parse_catalogue(sample());
    for (auto const& service : catalogue->services) {
        known.push_back({service,
                         classify(service.criteria, service.flags, service.channel),
                         {"Үлгі", "Образец", "Sample"},
                         catalogue->id,
                         now - 1,
                         valid_until});
    }
    return known;
}

Asking from(std::string_view origin) {
    return {origin, Language::en, now};
}

Errc refused(Result<Passed> const& passed) {
    return passed ? Errc::internal : passed.error().code;
}

TEST(ServiceGate, AsksForTheSignatureThatAServiceNeeds) {
    auto const passed =
        judge_service(known_services(), "sample-body/address-change", from("https://address.portal.test"));

    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->shown.classified, ipc::Classified::eds);
    EXPECT_EQ(passed->shown.name, "Registration of a new address (sample)");
    EXPECT_EQ(passed->shown.body, "Sample");
    EXPECT_FALSE(passed->shown.inferred);
    EXPECT_TRUE(passed->roles.empty());
}

TEST(ServiceGate, TakesASignatureInThePlaceOfAOneTimePassword) {
    auto const passed =
        judge_service(known_services(), "sample-body/no-criminal-record", from("https://record.portal.test"));

    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->shown.classified, ipc::Classified::one_time_password);
}

TEST(ServiceGate, AsksForNoSignatureThatIsNotNeeded) {
    EXPECT_EQ(refused(judge_service(known_services(), "sample-body/address-certificate",
                                    from("https://certificate.portal.test"))),
              Errc::eds_not_required);
}

TEST(ServiceGate, SaysWhereTheLawNamesNoMethod) {
    auto const passed = judge_service(known_services(), "sample-body/queue", from("https://queue.portal.test"));

    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->shown.classified, ipc::Classified::no_method);
}

TEST(ServiceGate, KnowsWhoMaySignForAPermit) {
    auto const passed =
        judge_service(known_services(), "sample-body/pharmacy-licence", from("https://licence.portal.test"));

    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->roles.size(), 2U);
}

TEST(ServiceGate, RefusesAServiceThatIsUnknownOrWhoseCatalogueHasEnded) {
    auto const asking = from("https://address.portal.test");

    EXPECT_EQ(refused(judge_service(known_services(), "sample-body/nothing", asking)), Errc::service_unknown);
    EXPECT_EQ(refused(judge_service(known_services(), "", asking)), Errc::service_unknown);
    EXPECT_EQ(refused(judge_service(known_services(now - 1), "sample-body/address-change", asking)),
              Errc::service_unknown);
}

TEST(ServiceGate, S20RefusesASiteThatTheServiceDoesNotBelongTo) {
    for (auto const* origin :
         {"https://record.portal.test", "http://address.portal.test", "https://address.portal.test:8443",
          "https://address.portal.test.", "https://ADDRESS.portal.test", "null", ""}) {
        EXPECT_EQ(refused(judge_service(known_services(), "sample-body/address-change", from(origin))),
                  Errc::service_origin)
            << origin;
    }
}

TEST(ServiceGate, TakesANamelessRequestForTheOnlyServiceOfItsSite) {
    auto const known = known_services();

    auto const passed = judge_unnamed(known, Unclassified::refused, from("https://address.portal.test"));
    ASSERT_TRUE(passed);
    EXPECT_TRUE(passed->shown.inferred);
    EXPECT_EQ(passed->shown.classified, ipc::Classified::eds);
    EXPECT_EQ(refused(judge_unnamed(known, Unclassified::shown, from("https://certificate.portal.test"))),
              Errc::eds_not_required);
}

TEST(ServiceGate, ShowsThatANamelessRequestIsUnclassifiedOrRefusesItInStrictMode) {
    for (auto const* origin : {"https://services.portal.test", "https://elsewhere.test"}) {
        auto const shown = judge_unnamed(known_services(), Unclassified::shown, from(origin));
        ASSERT_TRUE(shown) << origin;
        EXPECT_EQ(shown->shown.classified, ipc::Classified::unclassified);
        EXPECT_TRUE(shown->shown.name.empty());
        EXPECT_EQ(refused(judge_unnamed(known_services(), Unclassified::refused, from(origin))), Errc::service_unknown);
    }
}

} // namespace
} // namespace tamga::policy

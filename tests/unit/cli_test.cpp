// What `tamga verify` and `tamga ca` say, where, and with which exit code. The files are openssl's.
#include "cli/authorities.hpp"
#include "cli/printable.hpp"
#include "cli/verify.hpp"
#include "protocol/json_file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <sstream>

namespace tamga::cli {
namespace {

struct Said {
    int code = -1;
    std::string report;
    std::string errors;
};

// ---- what others wrote ----

TEST(PrintableJson, S10_HasNothingThatATerminalObeysAndReadsAsItWas) {
    std::string const title = "b\u009b31m \u202e \U000e0041 қазақ \n \x1b[2J";

    auto const json = printable_json(Tree{}.add("title", title));

    EXPECT_EQ(json, R"({"title":"b\u009b31m \u202e \udb40\udc41 қазақ \n \u001b[2J"})");
    EXPECT_EQ(protocol::read_json(json)->text("title"), title);
}

// ---- verify ----

class VerifyCommand : public testing::Test {
protected:
    VerifyCommand() {
        // Issued, not signed by himself, whom nobody believes.
        m_scratch.run(
            "{ openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca-key.pem -subj "
            "/CN=ISSUER -out ca.pem && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
            "-keyout key.pem -subj /CN=SIGNER -out request.pem && openssl x509 -req -in request.pem -CA ca.pem "
            "-CAkey ca-key.pem -CAcreateserial -out cert.pem; } 2>/dev/null && echo text > text && "
            "echo other > other");
    }
    void sign(std::string const& options) const {
        m_scratch.run("openssl cms -sign -binary -in text -signer cert.pem -inkey key.pem " + options);
    }
    [[nodiscard]] Said verify(std::string const& file, Language language = Language::en,
                              std::optional<std::string> const& content = {},
                              ReportForm form = ReportForm::words) const {
        VerifyRequest request{language, m_scratch / file, {}, {}, form};
        if (content) request.content = m_scratch / *content;
        request.settings.now = std::time(nullptr);
        std::ostringstream report;
        std::ostringstream errors;
        auto const code = run_verify(request, report, errors);
        return {code, report.str(), errors.str()};
    }

    test::Scratch const m_scratch;
};

TEST(TimeOfVerify, IsADayOrATimeThatExists) {
    EXPECT_EQ(time_from("2028-02-29"), 1'835'395'200);
    EXPECT_EQ(time_from("2028-02-29T01:00:01Z"), 1'835'398'801);
    for (auto const* text : {"2026-02-31", "2026-02-29", "2026-13-01", "2026-04-31T10:00:00Z", "2026-01-01T24:00:00Z",
                             "2026-01-01T10:00:60Z", "26-1-1", " 2026-01-01", "2026-01-01T10:00:00", "now"})
        EXPECT_FALSE(time_from(text)) << text;
}

TEST_F(VerifyCommand, SaysInThePersonsLanguageWhyASignatureIsNotValid) {
    sign("-outform DER -out detached");
    EXPECT_NE(verify("detached", Language::en, "other").report.find("the content is not what was signed"),
              std::string::npos);
    auto const russian = verify("detached", Language::ru, "other");
    EXPECT_EQ(russian.code, 1);
    EXPECT_NE(russian.report.find("ПОДПИСЬ НЕДЕЙСТВИТЕЛЬНА: содержимое не то, что было подписано."), std::string::npos);
    EXPECT_NE(verify("detached", Language::kk, "other").report.find("мазмұны қол қойылған мазмұн емес"),
              std::string::npos);
    EXPECT_NE(verify("detached", Language::en, "other", ReportForm::json)
                  .report.find(R"("detail":"the content is not what was signed")"),
              std::string::npos);

    auto flipped = m_scratch.read_octets("detached");
    flipped.back() ^= 1;
    m_scratch.write("flipped", flipped);
    EXPECT_NE(verify("flipped", Language::en, "text").report.find("not made with the key of this certificate"),
              std::string::npos);

    sign("-nodetach -outform DER -out attached");
    EXPECT_NE(verify("attached", Language::en, "other").report.find("given with --content is not what was signed"),
              std::string::npos);
}

TEST_F(VerifyCommand, S10_ANameThatATerminalWouldObeyIsShownWithoutIt) {
    m_scratch.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout odd-key.pem -utf8 "
                  "-subj \"/CN=$(printf 'X\\033[8m\\342\\200\\256')\" -out odd.pem 2>/dev/null && openssl cms -sign "
                  "-binary -nodetach -in text -signer odd.pem -inkey odd-key.pem -outform DER -out odd");
    auto const said = verify("odd");

    EXPECT_NE(said.report.find("X?[8m?"), std::string::npos) << said.report;
    EXPECT_EQ(said.report.find('\x1b'), std::string::npos);
}

TEST_F(VerifyCommand, NamesTheAlgorithmThatIsNotAccepted) {
    sign("-md sha1 -nodetach -outform DER -out old");

    auto const said = verify("old");

    EXPECT_EQ(said.code, 3);
    EXPECT_NE(said.report.find("its digest algorithm (SHA1) is not supported, or not safe any more"), std::string::npos)
        << said.report;
    EXPECT_NE(verify("old", Language::en, {}, ReportForm::json).report.find(R"("unsupportedAlgorithm":"SHA1")"),
              std::string::npos);
}

TEST_F(VerifyCommand, NamesTheIssuerAsTheIssuer) {
    sign("-nodetach -outform PEM -out attached");

    EXPECT_NE(verify("attached").report.find("Certificate issued by ISSUER, valid from"), std::string::npos);
}

TEST_F(VerifyCommand, TellsAFileThatCannotBeOpenedFromOneThatIsNotValid) {
    sign("-outform DER -out detached");
    for (auto const& said : {verify("none"), verify("."), verify("detached", Language::en, "none")}) {
        EXPECT_EQ(said.code, 4);
        EXPECT_EQ(said.report, "");
        EXPECT_NE(said.errors.find("cannot be read."), std::string::npos) << said.errors;
    }
    auto const json = verify("none", Language::en, {}, ReportForm::json);
    EXPECT_EQ(json.code, 4);
    EXPECT_NE(json.report.find(R"("verdict":"unread","error":"system")"), std::string::npos) << json.report;

    auto const plain = verify("text");
    EXPECT_EQ(plain.code, 1);
    EXPECT_EQ(plain.report, "");
    EXPECT_NE(plain.errors.find("CMS is read as DER, PEM or base64"), std::string::npos);
}

TEST_F(VerifyCommand, RefusesAContentBesideXmlBeforeItJudges) {
    m_scratch.write("xml", std::string_view{"<a/>"});

    auto const said = verify("xml", Language::en, "text");

    EXPECT_EQ(said.code, 2);
    EXPECT_NE(said.errors.find("--content is for CMS"), std::string::npos);
    EXPECT_EQ(verify("xml").errors, "There is no signature in this XML document.\n");
}

TEST_F(VerifyCommand, TellsHowToTakeTheCmsOutOfAMessageAndReadsWhatComesOfThat) {
    for (auto const* options : {"-out mail", "-nodetach -out mail"}) {
        sign(options);
        auto const said = verify("mail");
        EXPECT_EQ(said.code, 1);
        std::string command = "openssl cms -cmsout -in FILE -outform DER -out FILE.der";
        ASSERT_NE(said.errors.find(command), std::string::npos) << said.errors;

        for (auto at = command.find("FILE"); at != std::string::npos; at = command.find("FILE"))
            command.replace(at, 4, "mail");
        m_scratch.run(command);

        EXPECT_EQ(verify("mail.der", Language::en, "text").code, 3) << "its issuer is not known";
    }
}

// ---- ca ----

class CaCommand : public testing::Test {
protected:
    CaCommand() {
        authority("P-256", "KNOWN");
        authority("P-384", "STRANGE");
    }
    void authority(std::string const& curve, std::string const& name) const {
        m_scratch.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:" + curve + " -nodes -keyout " + name +
                      ".key -subj /CN=" + name + " -out " + name + ".pem 2>/dev/null");
    }
    template <class Command, class... Arguments>
    Said say(Command command, Arguments const&... arguments) const {
        std::ostringstream report;
        std::ostringstream errors;
        auto const code =
            command(AuthoritySettings{Language::en, {{}, {}, m_scratch / "ca"}}, arguments..., report, errors);
        return {code, report.str(), errors.str()};
    }
    [[nodiscard]] Said add(std::string const& file) const { return say(add_authorities, m_scratch / file); }
    [[nodiscard]] Said remove(std::string const& beginning) const { return say(remove_authority, beginning); }
    [[nodiscard]] std::string list() const {
        return say([](auto const& settings, std::ostream& report, std::ostream&) {
                   return list_authorities(settings, report);
               })
            .report;
    }

    test::Scratch const m_scratch;
};

TEST_F(CaCommand, SaysThatNobodyIsTrusted) {
    EXPECT_EQ(list(), "No authority is trusted. To add one: tamga ca add FILE\n");
}

TEST_F(CaCommand, SaysThatAKindOfKeyIsNotSupportedAndAddsTheRestOfABundle) {
    auto const alone = add("STRANGE.pem");
    EXPECT_EQ(alone.code, 1);
    EXPECT_EQ(alone.errors, "Left out, because the kind of key is not supported: STRANGE.\nNothing was added.\n");

    m_scratch.run("cat STRANGE.pem KNOWN.pem > bundle.pem");
    auto const bundle = add("bundle.pem");
    EXPECT_EQ(bundle.code, 0);
    EXPECT_EQ(bundle.errors, "Left out, because the kind of key is not supported: STRANGE.\n");
    EXPECT_NE(bundle.report.find("KNOWN"), std::string::npos);
    EXPECT_NE(list().find("KNOWN"), std::string::npos);
    EXPECT_EQ(list().find("STRANGE"), std::string::npos);
}

TEST_F(CaCommand, ReadsPkcs7InBothForms) {
    for (auto const* form : {"PEM", "DER"}) {
        m_scratch.run(std::string{"rm -rf ca && openssl crl2pkcs7 -nocrl -certfile KNOWN.pem -certfile STRANGE.pem "
                                  "-out chain.p7b -outform "} +
                      form);
        auto const said = add("chain.p7b");
        EXPECT_EQ(said.code, 0) << said.errors;
        EXPECT_NE(said.errors.find("STRANGE"), std::string::npos);
        EXPECT_NE(list().find("KNOWN"), std::string::npos) << form;
    }
}

TEST_F(CaCommand, NamesTheFormsItReads) {
    m_scratch.write("text", std::string_view{"text"});

    auto const said = add("text");

    EXPECT_EQ(said.code, 1);
    EXPECT_EQ(said.report, "");
    EXPECT_NE(said.errors.find("PEM, DER and PKCS#7 (.p7b) are read"), std::string::npos) << said.errors;
    EXPECT_NE(add("none").errors.find("cannot be read."), std::string::npos);
}

TEST_F(CaCommand, TakesBackWhatIsNamedWellEnough) {
    auto const added = add("KNOWN.pem").report;
    auto const fingerprint = added.substr(added.find("SHA-256 ") + 8, 95);

    auto const few = remove(fingerprint.substr(0, 2));
    EXPECT_EQ(few.code, 2);
    EXPECT_EQ(few.errors, "Name the authority by its SHA-256: the first 8 digits or more.\n");
    EXPECT_EQ(remove("no digits").code, 2);
    auto const other = remove("0123456789abcdef");
    EXPECT_EQ(other.code, 1);
    EXPECT_NE(other.errors.find("None of the authorities you added"), std::string::npos);

    EXPECT_EQ(remove(fingerprint.substr(0, 11)).code, 0);
    EXPECT_EQ(remove(fingerprint).code, 1);
}

TEST_F(CaCommand, LeavesAFileThatItDidNotMake) {
    m_scratch.run(
        "mkdir -m 700 ca && cp KNOWN.pem ca/mine.pem && openssl x509 -in KNOWN.pem -noout -fingerprint -sha256 "
        "| sed 's/.*=//' | tr -d '\\n' > fingerprint");

    auto const said = remove(m_scratch.read("fingerprint"));

    EXPECT_EQ(said.code, 1);
    EXPECT_NE(said.errors.find("was not made by this command"), std::string::npos) << said.errors;
    EXPECT_NE(list().find("KNOWN"), std::string::npos);
}

} // namespace
} // namespace tamga::cli

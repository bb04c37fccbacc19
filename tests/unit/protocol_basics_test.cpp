// protocol/ncalayer: the basics module, and what of errors reaches a page.
#include "base/base64.hpp"
#include "tests/unit/protocol_requests.hpp"

#include <fstream>
#include <sstream>

namespace tamga::protocol::ncalayer {
namespace {

// basics.

TEST(Basics, SaysWhatOrgJsonSaysOfMissingAndWrongArguments) {
    auto const details = [](std::string frame) {
        return std::string{json::parse(answer_to(std::move(frame))).at("details").as_string()};
    };
    std::string const prefix = "org.json.JSONException: ";

    EXPECT_EQ(
        answer_to(basics(R"("signingParams":555)")),
        R"({"code":"INVOCATION_ERROR","details":"org.json.JSONException: JSONObject[\"signingParams\"] is not a JSONObject.","message":"An invoked method threw an exception.","status":false})");
    EXPECT_EQ(details(basics("")), prefix + R"(JSONObject["signingParams"] not found.)");
    EXPECT_EQ(details(basics(R"("signingParams":{})")), prefix + R"(JSONObject["signerParams"] not found.)");
    EXPECT_EQ(details(basics("", any_key, R"("data":"x")")), prefix + R"(JSONObject["format"] not found.)");
    EXPECT_EQ(details(basics("", "", one_cms)), prefix + R"(JSONObject["extKeyUsageOids"] not found.)");
    EXPECT_EQ(details(basics("", R"("extKeyUsageOids":"x")", one_cms)),
              prefix + R"(JSONObject["extKeyUsageOids"] is not a JSONArray.)");
    EXPECT_EQ(details(basics("", any_key, R"("format":"cms")")), prefix + R"(JSONObject["data"] not found.)");
    EXPECT_EQ(details(basics("", any_key, R"("format":"cms","data":["x",5])")),
              prefix + R"(JSONObject["data"] is not a string.)");
    EXPECT_EQ(details(basics(R"("decode":3)", any_key, one_cms)), prefix + R"(JSONObject["decode"] is not a Boolean.)");
}

TEST(Basics, KnowsOneMethodAndOneVersion) {
    EXPECT_EQ(
        answer_to(R"({"module":"kz.gov.pki.knca.basics","method":"generateCsr","args":{}})"),
        R"({"code":"GENERAL_ERROR","details":"generateCsr is not defined in kz.gov.pki.knca.basics","message":"General error.","status":false})");
    EXPECT_TRUE(contains(answer_to(R"({"module":"kz.gov.pki.knca.basics","method":"sign","apiVersion":1,"args":{}})"),
                         "GENERAL_ERROR"));
    EXPECT_TRUE(
        contains(answer_to(R"({"module":"kz.gov.pki.knca.basics","method":"sign"})"), R"("code":"GENERAL_ERROR")"));
}

TEST(Basics, WritesToNoTokenWhoseArgumentsNobodyKnows) {
    for (std::string const method : {"generateCsr", "importCertificate"}) {
        auto const said = answer_to(
            R"({"module":"kz.gov.pki.knca.basics","method":")" + method +
            R"(","args":{"allowedStorages":["AKKaztokenStore"],"certificate":"AAAA","keyType":"SIGNATURE"}})");
        EXPECT_EQ(said, R"({"code":"GENERAL_ERROR","details":")" + method +
                            R"( is not defined in kz.gov.pki.knca.basics","message":"General error.","status":false})");
    }
}

TEST(Basics, NamesTheCharacterThatIsNoBase64) {
    EXPECT_EQ(
        answer_to(basics(R"("decode":true)", any_key, R"("format":"cms","data":"SGVs-bG8=")")),
        R"({"code":"SIGNING_FAILURE","details":"java.lang.IllegalArgumentException: Illegal base64 character 2d","message":"Signing has failed.","status":false})");
    EXPECT_TRUE(contains(answer_to(basics(R"("decode":true)", any_key, R"("format":"cms","data":"SGVs\nbG8=")")),
                         "Illegal base64 character a\""));
}

TEST(Basics, SignsTheTextItselfAttachedWhereNothingElseIsSaid) {
    auto const sign = sign_of(basics("", any_key, one_cms));

    EXPECT_EQ(as_text(sign.documents.at(0)), "MTEK");
    EXPECT_TRUE(sign.attached);
    EXPECT_FALSE(sign.cosign);
    EXPECT_TRUE(sign.storages.empty());
}

TEST(Basics, TakesBooleansAsStrings) {
    auto const sign = sign_of(basics(
        R"("decode":"true","encapsulate":"false","digested":"false","tsaProfile":null,"allowExpired":"true","outputCert":"")",
        R"("extKeyUsageOids":[],"iin":"","bin":"","serialNumber":"","chain":null)", one_cms));

    EXPECT_EQ(as_text(sign.documents.at(0)), "11\n");
    EXPECT_FALSE(sign.attached);
    EXPECT_TRUE(sign.filter.allow_expired);
}

TEST(Basics, FiltersByPersonOrganisationAndSerialNumber) {
    auto const sign = sign_of(basics(
        "",
        R"("extKeyUsageOids":["1.3.6.1.5.5.7.3.4","1.2.398.3.3.4.1.2"],"iin":"123456789011","bin":"210987654321","serialNumber":"00AbCd","chain":[])",
        one_cms));

    EXPECT_EQ(sign.filter.extended_key_usages.size(), 2U);
    EXPECT_EQ(sign.filter.iin, "123456789011");
    EXPECT_EQ(sign.filter.bin, "210987654321");
    EXPECT_EQ(sign.filter.serial_number, "abcd");
    EXPECT_EQ(sign.purpose, ipc::Purpose::sign);
    EXPECT_EQ(sign_of(basics("", R"("extKeyUsageOids":["1.3.6.1.5.5.7.3.2"])", one_cms)).purpose,
              ipc::Purpose::sign_in);
}

TEST(Basics, ReadsStoragesInEveryFormPagesSend) {
    auto const storages_of = [](std::string value) {
        return sign_of(basics("", any_key, R"("allowedStorages":)" + value + "," + std::string{one_cms})).storages;
    };

    EXPECT_TRUE(storages_of("null").empty());
    EXPECT_TRUE(storages_of("[]").empty());
    EXPECT_EQ(storages_of(R"("AKKaztokenStore")"), std::vector<std::string>{"AKKaztokenStore"});
    EXPECT_EQ(storages_of(R"("PKCS12, AKAKEYStore")"), (std::vector<std::string>{"PKCS12", "AKAKEYStore"}));
    EXPECT_EQ(storages_of(R"(["JKS","Floppy"])"), std::vector<std::string>{"JKS"});
    EXPECT_TRUE(contains(answer_to(basics("", any_key, R"("allowedStorages":["Floppy"],)" + std::string{one_cms})),
                         R"("details":"storage.unknown")"));
}

TEST(Basics, RefusesWhatItCannotSignAsAsked) {
    auto const refused = [](std::string frame) {
        return std::string{json::parse(answer_to(std::move(frame))).at("details").as_string()};
    };
    std::string many = R"("format":"cms","data":["")";
    for (std::size_t i = 0; i < max_documents; ++i)
        many += R"(,"")";

    EXPECT_EQ(refused(basics("", any_key, R"("format":"pdf","data":"")")), "unsupported");
    EXPECT_EQ(refused(basics("", any_key, R"("format":"cms","data":[])")), "unsupported");
    EXPECT_EQ(refused(basics("", any_key, many + "]")), "too_large");
    EXPECT_EQ(refused(basics("", any_key, R"("logo":")" + std::string(50'001, 'A') + R"(",)" + std::string{one_cms})),
              "too_large");
    EXPECT_EQ(refused(basics(R"("tsaProfile":{})", any_key, R"("format":"xml","data":"<a/>")")), "unsupported");
    EXPECT_EQ(refused(basics(R"("tsaProfile":{})", any_key, R"("format":"raw","data":"a")")), "unsupported");
    EXPECT_EQ(refused(basics(R"("digested":true)", any_key, R"("format":"raw","data":"MTEK")")), "raw_refused");
    EXPECT_EQ(refused(basics(R"("digested":true)", any_key, R"("format":"xml","data":"<a/>")")), "unsupported");
    EXPECT_EQ(refused(basics(R"("digested":true,"decode":true)", any_key, one_cms)), "digest_length");
}

TEST(Basics, SignsADigestDetached) {
    auto const sign = sign_of(basics(R"("digested":true,"decode":true)", any_key,
                                     R"("format":"cms","data":")" + to_base64(Bytes(32, 7)) + '"'));

    EXPECT_TRUE(sign.digested);
    EXPECT_FALSE(sign.attached);
}

TEST(Basics, TakesXmlAsTextOrAsBase64) {
    EXPECT_EQ(
        as_text(sign_of(basics(R"("decode":"true")", any_key, R"("format":"xml","data":" <a/>")")).documents.at(0)),
        " <a/>");
    EXPECT_EQ(
        as_text(sign_of(basics(R"("decode":"true")", any_key, R"("format":"xml","data":"PGEvPg==")")).documents.at(0)),
        "<a/>");
}

TEST(Basics, NamesTheLanguageOfItsWindow) {
    EXPECT_EQ(parse(basics("", any_key, R"("locale":"kk",)" + std::string{one_cms})).language, Language::kk);
    EXPECT_EQ(parse(basics("", any_key, one_cms)).language, std::nullopt);
}

TEST(Basics, AnswersInAnArrayWithPemAround) {
    Reply const reply{.shape = Reply::Shape::basics, .uuid = {}, .format = Format::cms};

    auto const text = render(reply, Outcome{SignedDocuments{{Bytes(49, 0)}, {}}});

    EXPECT_EQ(text, R"({"body":{"result":["-----BEGIN CMS-----\n)" + std::string(64, 'A') +
                        R"(\nAA==\n-----END CMS-----\n"]},"status":true})");
}

TEST(Basics, ReturnsRawSignaturesWithTheCertificateWhereAsked) {
    Reply reply{.shape = Reply::Shape::basics, .uuid = {}, .format = Format::raw};
    SignedDocuments const documents{{Bytes{1, 2, 3}, Bytes{4}}, Bytes{5}};

    EXPECT_EQ(render(reply, Outcome{documents}), R"({"body":{"result":["AQID","BA=="]},"status":true})");
    reply.with_certificate = true;
    EXPECT_EQ(
        render(reply, Outcome{documents}),
        R"({"body":{"result":{"signatures":["AQID","BA=="],"certificate":"-----BEGIN CERTIFICATE-----\nBQ==\n-----END CERTIFICATE-----\n"}},"status":true})");
}

// Errors, and what of them reaches a page.

TEST(ErrorReplies, AreTheCancelFormForWhatThePersonDecided) {
    for (auto const code : {Errc::user_cancelled, Errc::site_refused}) {
        EXPECT_EQ(render_error(Reply::Shape::common_cms, code), R"({"code":"500","message":"action.canceled"})");
        EXPECT_EQ(render_error(Reply::Shape::basics, code), R"({"body":{},"status":true})");
    }
}

TEST(ErrorReplies, HaveTheOriginalsWordsWhereItHasAny) {
    EXPECT_EQ(render_error(Reply::Shape::common_cms, Errc::token_absent),
              R"({"code":"500","message":"storage.empty"})");
    EXPECT_EQ(render_error(Reply::Shape::common_cms, Errc::storage_unknown),
              R"({"code":"500","message":"storage.unknown"})");
    EXPECT_EQ(render_error(Reply::Shape::basics, Errc::pin_locked),
              R"({"code":"SIGNING_FAILURE","details":"pin_locked","message":"Signing has failed.","status":false})");
}

TEST(ErrorReplies, KeepTheDetailOfEveryErrorButThePagesOwnXml) {
    for (std::size_t i = 0; i < errc_count; ++i) {
        auto const code = static_cast<Errc>(i);
        for (auto const shape : {Reply::Shape::common_xml, Reply::Shape::basics}) {
            EXPECT_EQ(contains(render_error(shape, code), "secret detail"), code == Errc::xml_malformed)
                << wire_name(code);
        }
    }
}

TEST(ErrorReplies, TakeTheirPlaceWhereAnOutcomeDoesNotFitItsRequest) {
    EXPECT_EQ(render({.shape = Reply::Shape::common_tokens, .uuid = {}}, Outcome{SignedDocuments{}}),
              R"({"code":"500","message":"internal"})");
    EXPECT_EQ(render({.shape = Reply::Shape::common_cms, .uuid = {}}, Outcome{SignedDocuments{}}),
              R"({"code":"500","message":"internal"})");
}

TEST(ErrorReplies, AreAllInTheManual) {
    std::ifstream file{TAMGA_SOURCE_DIR "/docs/errors.md"};
    std::ostringstream manual;
    manual << file.rdbuf();

    for (std::size_t i = 0; i < errc_count; ++i) {
        auto const heading = "\n### " + std::string{wire_name(static_cast<Errc>(i))} + "\n";
        EXPECT_TRUE(contains(manual.str(), heading)) << heading;
    }
}

TEST(JsonReplies, EscapeWhatCouldEndAScriptElementOrAString) {
    Reply const reply{.shape = Reply::Shape::common_xml, .uuid = {}};

    EXPECT_EQ(render(reply, Outcome{SignedDocuments{{to_bytes(as_view("<a>\"\\\r\n\t\x01/</a>"))}, {}}}),
              R"({"responseObject":"<a>\"\\\r\n\t\u0001/<\/a>","code":"200"})");
}

TEST(Basics, S23HeedsOfATsaProfileThatItIsThereAndNothingInIt) {
    auto const wanted =
        sign_of(basics(R"("tsaProfile":{"url":"http://evil.test/","policy":"1.2.3"})", any_key, one_cms));

    EXPECT_TRUE(wanted.timestamp);
    EXPECT_TRUE(sign_of(basics(R"("tsaProfile":{})", any_key, one_cms)).timestamp);
    for (std::string_view const unset : {"null", "\"\"", "false"}) {
        auto const profile = R"("tsaProfile":)" + std::string{unset};
        EXPECT_FALSE(sign_of(basics(profile, any_key, one_cms)).timestamp) << unset;
    }
}

TEST(Basics, TakesTheChainAsNobodysAnybodysOrTheseAuthorities) {
    auto const filter_of = [](std::string const& chain) {
        return sign_of(basics(R"("allowRevoked":"true")", R"("extKeyUsageOids":[])" + chain, one_cms)).filter;
    };

    EXPECT_TRUE(filter_of("").allow_revoked);
    EXPECT_FALSE(filter_of("").any_issuer);
    EXPECT_FALSE(filter_of(R"(,"chain":null)").any_issuer);
    EXPECT_TRUE(filter_of(R"(,"chain":[])").any_issuer);
    auto const named =
        filter_of(R"(,"chain":["MTEK","-----BEGIN CERTIFICATE-----\nMT\nEK\n-----END CERTIFICATE-----\n"])");
    EXPECT_FALSE(named.any_issuer);
    ASSERT_EQ(named.issuers.size(), 2U);
    EXPECT_EQ(named.issuers[0], named.issuers[1]);
}

} // namespace
} // namespace tamga::protocol::ncalayer

// protocol/ncalayer: how requests may be written, which module answers, commonUtils and accessory.
#include "base/base64.hpp"
#include "protocol/ncalayer/json_in.hpp"
#include "protocol/ncalayer/modules.hpp"
#include "tests/unit/protocol_requests.hpp"

namespace tamga::protocol::ncalayer {
namespace {

// How requests may be written.

TEST(RelaxedJson, IsReadAsOrgJsonReadsIt) {
    std::string const expected = R"({"a":1,"b":"x y","c":[true,null,"q\"r'"]})";
    for (char const* text : {
             R"({"a":1,"b":"x y","c":[true,null,"q\"r'"]})",
             R"({a:1,b:'x y',c:[true,null,'q"r\'']})",
             R"({a=1;b=>"x y";c:[TRUE;null,"q\"r'",],})",
             "{ a : 1 , b : x y , c : [ True, NULL, \"q\\\"r'\" ] }",
         }) {
        auto const value = parse_json(text);
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(json::serialize(*value), expected) << text;
    }
}

TEST(RelaxedJson, EndsAtWhatIsNoJsonAtAll) {
    for (char const* text : {"", "{", "[", "{a", "{a:", "{a:1", "{a:'1' b}", "{:1}", "[,1]", "'", "\"", "{\"a\\", "{}x",
                             "{a:{b}}", "]", "#"}) {
        EXPECT_FALSE(parse_json(text)) << text;
    }
}

// Without a limit 240 MB of it took 4 GB of memory.
TEST(RelaxedJson, EndsAtMoreValuesThanAnyRequestHas) {
    for (std::string const value : {"[],", "{},", "0,", "'',", "\"\",", "{a:1},"}) {
        std::string text = "[";
        for (int i = 0; i < 100'001; ++i)
            text += value;
        EXPECT_FALSE(parse_json(text + "0]")) << value;
    }
}

TEST(RelaxedJson, CountsNothingInsideStrings) {
    std::string const commas(300'000, ',');

    EXPECT_TRUE(parse_json("[\"\\\"" + commas + "\\\\\",\"" + commas + "\"]"));
    EXPECT_TRUE(parse_json("['\"" + commas + "']"));
}

TEST(RelaxedJson, StillMustBeUtf8) {
    EXPECT_FALSE(parse_json("{\"a\":\"\xff\"}"));
    EXPECT_FALSE(parse_json("{a:\xc3\x28}"));
}

TEST(RelaxedJson, RunsARequestWithUnquotedKeys) {
    auto const sign = sign_of(
        "{module: 'kz.gov.pki.knca.commonUtils', method: 'signXml', args: ['AKKaztokenStore', 'ALL', '<a/>', '', '']}");

    EXPECT_EQ(as_text(sign.documents.at(0)), "<a/>");
}

// Which module answers.

TEST(Dispatch, MeetsNonsenseWithModuleNotFound) {
    for (char const* frame :
         {"", "hello", "[]", "1", "{\"module\":1}", "{\"module\":\"kz.uchet.signUtil.commonUtils\"}",
          "{\"method\":\"getKeys\",\"args\":[]}", "\xff\xfe"}) {
        EXPECT_EQ(answer_to(frame), R"({"success":false,"errorCode":"MODULE_NOT_FOUND"})") << frame;
    }
}

TEST(Dispatch, S17MeetsTenThousandLevelsWithAnError) {
    for (std::string const level : {"[", "{\"a\":", "{a:"}) {
        std::string frame;
        for (int i = 0; i < 10'000; ++i)
            frame += level;
        EXPECT_EQ(answer_to(frame), R"({"success":false,"errorCode":"MODULE_NOT_FOUND"})");
    }
}

TEST(Dispatch, KeepsSilentAboutAnEmptyObject) {
    EXPECT_TRUE(std::holds_alternative<Silence>(parse("{}").action));
    EXPECT_TRUE(std::holds_alternative<Silence>(parse(" { } ").action));
}

TEST(Dispatch, PassesOverKeysItDoesNotKnow) {
    auto const call = parse(
        R"({"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens","lang":"ru","type":7,"requestId":null})");

    EXPECT_TRUE(std::holds_alternative<ListStorages>(call.action));
}

// commonUtils.

TEST(CommonUtils, JudgesNumberAndTypesOfArgumentsAsReflectionDoes) {
    for (auto const& [method, arguments] : {std::pair{"signXml", R"(["PKCS12"])"}, std::pair{"nothing", "[]"},
                                            std::pair{"getKeyInfo", "{}"}, std::pair{"", "[]"}}) {
        EXPECT_EQ(answer_to(common(method, arguments)),
                  R"({"code":"500","message":"NoSuchMethodException )" + std::string{method} + "\"}");
    }
    for (auto const& [method, arguments] :
         {std::pair{"getKeyInfo", "[null]"}, std::pair{"getKeyInfo", "[1]"},
          std::pair{"createCAdESFromBase64", R"(["PKCS12","","MTEK","true"])"},
          std::pair{"signXmls", R"(["PKCS12","",["<a/>",1],"",""])"}, std::pair{"changeLocale", "[2]"},
          std::pair{"applyCAdEST", R"(["PKCS12",[7],"x"])"}, std::pair{"showFileChooser", R"([null,""])"},
          std::pair{"createCAdESFromFile", R"(["PKCS12","","/etc/passwd",1])"}}) {
        EXPECT_EQ(answer_to(common(method, arguments)),
                  R"({"code":"500","message":"java.lang.IllegalArgumentException: argument type mismatch. Method: )" +
                      std::string{method} + "\"}");
    }
}

TEST(CommonUtils, NamesAnEmptyAndAnUnknownStorage) {
    EXPECT_EQ(answer_to(common("getKeyInfo", R"([""])")), R"({"code":"500","message":"storageName.param.empty"})");
    EXPECT_EQ(answer_to(common("getKeyInfo", R"(["Floppy"])")), R"({"code":"500","message":"storage.unknown"})");
}

TEST(CommonUtils, FiltersKeysByTheTwoKeyTypesOnly) {
    auto const filter_of = [](std::string type) {
        return sign_of(common("createCAdESFromBase64", R"(["AKKaztokenStore",")" + type + R"(","MTEK",true])"));
    };

    EXPECT_EQ(filter_of("SIGNATURE").filter.extended_key_usages, std::vector<std::string>{"1.3.6.1.5.5.7.3.4"});
    EXPECT_EQ(filter_of("SIGNATURE").purpose, ipc::Purpose::sign);
    EXPECT_EQ(filter_of("AUTHENTICATION").filter.extended_key_usages, std::vector<std::string>{"1.3.6.1.5.5.7.3.2"});
    EXPECT_EQ(filter_of("AUTHENTICATION").purpose, ipc::Purpose::sign_in);
    for (char const* type : {"ALL", "ANY", "123", ""})
        EXPECT_TRUE(filter_of(type).filter.extended_key_usages.empty()) << type;
}

TEST(CommonUtils, SignsADocumentAttachedOrNotAndAddsToACms) {
    auto const sign = sign_of(common("createCAdESFromBase64", R"(["AKKaztokenStore","SIGNATURE","MTEK\n",true])"));

    EXPECT_EQ(as_text(sign.documents.at(0)), "11\n");
    EXPECT_TRUE(sign.attached);
    EXPECT_TRUE(sign.cosign);
    EXPECT_FALSE(sign_of(common("createCAdESFromBase64", R"(["AKKaztokenStore","SIGNATURE","MTEK",false])")).attached);
}

TEST(CommonUtils, TakesADigestOfTheRightLengthOnly) {
    auto const with = [](std::string digest) {
        return common("createCAdESFromBase64Hash", R"(["AKKaztokenStore","SIGNATURE",")" + digest + R"("])");
    };

    auto const sign = sign_of(with(to_base64(Bytes(32, 7))));
    EXPECT_TRUE(sign.digested);
    EXPECT_FALSE(sign.attached);
    EXPECT_EQ(answer_to(with("")), R"({"code":"500"})");
    EXPECT_EQ(answer_to(with(to_base64(Bytes(31, 7)))), R"({"code":"500","message":"digest_length"})");
    EXPECT_EQ(answer_to(with("A-==")), R"({"code":"500","message":"Illegal base64 character 2d"})");
}

TEST(CommonUtils, CarriesBothXPaths) {
    auto const sign = sign_of(common("signXmls", R"(["AKKaztokenStore","SIGNATURE",["<a/>","<b/>"],"//a","/b"])"));

    EXPECT_EQ(sign.format, Format::xml);
    EXPECT_EQ(sign.documents.size(), 2U);
    EXPECT_EQ(sign.to_be_signed_xpath, "//a");
    EXPECT_EQ(sign.signature_parent_xpath, "/b");
}

TEST(CommonUtils, RefusesAnEmptyAndAnEndlessListOfDocuments) {
    std::string many = "[\"<a/>\"";
    for (std::size_t i = 0; i < max_documents; ++i)
        many += ",\"<a/>\"";

    EXPECT_EQ(answer_to(common("signXmls", R"(["AKKaztokenStore","",[],"",""])")),
              R"({"code":"500","message":"bad_request"})");
    EXPECT_EQ(answer_to(common("signXmls", R"(["AKKaztokenStore","",)" + many + R"(],"",""])")),
              R"({"code":"500","message":"too_large"})");
}

TEST(CommonUtils, StampsWhatIsCalledASignatureAndNotWhatIsCalledCades) {
    EXPECT_TRUE(sign_of(common("createCMSSignatureFromBase64", R"(["AKKaztokenStore","","MTEK",true])")).timestamp);
    EXPECT_TRUE(
        sign_of(common("createCMSSignatureFromFile", R"(["AKKaztokenStore","","tamga-file-1",true])")).timestamp);
    EXPECT_FALSE(sign_of(common("createCAdESFromBase64", R"(["AKKaztokenStore","","MTEK",true])")).timestamp);
    EXPECT_FALSE(sign_of(common("createCAdESFromFile", R"(["AKKaztokenStore","","tamga-file-1",true])")).timestamp);
}

TEST(CommonUtils, AppliesATimestampToAGivenCmsWithoutAKey) {
    auto const call = parse(common("applyCAdEST", R"(["AKKaztokenStore","","MTEK"])"));

    ASSERT_TRUE(std::holds_alternative<ApplyTimestamps>(call.action));
    EXPECT_EQ(std::get<ApplyTimestamps>(call.action).cms, to_bytes(as_view("11\n")));
    EXPECT_EQ(answer_to(common("applyCAdEST", R"(["AKKaztokenStore","","!"])")).find(R"({"code":"500")"), 0U);
}

TEST(CommonUtils, S13ReadsNoFileThatAPageNames) {
    auto const sign = sign_of(common("createCAdESFromFile", R"(["PKCS12","SIGNATURE","/etc/passwd",true])"));

    EXPECT_TRUE(sign.documents.empty());
    EXPECT_EQ(sign.file, "/etc/passwd") << "for the flow to find that it is no handle";
    EXPECT_TRUE(sign.attached && sign.cosign);
    EXPECT_EQ(answer_to(common("createCAdESFromFile", R"(["PKCS12","","",true])")),
              R"({"code":"500","message":"file.not_found"})");
    EXPECT_EQ(render_error(Reply::Shape::common_cms, Errc::file_not_found),
              R"({"code":"500","message":"file.not_found"})");
}

TEST(CommonUtils, HasThePersonChooseAFileAndGivesItsHandle) {
    auto const call = parse(common("showFileChooser", R"(["ALL","/etc"])"));

    EXPECT_TRUE(std::holds_alternative<ChooseFile>(call.action));
    EXPECT_EQ(render(call.reply, Outcome{ChosenFile{"tamga-file-1"}}),
              R"({"responseObject":"tamga-file-1","code":"200"})");
    for (char const* kind : {"DIRECTORY", "", "P12", "KEYSTORE", "JKS"}) {
        EXPECT_EQ(answer_to(common("showFileChooser", "[\"" + std::string{kind} + R"(",""])")),
                  R"({"code":"500","message":"unsupported"})")
            << kind;
    }
}

TEST(CommonUtils, ChangesTheLanguageAndSaysNothingElse) {
    auto const call = parse(common("changeLocale", R"(["kz"])"));

    EXPECT_EQ(std::get<Answer>(call.action).text, R"({"code":"200"})");
    EXPECT_EQ(call.language, Language::kk);
    EXPECT_EQ(parse(common("changeLocale", R"(["tlh"])")).language, std::nullopt);
}

TEST(CommonUtils, CopiesTheUuidIntoWhatAMethodReturned) {
    auto const call = parse(R"({"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens","uuid":"7\"8"})");

    EXPECT_EQ(render(call.reply, Outcome{Storages{{"AKKaztokenStore"}}}),
              R"({"responseObject":["AKKaztokenStore"],"code":"200","uuid":"7\"8"})");
    EXPECT_EQ(render(call.reply, Errc::user_cancelled), R"({"code":"500","message":"action.canceled","uuid":"7\"8"})");
}

TEST(CommonUtils, DescribesAKeyInStringsAlone) {
    ChosenCertificate key;
    key.subject_dn = "CN=ТЕСТОВ ТЕСТ,SERIALNUMBER=IIN123456789011,C=KZ";
    key.not_before_ms = 1754006400000;
    key.pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

    auto const text = render({.shape = Reply::Shape::common_key_info, .uuid = {}}, Outcome{key});

    auto const object = json::parse(text).at("responseObject").as_object();
    EXPECT_EQ(object.size(), 12U);
    EXPECT_EQ(object.at("certNotBefore").as_string(), "1754006400000");
    EXPECT_EQ(object.at("subjectDn").as_string(), key.subject_dn);
    EXPECT_EQ(object.at("pem").as_string(), key.pem);
}

// accessory.

TEST(Accessory, ListsWhatIsServedAndInstallsNothing) {
    auto const ask = [](std::string method) {
        return answer_to(R"({"module":"kz.gov.pki.ncalayerservices.accessory","method":")" + method +
                         R"(","symname":"kz.ecc.NurSignBundle"})");
    };

    EXPECT_EQ(json::parse(ask("getBundles")).at("kz.gov.pki.osgi.layer.websocket").as_string(), "0.4.1");
    EXPECT_FALSE(contains(ask("getBundles"), "NurSign"));
    EXPECT_EQ(
        ask("getServices"),
        R"({"services":["kz.gov.pki.knca.commonUtils","kz.gov.pki.knca.basics","kz.gov.pki.ncalayerservices.accessory"]})");
    EXPECT_EQ(ask("installBundle"), R"({"success":false,"errorCode":"MODULE_INSTALL_NOT_SUPPORTED"})");
    EXPECT_EQ(ask("showSettings"), R"({"success":false,"errorCode":"METHOD_NOT_SUPPORTED"})");
}

} // namespace
} // namespace tamga::protocol::ncalayer

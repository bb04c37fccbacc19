// protocol/ncalayer: what pages send and what they get, against the traffic recorded with the original.
#include "base/base64.hpp"
#include "protocol/ncalayer/json_in.hpp"
#include "protocol/ncalayer/modules.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tamga::protocol::ncalayer {
namespace {

namespace json = boost::json;

std::string answer_to(std::string frame) {
    auto call = parse(std::move(frame));
    auto* text = std::get_if<Answer>(&call.action);
    return text == nullptr ? "(no answer)" : text->text;
}

/// The Sign of a frame that must be one.
Sign sign_of(std::string frame) {
    auto call = parse(std::move(frame));
    auto* sign = std::get_if<Sign>(&call.action);
    if (sign != nullptr) return std::move(*sign);
    ADD_FAILURE() << std::get<Answer>(call.action).text;
    return {};
}

std::string common(std::string_view method, std::string_view arguments) {
    return R"({"module":"kz.gov.pki.knca.commonUtils","method":")" + std::string{method} + R"(","args":)" +
           std::string{arguments} + "}";
}

std::string basics(std::string_view arguments) {
    return R"({"module":"kz.gov.pki.knca.basics","method":"sign","args":{)" + std::string{arguments} + "}}";
}

/// A basics request for one document with these signingParams, signerParams and further arguments.
std::string basics(std::string_view signing, std::string_view signer, std::string_view more) {
    return basics(R"("signingParams":{)" + std::string{signing} + R"(},"signerParams":{)" + std::string{signer} + "}," +
                  std::string{more});
}

constexpr std::string_view any_key = R"("extKeyUsageOids":[])";
constexpr std::string_view one_cms = R"("format":"cms","data":"MTEK")";

std::string render_error(Reply::Shape shape, Errc code) {
    return render({.shape = shape, .uuid = {}}, Error{code, "secret detail"});
}

// What the original and a page said to each other.

struct Pair {
    std::string request;
    std::string response;
};

std::vector<Pair> recorded_pairs() {
    std::ifstream file{TAMGA_E2E_MODULES "/ncalayer-js-client/test/test-data.json"};
    std::ostringstream text;
    text << file.rdbuf();
    std::vector<Pair> pairs;
    if (text.str().empty()) return pairs;
    auto const recorded = json::parse(text.str());
    for (auto const& pair : recorded.as_array()) {
        pairs.push_back({std::string{pair.at("request").as_string()}, std::string{pair.at("response").as_string()}});
    }
    return pairs;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

constexpr std::string_view stripped_cms = "Actual signature stripped to protect private data";
constexpr std::string_view empty_pem = R"("-----BEGIN CMS-----\n-----END CMS-----\n")";

/// What is sent instead of the recorded answer: the differences that are meant, and nothing else.
std::string expected(Pair const& pair) {
    auto const succeeded = contains(pair.response, stripped_cms);
    if (contains(pair.request, "kz.digiflow"))
        return R"({"success":false,"errorCode":"MODULE_NOT_FOUND"})"; // another product
    if (contains(pair.request, "tsaProfile")) {
        return R"({"code":"INVALID_SIGNING_PARAMS","details":"not available yet: time-stamps","message":"Invalid signing parameters.","status":false})";
    }
    if (contains(pair.request, "createCMSSignatureFromBase64") && succeeded)
        return R"({"code":"500","message":"not available yet: time-stamps"})";
    if (contains(pair.request, "FromBase64Hash") && succeeded)
        return R"({"code":"500","message":"digest_length"})"; // 68 octets
    if (contains(pair.response, R"("body":{"result":"-)"))
        return replaced(pair.response, empty_pem, "[" + std::string{empty_pem} + "]");
    if (contains(pair.response, "certNotBefore")) {
        return R"({"responseObject":{"alias":"","keyId":"","algorithm":"","subjectCn":"","subjectDn":"","issuerCn":"","issuerDn":"",)"
               R"("serialNumber":"","certNotBefore":"1","certNotAfter":"0","authorityKeyIdentifier":"","pem":""},"code":"200"})";
    }
    return replaced(pair.response, stripped_cms, "AQID");
}

/// What the flow would have brought back for the recorded answer.
Result<Outcome> outcome_of(Action const& action, json::value const& response) {
    auto const& object = response.as_object();
    if (auto const* message = object.if_contains("message")) {
        auto const text = std::string{message->as_string()};
        if (text == "action.canceled") return Errc::user_cancelled;
        return Error{Errc::xml_malformed, text.substr(text.find("lineNumber"))};
    }
    if (std::holds_alternative<DescribeKey>(action)) {
        ChosenCertificate key;
        key.not_before_ms = 1;
        return Outcome{key};
    }
    auto const* body = object.if_contains("body");
    auto const* result =
        body != nullptr ? body->as_object().if_contains("result") : object.if_contains("responseObject");
    if (result == nullptr) return Errc::user_cancelled;
    std::vector<std::string> texts;
    if (result->is_string())
        texts.emplace_back(result->as_string());
    else
        for (auto const& text : result->as_array())
            texts.emplace_back(text.as_string());
    if (std::holds_alternative<ListStorages>(action)) return Outcome{Storages{texts}};
    SignedDocuments documents;
    for (auto const& text : texts) {
        documents.values.push_back(text == stripped_cms        ? Bytes{1, 2, 3}
                                   : text.starts_with("-----") ? Bytes{}
                                                               : to_bytes(as_view(text)));
    }
    return Outcome{documents};
}

TEST(RecordedTraffic, IsAnsweredOctetForOctet) {
    auto const pairs = recorded_pairs();
    ASSERT_EQ(pairs.size(), 50U) << "ncalayer-js-client is not installed: run ./dev deps";

    for (std::size_t i = 0; i < pairs.size(); ++i) {
        auto call = parse(pairs[i].request);
        auto const* answered = std::get_if<Answer>(&call.action);
        auto const reply = answered != nullptr
                               ? answered->text
                               : render(call.reply, outcome_of(call.action, json::parse(pairs[i].response)));
        EXPECT_EQ(reply, expected(pairs[i])) << "pair " << i << ": " << pairs[i].request;
    }
}

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

TEST(CommonUtils, SaysWhatIsNotAvailableYet) {
    EXPECT_EQ(answer_to(common("createCMSSignatureFromBase64", R"(["AKKaztokenStore","","MTEK",true])")),
              R"({"code":"500","message":"not available yet: time-stamps"})");
    EXPECT_EQ(answer_to(common("applyCAdEST", R"(["AKKaztokenStore","","MTEK"])")),
              R"({"code":"500","message":"not available yet: time-stamps"})");
}

TEST(CommonUtils, S13NeverTakesAPathFromAPage) {
    for (auto const& [method, arguments] :
         {std::pair{"createCAdESFromFile", R"(["AKKaztokenStore","","/etc/passwd",true])"},
          std::pair{"createCMSSignatureFromFile", R"(["AKKaztokenStore","","/etc/passwd",true])"},
          std::pair{"showFileChooser", R"(["ALL","/"])"}}) {
        EXPECT_EQ(answer_to(common(method, arguments)), R"({"code":"500","message":"not available yet: files"})")
            << method;
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
    EXPECT_EQ(refused(basics(R"("tsaProfile":{})", any_key, one_cms)), "not available yet: time-stamps");
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

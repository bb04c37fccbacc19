// protocol/tamga: what is understood of tamga.v1, what is refused and how, and what is answered.
#include "protocol/json_text.hpp"
#include "protocol/tamga/client.hpp"
#include "protocol/tamga/tamga.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace tamga::protocol::v1 {
namespace {

namespace json = boost::json;

std::string with_params(std::string const& method, std::string const& params) {
    return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + '}';
}
std::string signing(std::string const& more, std::string const& document = R"({"text":"hi"})") {
    return with_params("sign", R"({"purpose":"document","format":"cms","documents":[)" + document + "]" + more + "}");
}

template <class M>
M method_of(std::string text) {
    auto message = parse(std::move(text));
    auto* request = std::get_if<Request>(&message);
    if (request == nullptr) ADD_FAILURE() << std::get<Refusal>(message).fault.detail;
    return request == nullptr ? M{} : std::get<M>(std::move(request->method));
}
Refusal refusal_of(std::string text) {
    auto message = parse(std::move(text));
    auto* refusal = std::get_if<Refusal>(&message);
    if (refusal == nullptr) ADD_FAILURE() << "was understood";
    return refusal == nullptr ? Refusal{} : std::move(*refusal);
}

TEST(TamgaV1, TakesASignRequestApart) {
    auto const method = method_of<SignDocuments>(with_params("sign", R"({
        "purpose":"service_request","service":"P-17","format":"cms","attached":true,"timestamp":true,
        "on_behalf_of":{"name":"ТОО","id_number":"123456789012","authority":"7"},
        "signer":{"iin":"123456789011","role":"head","usages":["1.2.3"],"storages":["AKKaztokenStore"]},
        "documents":[{"content":"aGk=","title":"a.txt","media_type":"text/plain"},{"upload":"upload-1"}]})"));
    auto const& sign = method.sign;

    EXPECT_EQ(sign.claim.use, Use::service_request);
    EXPECT_EQ(sign.claim.service, "P-17");
    EXPECT_EQ(sign.claim.on_behalf_of.id_number, "123456789012");
    EXPECT_EQ(sign.format, Format::cms);
    EXPECT_TRUE(sign.attached && sign.timestamp && !sign.digested && !sign.cosign);
    EXPECT_EQ(sign.filter.iin, "123456789011");
    EXPECT_EQ(sign.filter.extended_key_usages,
              (std::vector<std::string>{"1.3.6.1.5.5.7.3.4", "1.2.398.3.3.4.1.2.1", "1.2.3"}));
    EXPECT_EQ(sign.storages, std::vector<std::string>{"AKKaztokenStore"});
    EXPECT_EQ(sign.documents.front(), to_bytes(as_view("hi")));
    EXPECT_EQ(sign.labels.front().title, "a.txt");
    EXPECT_EQ(method.uploads, (std::vector<std::string>{"", "upload-1"}));
}

TEST(TamgaV1, WantsAnAuthenticationKeyForASignInAndASignatureKeyForADocument) {
    auto const sign_in = method_of<Authenticate>(with_params("authenticate", R"({"challenge":"AAAA"})"));
    auto const sign = method_of<SignDocuments>(signing(""));

    EXPECT_EQ(sign_in.filter.extended_key_usages, std::vector<std::string>{"1.3.6.1.5.5.7.3.2"});
    EXPECT_EQ(sign.sign.filter.extended_key_usages, std::vector<std::string>{"1.3.6.1.5.5.7.3.4"});
    EXPECT_EQ(sign.sign.claim.use, Use::document);
}

TEST(TamgaV1, NamesTheMemberThatIsWrong) {
    for (auto const& [text, detail] : std::vector<std::pair<std::string, std::string>>{
             {signing(R"(,"colour":1)"), "params.colour is not known here"},
             {signing(R"(,"signer":{"inn":"1"})"), "params.signer.inn is not known here"},
             {signing("", R"({"text":"hi","colour":1})"), "params.documents[0].colour is not known here"},
             {signing(R"(,"service":"P-17")"), "params.service goes with the purpose service_request alone"},
             {signing(R"(,"attached":"yes")"), "params.attached is no boolean"},
             {signing(R"(,"element":"/a")"), "params.element goes with the format xml alone"},
             {signing(R"(,"signer":{"iin":"12345678901"})"), "params.signer.iin is not 12 digits"},
             {signing("", R"({"text":"hi","content":"aGk="})"),
              "params.documents[0].content is missing, or is not alone: one of content, text and upload is needed"},
             {signing("", R"({})"),
              "params.documents[0].content is missing, or is not alone: one of content, text and upload is needed"},
             {signing("", R"("hi")"), "params.documents[0] is no object"},
             {with_params("sign", R"({"format":"cms","documents":[{"text":""}]})"), "params.purpose is missing"},
             {with_params("sign", R"({"purpose":"sign_in","format":"cms","documents":[{"text":""}]})"),
              "params.purpose is none of: document, service_request, key_account"},
             {with_params("sign", R"({"purpose":"document","format":"cms","documents":[]})"),
              "params.documents is empty"},
             {with_params("sign", R"({"purpose":"document","format":"pdf","documents":[{"text":""}]})"),
              "params.format is none of: cms, xml, raw"},
             {with_params("hello", R"({"language":"de"})"), "params.language is none of: kk, ru, en"},
             {with_params("hello", "[]"), "params is no object"},
             {with_params("upload.begin", "{}"), "params.size is missing"},
             {with_params("upload.begin", R"({"size":-1})"), "params.size is no whole number that fits"},
             {with_params("upload.begin", R"({"size":1,"digests":["md5"]})"),
              "params.digests has a digest that is not known here"},
             {with_params("cancel", R"({"id":1.5})"), "params.id is no id of a request"},
             {with_params("authenticate", "{}"), "params.challenge is missing"},
             {with_params("verify", "{}"), "params.document is missing"},
         }) {
        auto const refusal = refusal_of(text);
        EXPECT_EQ(refusal.fault.code, -32602) << text;
        EXPECT_EQ(refusal.fault.word, Errc::bad_request) << text;
        EXPECT_EQ(refusal.fault.detail, detail);
        EXPECT_EQ(refusal.id, std::optional{Id{std::int64_t{1}}});
    }
}

TEST(TamgaV1, HasNumbersOfItsOwnForWhatIsNoBase64OrTooMuch) {
    auto const base64 = refusal_of(signing("", R"({"content":"@"})"));
    EXPECT_EQ(base64.fault.code, code_of(Errc::bad_base64));
    EXPECT_EQ(base64.fault.detail, "params.documents[0].content is no base64");

    std::string many = R"({"text":""})";
    for (std::size_t i = 0; i < max_documents; ++i)
        many += R"(,{"text":""})";
    EXPECT_EQ(refusal_of(signing("", many)).fault.word, Errc::too_large);
}

TEST(TamgaV1, TakesNothingButAStrictRequest) {
    for (auto const& [text, code] : std::vector<std::pair<std::string, int>>{
             {"", -32700},
             {"{'jsonrpc':'2.0'}", -32700},
             {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700},
             {std::string(100, '[') + std::string(100, ']'), -32700},
             {"[" + std::string(300'000, ','), -32700},
             {R"([{"jsonrpc":"2.0","id":1,"method":"hello"}])", -32600},
             {"null", -32600},
             {R"({"jsonrpc":"1.0","id":1,"method":"hello"})", -32600},
             {R"({"id":1,"method":"hello"})", -32600},
             {R"({"jsonrpc":"2.0","method":"hello"})", -32600},
             {R"({"jsonrpc":"2.0","id":null,"method":"hello"})", -32600},
             {R"({"jsonrpc":"2.0","id":1.5,"method":"hello"})", -32600},
             {R"({"jsonrpc":"2.0","id":"","method":"hello"})", -32600},
             {R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"hello"})", -32600},
             {R"({"jsonrpc":"2.0","id":1,"method":7})", -32600},
             {R"({"jsonrpc":"2.0","id":1,"method":"hello","token":"x"})", -32600},
             {R"({"jsonrpc":"2.0","id":1,"result":{}})", -32600},
             {R"({"jsonrpc":"2.0","id":1,"method":"Hello"})", -32601},
             {R"({"jsonrpc":"2.0","id":1,"method":"rpc.discover"})", -32601},
         }) {
        EXPECT_EQ(refusal_of(text).fault.code, code) << text.substr(0, 80);
    }
}

TEST(TamgaV1, CutsAMadeUpNameBeforeItIsRepeated) {
    auto const refusal = refusal_of(signing(",\"" + std::string(100'000, 'x') + "\":1"));

    EXPECT_LT(refusal.fault.detail.size(), 200U);
}

TEST(TamgaV1, KeepsAnIdAsItCame) {
    auto const text = render(Id{std::string{"a\"\x01"}}, Reply{Done{}});
    EXPECT_EQ(text, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"\\u0001\",\"result\":{}}");
    EXPECT_EQ(render(Id{std::int64_t{-7}}, Reply{Cancelled{true}}),
              R"({"jsonrpc":"2.0","id":-7,"result":{"cancelled":true}})");
}

TEST(TamgaV1, SaysAnErrorByWordNumberAndSentence) {
    auto const text = render({}, fault_of(Error{Errc::token_absent, "slot 7 of the log"}), Language::en);
    auto const value = json::parse(text);

    EXPECT_TRUE(value.at("id").is_null());
    EXPECT_EQ(value.at_pointer("/error/code"), -33019);
    EXPECT_EQ(value.at_pointer("/error/data/error"), "token_absent");
    EXPECT_NE(value.at_pointer("/error/data/message").as_string().find("plugged in"), json::string::npos);
    EXPECT_EQ(text.find("slot 7"), std::string::npos) << "what the log knows";
}

TEST(TamgaV1, GivesEveryErrorANumberOfItsOwnAndTheDescriptionHasTheSame) {
    std::ostringstream description;
    description << std::ifstream{TAMGA_SOURCE_DIR "/protocol/tamga/openrpc.json"}.rdbuf();
    auto const errors = json::parse(description.str()).at("components").at("errors").as_object();
    std::set<int> numbers;

    for (std::size_t i = 0; i < errc_count; ++i) {
        auto const word = static_cast<Errc>(i);
        numbers.insert(code_of(word));
        auto const* const said = errors.if_contains(json::string_view{wire_name(word).data(), wire_name(word).size()});
        ASSERT_NE(said, nullptr) << wire_name(word);
        EXPECT_EQ(said->at("code"), code_of(word)) << wire_name(word);
    }

    EXPECT_EQ(numbers.size(), errc_count);
    EXPECT_EQ(errors.size(), errc_count);
    EXPECT_LT(*numbers.rbegin(), -33000);
}

TEST(TamgaV1, WritesWhatItsOtherHalfReads) {
    auto const asked = request(3, "sign", Tree{}.add("purpose", "document").add("format", "raw"));
    EXPECT_EQ(refusal_of(asked).fault.detail, "params.documents is missing");

    auto const message = read_message(render(Id{std::int64_t{3}}, Reply{Tokens{{{"A", "b", "c", {}}}}}));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->number("id"), 3);
    EXPECT_EQ(message->find("result")->list("tokens").front().text("storage"), "A");
    EXPECT_FALSE(read_message("[]"));
    EXPECT_FALSE(read_message(R"({"id":1.5})"));
}

} // namespace
} // namespace tamga::protocol::v1

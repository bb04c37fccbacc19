// The 50 exchanges recorded with the original, which come with the public client.
#include "tests/unit/protocol_requests.hpp"

#include <fstream>
#include <sstream>

namespace tamga::protocol::ncalayer {
namespace {

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

constexpr std::string_view stripped_cms = "Actual signature stripped to protect private data";
constexpr std::string_view empty_pem = R"("-----BEGIN CMS-----\n-----END CMS-----\n")";

/// What is sent instead of the recorded answer: the differences that are meant, and nothing else.
std::string expected(Pair const& pair) {
    auto const succeeded = contains(pair.response, stripped_cms);
    if (contains(pair.request, "kz.digiflow"))
        return R"({"success":false,"errorCode":"MODULE_NOT_FOUND"})";                   // another product
    if (contains(pair.request, R"("digested":true)") && contains(pair.request, "MTEK")) // 3 octets
        return R"({"code":"INVALID_SIGNING_PARAMS","details":"digest_length","message":"Invalid signing parameters.","status":false})";
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

} // namespace
} // namespace tamga::protocol::ncalayer

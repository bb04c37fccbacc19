#include "prompt/rehearsal.hpp"

#include "base/base64.hpp"
#include "prompt/choices.hpp"
#include "prompt/words.hpp"

#include <ctime>

namespace tamga::prompt {

namespace {

/// Self-signed, of a key on P-256 that was thrown away (openssl req -x509 -subj /CN=rehearsal).
constexpr std::string_view certificate =
    "MIIBJDCBywIULe7y280P4YWlK6t80nzZfjN/zr4wCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJcmVoZWFyc2FsMCAXDTI2MTEyMzEyMDE0NVoY"
    "DzIxMjYxMDMwMTIwMTQ1WjAUMRIwEAYDVQQDDAlyZWhlYXJzYWwwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATrOAEFCthMUJSp1tlGgAZI"
    "I5Gj/2kSxnB772hzKMsg2DTtT5zikr53wPsyOILXQx4dmFY+sq86qzQHYPZEUMFRMAoGCCqGSM49BAMCA0gAMEUCID0WdFI2a+oxDFOzZkg5"
    "zzvcGoLBvH6dBfgzJ3YfiwbIAiEA5yNtV2fGoJ59foOVfuzq8QhKLwJefCzCvkqOAVtWuh4=";

} // namespace

void rehearse() {
    auto const der = from_base64(certificate);
    if (!der) return;
    Sheet sheet;
    sheet.request.purpose = ipc::Purpose::sign;
    FoundToken token;
    token.info.pin_initialized = true;
    token.certificates.push_back(*der);
    for (auto const& choice :
         choices_before_pin(sheet, {std::move(token)}, Knowledge::load(true), std::time(nullptr))) {
        static_cast<void>(choice_title(Language::kk, choice));
        static_cast<void>(choice_details(Language::kk, choice));
        static_cast<void>(pin_words(Language::kk, choice));
    }
}

} // namespace tamga::prompt

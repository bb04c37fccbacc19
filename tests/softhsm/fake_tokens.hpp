// Two tokens of one module, with the same key on both: for tests of what one does while the other is slow or gone.
#pragma once

#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

namespace tamga::test {

inline constexpr ipc::SlotId left{0};
inline constexpr ipc::SlotId right{1};

/// How the tokens and the program differ from the usual.
struct Variant {
    std::string token = {};              ///< behind each `token` line: "pinpad"
    std::string key = {};                ///< behind each `key` line: "always"
    std::string module = {};             ///< further lines of modules.toml
    std::string program = "tamga-token"; ///< or hasty_token
};
/// A tamga-token whose deadlines come in a fifth of the time.
inline constexpr char const* hasty_token = "tamga-token-hasty";

class FakeTokens : public ::testing::Test {
protected:
    explicit FakeTokens(Variant const& variant = {})
        : certificate{make_key(folder, "rsa", KeyKind::rsa_2048)},
          token{folder,
                {fake_token_line("left") + " " + variant.token, fake_token_line("right") + " " + variant.token,
                 line("certificate 0 01 ", "rsa.pem"), line("certificate 1 01 ", "rsa.pem"),
                 line("key 0 01 ", "rsa-key.pem") + " " + variant.key,
                 line("key 1 01 ", "rsa-key.pem") + " " + variant.key},
                variant.module},
          driver{folder.path(), "0", {}, variant.program} {}

    [[nodiscard]] std::string line(std::string const& head, std::string const& file) const {
        return head + (folder / file).string();
    }
    static std::string document(ipc::RequestId request, unsigned i) {
        return std::to_string(request.value()) + " and " + std::to_string(i);
    }
    /// A mandate for `count` documents, named by the request.
    [[nodiscard]] ipc::Mandate mandate(ipc::RequestId request, unsigned count = 1) const {
        std::vector<Bytes> digests;
        for (unsigned i = 0; i < count; ++i)
            digests.push_back(sha256(as_view(document(request, i))));
        return mandate_for(request, ipc::Form::cms, certificate, std::move(digests));
    }
    /// Login and mandate.
    ipc::Channel open(ipc::RequestId request, ipc::SlotId slot, unsigned count = 1) {
        auto prompt = driver.prompt(request);
        EXPECT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        EXPECT_TRUE(give(prompt, mandate(request, count)));
        return prompt;
    }
    [[nodiscard]] std::vector<Bytes> items(ipc::RequestId request, unsigned first, unsigned count) const {
        std::vector<Bytes> all;
        for (unsigned i = first; i < first + count; ++i)
            all.push_back(cms_item(certificate, document(request, i)));
        return all;
    }
    void send_items(ipc::RequestId request, unsigned first = 0, unsigned count = 1) {
        EXPECT_TRUE(driver.web.send(ipc::SignItems{request, first, items(request, first, count)}));
    }

    Scratch folder;
    signing::Certificate certificate;
    FakeToken token;
    TokenDriver driver;
};

} // namespace tamga::test

// A module that does not come back costs its own process, at the deadline, and nobody has to ask for that. The program
// under test is tamga-token with every deadline in a fifth of the time.
#include "tests/softhsm/fake_tokens.hpp"

#include <sys/wait.h>

namespace tamga::test {
namespace {

using ipc::RequestId;

class Deadline : public FakeTokens {
protected:
    explicit Deadline(Variant variant = {}) : FakeTokens{hasty(std::move(variant))} {}

    static Variant hasty(Variant variant) {
        variant.program = hasty_token;
        return variant;
    }
    void expect_the_process_ends() { EXPECT_EQ(WEXITSTATUS(driver.wait()), EXIT_FAILURE); }
};

class PinPadDeadline : public Deadline {
protected:
    PinPadDeadline() : Deadline{{.token = "pinpad"}} {}
};

TEST_F(Deadline, S12_EndsAProcessWhoseModuleHangsInAListing) {
    token.knobs("hang C_GetTokenInfo\n");

    auto const listing = driver.list(ipc::Depth::tokens);

    EXPECT_EQ(listing.status.error().code, Errc::token_timeout);
    expect_the_process_ends();
}

TEST_F(Deadline, EndsAProcessWhoseModuleHangsWhereItIsLoaded) {
    token.knobs("hang C_Initialize\n");

    EXPECT_EQ(driver.list(ipc::Depth::tokens).status.error().code, Errc::token_timeout);
    expect_the_process_ends();
}

TEST_F(Deadline, EndsAProcessWhoseModuleHangsInALogin) {
    auto prompt = driver.prompt(RequestId{1});
    token.knobs("hang C_Login\n");

    EXPECT_EQ(unlock(prompt, left, user_pin).reply.status.code, Errc::token_timeout);
    expect_the_process_ends();
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

TEST_F(Deadline, EndsAProcessWhoseModuleHangsInASignature) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs("hang C_Sign\n");

    EXPECT_EQ(driver.sign(RequestId{1}, items(RequestId{1}, 0, 1)).error().code, Errc::token_timeout);
    expect_the_process_ends();
}

TEST_F(Deadline, EndsAProcessWhoseModuleHangsInTheLogout) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs("hang C_Logout\n");

    ASSERT_TRUE(driver.web.send(ipc::FinishLease{RequestId{1}}));

    EXPECT_EQ(driver.lease_ended().status.code, Errc::token_timeout);
    expect_the_process_ends();
}

TEST_F(Deadline, IsKeptThoughNobodyReadsWhatTheProcessSays) {
    auto const prompt = open(RequestId{1}, left);
    token.knobs("hang C_Sign 0\n");
    send_items(RequestId{1});

    for (std::uint64_t query = 1; driver.web.try_send(ipc::ListKeys{query, ipc::Depth::tokens}); ++query)
        continue; // answers pile up until its own sends would block

    expect_the_process_ends();
}

TEST_F(Deadline, IsThatOfOneSignatureNotOfABatch) {
    auto const prompt = open(RequestId{1}, left, 5);
    token.knobs("delay C_Sign 1500\n"); // 7.5 s in all; one may take 6 s here

    EXPECT_EQ(driver.sign(RequestId{1}, items(RequestId{1}, 0, 5))->size(), 5U);
}

TEST_F(PinPadDeadline, LeavesAPersonTimeAtTheKeypad) {
    auto prompt = driver.prompt(RequestId{1});
    token.knobs("delay C_Login 4000\n"); // a login without a keypad may take 3 s here

    send_unlock_on_reader(prompt, left);

    EXPECT_TRUE(unlocked(prompt).reply.status.ok);
}

TEST_F(PinPadDeadline, DoesNotCountWhatWaitsForThePersonAtTheKeypad) {
    auto prompt = driver.prompt(RequestId{1});
    token.knobs("delay C_Login 5000\ndelay C_GetTokenInfo 4000 1\n"); // as with one lock; a listing may take 2 s here
    send_unlock_on_reader(prompt, left);
    EXPECT_EQ(token.calls_soon("C_Login", 1), 1U);

    EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 2U);
    EXPECT_TRUE(unlocked(prompt).reply.status.ok);
}

} // namespace
} // namespace tamga::test

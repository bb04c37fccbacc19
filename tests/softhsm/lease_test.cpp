// How a login begins and ends, over the fake module: its spy counts what reached the token.
#include "tests/softhsm/process_memory.hpp"
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace tamga::test {
namespace {

using ipc::Form;
using ipc::RequestId;

constexpr ipc::SlotId slot{0};

class Lease : public ::testing::Test {
protected:
    Lease()
        : certificate{make_key(folder, "rsa", KeyKind::rsa_2048)},
          token{folder,
                {fake_token_line("fake"), "certificate 0 01 " + (folder / "rsa.pem").string() + " private",
                 "key 0 01 " + (folder / "rsa-key.pem").string()}} {}

    /// Login and mandate for one document.
    void open(ipc::Channel& prompt, RequestId request) {
        ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
        ASSERT_TRUE(give(prompt, mandate_for(request, Form::cms, certificate, {sha256(as_view("document"))})));
    }
    Scratch folder;
    signing::Certificate certificate;
    FakeToken token;
};

TEST_F(Lease, ShowsPrivateCertificatesOnlyInside) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    EXPECT_TRUE(driver.list(ipc::Depth::certificates).certificates.empty());
    EXPECT_EQ(unlock(prompt, slot, user_pin).certificates, std::vector<Bytes>{certificate.der()});
    EXPECT_TRUE(driver.list(ipc::Depth::certificates).certificates.empty()); // tamga-web's listing during it
}

TEST_F(Lease, FindsTheKeyOfTheChosenCertificateWithoutReadingTheOthers) {
    auto const other = make_key(folder, "other", KeyKind::rsa_2048);
    FakeToken const both{folder,
                         {fake_token_line("fake"), "certificate 0 01 " + (folder / "rsa.pem").string(),
                          "key 0 01 " + (folder / "rsa-key.pem").string(),
                          "certificate 0 02 " + (folder / "other.pem").string(),
                          "key 0 02 " + (folder / "other-key.pem").string()}};
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    auto const all = unlock(prompt, slot, user_pin).certificates;
    auto const searches = both.calls("C_FindObjectsInit");
    auto const chosen = unlock(prompt, slot, user_pin, other.der()).certificates;

    EXPECT_EQ(all, (std::vector<Bytes>{certificate.der(), other.der()}));
    EXPECT_EQ(chosen, std::vector<Bytes>{other.der()});
    EXPECT_EQ(both.calls("C_FindObjectsInit"), searches + 1);
    EXPECT_TRUE(give(prompt, mandate_for(RequestId{1}, Form::cms, other, {sha256(as_view("document"))})));
}

TEST_F(Lease, OfAChosenCertificateWithoutItsKeyShowsWhatElseIsThere) {
    auto const stray = make_key(folder, "stray", KeyKind::rsa_2048);
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    EXPECT_EQ(unlock(prompt, slot, user_pin, stray.der()).certificates, std::vector<Bytes>{certificate.der()});
}

TEST_F(Lease, S9_CostsOneAttemptForAWrongPin) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    auto const answer = unlock(prompt, slot, "00000000");

    EXPECT_EQ(answer.reply.status.code, Errc::pin_incorrect);
    EXPECT_TRUE(answer.reply.info.pin_count_low);
    EXPECT_EQ(token.calls("C_Login"), 1U);
    EXPECT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
    EXPECT_EQ(token.calls("C_Login"), 2U);
}

TEST_F(Lease, TellsTheLastAttemptAndThenTheLock) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});

    unlock(prompt, slot, "00000000");
    EXPECT_TRUE(unlock(prompt, slot, "00000000").reply.info.pin_final_try);
    auto const locked = unlock(prompt, slot, "00000000").reply;
    EXPECT_EQ(locked.status.code, Errc::pin_locked);
    EXPECT_TRUE(locked.info.pin_locked);
    EXPECT_EQ(unlock(prompt, slot, user_pin).reply.status.code, Errc::pin_locked);
    EXPECT_EQ(token.calls("C_Login"), 4U);
}

TEST_F(Lease, IsNotOpenedByAModuleThatWasLoggedInAlready) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    token.knobs("fail C_Login 0x100\n");

    EXPECT_EQ(unlock(prompt, slot, "00000000").reply.status.code, Errc::token_failure);
    EXPECT_EQ(token.calls("C_Login"), 1U);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(Lease, EndsWithAnExplicitLogout) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});
    auto const signatures = driver.sign(RequestId{1}, {cms_item(certificate, "document")});

    ASSERT_TRUE(driver.web.send(ipc::FinishLease{RequestId{1}}));

    EXPECT_TRUE(driver.lease_ended().status.ok);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
    EXPECT_EQ(token.calls("C_Login"), 1U);
    EXPECT_TRUE(signatures);
}

TEST_F(Lease, EndsWhenThePromptIsGone) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});

    prompt.close();

    EXPECT_EQ(driver.lease_ended().status.code, Errc::user_cancelled);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(Lease, EndsWhenThePromptIsGoneBeforeItsMandate) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    unlock(prompt, slot, user_pin);

    prompt.close();

    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(Lease, EndsWhenTheWebProcessIsGoneAndANewOneCanWork) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});

    driver.web.close();

    EXPECT_EQ(token.calls_soon("C_Logout", 1), 1U);
    driver.connect_web();
    EXPECT_EQ(driver.list(ipc::Depth::tokens).tokens.size(), 1U);
}

TEST_F(Lease, EndsWhenTheLauncherIsGone) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});

    EXPECT_EQ(driver.end(), 0);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
    EXPECT_EQ(token.calls("C_Finalize"), 1U);
}

TEST_F(Lease, IsNotEndedBySignalsMeantForTheWholeSession) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});

    ::kill(driver.pid(), SIGTERM);
    ::kill(driver.pid(), SIGINT);

    EXPECT_TRUE(driver.sign(RequestId{1}, {cms_item(certificate, "document")}));
    EXPECT_EQ(driver.end(), 0);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(Lease, ReportsATokenPulledOutBeforeSigning) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});

    token.knobs("absent 0\n");

    EXPECT_EQ(driver.sign(RequestId{1}, {cms_item(certificate, "document")}).error().code, Errc::token_absent);
    EXPECT_TRUE(driver.list(ipc::Depth::tokens).tokens.empty());
    EXPECT_EQ(unlock(prompt, slot, user_pin).reply.status.code, Errc::token_absent);
}

TEST_F(Lease, ReportsATokenThatFailsToSign) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});
    token.knobs("fail C_Sign 0x5\n");

    EXPECT_EQ(driver.sign(RequestId{1}, {cms_item(certificate, "document")}).error().code, Errc::token_failure);
    EXPECT_EQ(token.calls("C_Logout"), 1U);
}

TEST_F(Lease, MakesASecondOneForTheSameTokenWait) {
    TokenDriver driver{folder.path()};
    auto first = driver.prompt(RequestId{1});
    auto second = driver.prompt(RequestId{2});
    open(first, RequestId{1});

    send_unlock(second, slot, user_pin);
    EXPECT_TRUE(driver.sign(RequestId{1}, {cms_item(certificate, "document")}));
    EXPECT_EQ(token.calls("C_Login"), 1U);
    ASSERT_TRUE(driver.web.send(ipc::FinishLease{RequestId{1}}));

    EXPECT_TRUE(driver.lease_ended().status.ok);
    EXPECT_TRUE(unlocked(second).reply.status.ok);
    EXPECT_EQ(token.calls("C_Login"), 2U);
}

TEST_F(Lease, ThatWaitsIsForgottenWhenItsPromptGoes) {
    TokenDriver driver{folder.path()};
    auto first = driver.prompt(RequestId{1});
    auto second = driver.prompt(RequestId{2});
    open(first, RequestId{1});
    send_unlock(second, slot, user_pin);

    second.close();
    first.close();

    EXPECT_EQ(driver.lease_ended().request, RequestId{1});
    driver.list(ipc::Depth::tokens);
    EXPECT_EQ(token.calls("C_Login"), 1U);
}

TEST_F(Lease, LeavesNoPinInTheMemoryAfterTheLogout) {
    if (::geteuid() != 0) GTEST_SKIP() << "root is needed to read another process's memory";
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});
    EXPECT_TRUE(driver.sign(RequestId{1}, {cms_item(certificate, "document")}));

    auto const while_logged_in = occurrences_in_memory(driver.pid(), user_pin); // the module keeps it: the control
    ASSERT_TRUE(driver.web.send(ipc::FinishLease{RequestId{1}}));
    driver.lease_ended();

    EXPECT_EQ(while_logged_in, 1U);
    EXPECT_EQ(occurrences_in_memory(driver.pid(), user_pin), 0U);
}

TEST(SoftHsmMemory, HoldsNoPinAfterTheLogout) {
    if (::geteuid() != 0) GTEST_SKIP() << "root is needed to read another process's memory";
    if (!std::filesystem::exists(SoftToken::module)) GTEST_SKIP() << "softhsm2 is not installed";
    Scratch const folder;
    SoftToken const token{folder};
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    auto const listing = driver.list(ipc::Depth::tokens);
    ASSERT_TRUE(unlock(prompt, listing.tokens.at(0).slot, user_pin).reply.status.ok);

    prompt.close();
    driver.list(ipc::Depth::tokens);

    EXPECT_EQ(occurrences_in_memory(driver.pid(), user_pin), 0U);
    EXPECT_GT(occurrences_in_memory(driver.pid(), "SoftHSM project"), 0U); // the search can find
}

TEST_F(Lease, EndsWithTheProcessWhereTheModuleCrashes) {
    TokenDriver driver{folder.path()};
    auto prompt = driver.prompt(RequestId{1});
    open(prompt, RequestId{1});
    token.knobs("crash C_Sign\n");

    ASSERT_TRUE(driver.web.send(ipc::SignItems{RequestId{1}, 0, {cms_item(certificate, "document")}}));

    EXPECT_EQ(driver.web.receive(patience).error().code, Errc::channel_closed);
    EXPECT_EQ(WEXITSTATUS(driver.wait()), 139);
}

TEST(TokenProgram, CountsTheConfiguredModules) {
    Scratch const folder;
    configure_module(folder, "/nonexistent.so", "");
    TokenDriver driver{folder.path(), "--count"};

    ASSERT_TRUE(ipc::await_hello(driver.control, ipc::Role::token, patience));
    EXPECT_EQ(expect<ipc::ModuleCount>(driver.control).count, 1);
    EXPECT_EQ(driver.wait(), 0);
}

TEST(TokenProgram, StaysUpAndSaysSoWhereItsModuleCannotBeLoaded) {
    Scratch const folder;
    configure_module(folder, "/nonexistent.so", "");
    TokenDriver driver{folder.path()};

    EXPECT_EQ(driver.list(ipc::Depth::tokens).status.error().code, Errc::module_unloadable);
    EXPECT_EQ(driver.list(ipc::Depth::tokens).status.error().code, Errc::module_unloadable);
}

TEST(TokenProgram, S11_LoadsNoModuleThatOthersCanWrite) {
    Scratch const folder;
    FakeToken const token{folder, {fake_token_line("fake")}};
    folder.write("writable.so", "");
    std::filesystem::permissions(folder / "writable.so", std::filesystem::perms::all);
    configure_module(folder, (folder / "writable.so").string(), "");
    TokenDriver driver{folder.path()};

    EXPECT_EQ(driver.list(ipc::Depth::tokens).status.error().code, Errc::file_untrusted);
    EXPECT_EQ(token.calls("C_Initialize"), 0U);
}

TEST(TokenProgram, EndsOnAnotherBuildsHello) {
    Scratch const folder;
    FakeToken const token{folder, {fake_token_line("fake")}};
    TokenDriver driver{folder.path()};
    auto ends = ipc::make_pair();
    ASSERT_TRUE(driver.control.send(ipc::PromptChannel{RequestId{1}}, {ends->second.fd()}));
    auto hello = ipc::Hello::from(ipc::Role::prompt);
    hello.build[0] ^= 1;

    ASSERT_TRUE(ends->first.send(hello));

    EXPECT_EQ(WEXITSTATUS(driver.wait()), 1);
}

} // namespace
} // namespace tamga::test

// When a lease ends by itself. In this process, over the fake module: two minutes need not be waited for.
#include "pkcs11/lease.hpp"
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace tamga::test {
namespace {

TEST(LeaseSilence, EndsItTwoMinutesAfterItsLastUse) {
    using namespace std::chrono_literals;
    Scratch const folder;
    auto const certificate = make_key(folder, "mine", KeyKind::ec_p256);
    FakeToken const token{folder,
                          {fake_token_line("fake"), "certificate 0 01 " + (folder / "mine.pem").string(),
                           "key 0 01 " + (folder / "mine-key.pem").string()}};
    ::setenv("TAMGA_FAKE_PKCS11", (folder / "knobs").c_str(), 1);
    pkcs11::Readers const readers;
    auto const module = pkcs11::Module::load(
        pkcs11::read_module_files("/nonexistent", folder / "config/tamga/modules.toml")->modules.at(0), readers);
    std::string typed = user_pin;
    auto pin = Pin::take({reinterpret_cast<unsigned char*>(typed.data()), typed.size()});

    auto const before = std::chrono::steady_clock::now();
    pkcs11::Watch watch;
    auto const lease = pkcs11::Lease::open(**module, {ipc::SlotId{0}, {}}, std::move(*pin), watch, {});
    ASSERT_TRUE(lease);
    auto const unused = (*lease)->end();
    EXPECT_GE(unused.at, before + 120s);
    EXPECT_LE(unused.at, std::chrono::steady_clock::now() + 120s);
    EXPECT_EQ(unused.why.code, Errc::timeout);

    ipc::Mandate mandate{
        ipc::RequestId{1}, ipc::Form::raw, certificate.fingerprint(), 3600, {sha256(as_view("nonce"))}, true};
    ASSERT_TRUE((*lease)->add_to_mandate(mandate));
    auto const with_mandate = (*lease)->end();
    std::this_thread::sleep_for(2ms);
    ASSERT_TRUE((*lease)->sign({as_view("nonce")}, watch, {}));
    EXPECT_GT((*lease)->end().at, with_mandate.at);
    EXPECT_EQ((*lease)->end().why.code, Errc::timeout);
}

} // namespace
} // namespace tamga::test

// The real tamga-token --file: a key file by the words of a token, and what is left of its secrets.
#include "signing/gost.hpp"
#include "tests/softhsm/process_memory.hpp"
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/key_files.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <fstream>

namespace tamga::test {
namespace {

using ipc::Form;

constexpr ipc::RequestId request{7};
constexpr ipc::SlotId slot{0};
constexpr std::string_view password = "Qwerty12-of-the-file";

class FileTokenTest : public ::testing::Test {
protected:
    /// Hands the file over as a prompt does: opened, without its name.
    Result<ipc::TokenFound> open(View octets) {
        m_folder.write("key.p12", octets);
        UniqueFd const file{::open((m_folder / "key.p12").c_str(), O_RDONLY | O_CLOEXEC)};
        if (!m_prompt.send(ipc::OpenKeyFile{5}, {file.get()})) throw std::runtime_error{"prompt"};
        auto packet = m_prompt.receive(patience);
        auto found = packet->as<ipc::TokenFound>();
        if (!found) return packet->as<ipc::ListingDone>()->status.result().error();
        EXPECT_TRUE(expect<ipc::ListingDone>(m_prompt).status.ok);
        return found;
    }
    Result<std::vector<Bytes>> sign_document(TestKey const& key, std::string_view document) {
        auto const certificate = *signing::Certificate::parse(key.certificate);
        auto const digest = *signing::digest(certificate.algorithm().digest, as_view(document));
        EXPECT_TRUE(give(m_prompt, mandate_for(request, Form::cms, certificate, {digest})));
        auto const item = *signing::signed_attributes({digest, certificate.fingerprint(), unix_now()});
        auto values = m_driver.sign(request, {item});
        EXPECT_TRUE(!values || signing::verify_raw(certificate, item, values->at(0)));
        return values;
    }
    void finish() {
        ASSERT_TRUE(m_driver.web.send(ipc::FinishLease{request}));
        EXPECT_TRUE(m_driver.lease_ended().status.ok);
    }

    Scratch m_folder;
    TestKey m_key = make_certificate({.key = KeyKind::gost2015_512});
    TestKey m_rsa = make_certificate();
    Bytes m_file = nca_key_file({m_key, m_rsa}, std::string{password});
    TokenDriver m_driver{m_folder.path(), "--file"};
    ipc::Channel m_prompt = m_driver.prompt(request);
};

TEST_F(FileTokenTest, SignsWithAKeyOfTheFileWhatTheMandateSays) {
    auto const found = open(m_file);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->info.storage, "PKCS12");
    EXPECT_EQ(found->certificates, 0U) << "they are encrypted too";

    auto const keys = unlock(m_prompt, slot, std::string{password});
    ASSERT_TRUE(keys.reply.status.ok);
    EXPECT_EQ(keys.certificates, (std::vector<Bytes>{m_key.certificate, m_rsa.certificate}));
    EXPECT_TRUE(sign_document(m_key, "document"));
    finish();
}

TEST_F(FileTokenTest, TakesAWrongPasswordAsOftenAsItIsTyped) {
    ASSERT_TRUE(open(m_file));
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(unlock(m_prompt, slot, "wrong").reply.status.code, Errc::password_incorrect);

    EXPECT_TRUE(unlock(m_prompt, slot, std::string{password}).reply.status.ok);
    EXPECT_TRUE(sign_document(m_rsa, "document"));
}

TEST_F(FileTokenTest, SaysOfAnotherFileThatItIsNone) {
    EXPECT_EQ(open(as_view("%PDF-1.7")).error().code, Errc::key_file_malformed);
    EXPECT_EQ(open(View{m_file}.first(m_file.size() / 2)).error().code, Errc::key_file_malformed);
    EXPECT_EQ(open(Bytes(2 << 20, 0x30)).error().code, Errc::key_file_malformed);

    EXPECT_TRUE(open(m_file)) << "and takes the next";
}

TEST_F(FileTokenTest, SignsNothingThatTheMandateDoesNotHold) {
    auto const certificate = *signing::Certificate::parse(m_rsa.certificate);
    ASSERT_TRUE(open(m_file));
    ASSERT_TRUE(unlock(m_prompt, slot, std::string{password}).reply.status.ok);
    ASSERT_TRUE(give(m_prompt, mandate_for(request, Form::cms, certificate, {sha256(as_view("document"))})));

    EXPECT_EQ(m_driver.sign(request, {cms_item(certificate, "another")}).error().code, Errc::mandate_violated);
    EXPECT_EQ(m_driver.sign(request, {cms_item(certificate, "document")}).error().code, Errc::mandate_violated)
        << "the lease is over";
    EXPECT_EQ(m_driver.sign(ipc::RequestId{8}, {cms_item(certificate, "document")}).error().code,
              Errc::mandate_violated);
}

TEST_F(FileTokenTest, ForgetsTheKeysOfTheFileBefore) {
    ASSERT_TRUE(open(m_file));
    ASSERT_TRUE(unlock(m_prompt, slot, std::string{password}).reply.status.ok);
    ASSERT_TRUE(open(nca_key_file({m_rsa}, "another")));

    auto const certificate = *signing::Certificate::parse(m_key.certificate);
    EXPECT_EQ(give(m_prompt, mandate_for(request, Form::cms, certificate, {Bytes(64, 1)})).error().code,
              Errc::mandate_violated);
    EXPECT_EQ(unlock(m_prompt, slot, std::string{password}).reply.status.code, Errc::password_incorrect);
}

TEST_F(FileTokenTest, EndsWithItsPrompt) {
    ASSERT_TRUE(open(m_file));
    m_prompt.close();

    EXPECT_EQ(m_driver.wait(), 0);
}

// S6
TEST_F(FileTokenTest, HasNeitherPasswordNorKeyInItsMemoryAfterTheLease) {
    auto const info = private_key_info(m_key);
    std::string_view const secret = as_text(View{info}.last(64));
    ASSERT_TRUE(open(m_file));
    ASSERT_TRUE(unlock(m_prompt, slot, std::string{password}).reply.status.ok);
    ASSERT_TRUE(sign_document(m_key, "document"));
    finish();

    EXPECT_GT(occurrences_in_memory(m_driver.pid(), "PKCS12"), 0U) << "the search finds what is there";
    EXPECT_EQ(occurrences_in_memory(m_driver.pid(), password), 0U);
    EXPECT_EQ(occurrences_in_memory(m_driver.pid(), secret), 0U);
}

// S12
TEST_F(FileTokenTest, IsInASandbox) {
    ASSERT_TRUE(open(m_file));
    std::ifstream status{"/proc/" + std::to_string(m_driver.pid()) + "/status"};
    std::string const text{std::istreambuf_iterator<char>{status}, {}};

    EXPECT_NE(text.find("Seccomp:\t2"), text.npos);
    EXPECT_NE(text.find("NoNewPrivs:\t1"), text.npos);
    EXPECT_NE(text.find("Name:\ttamga-file"), text.npos);
}

} // namespace
} // namespace tamga::test

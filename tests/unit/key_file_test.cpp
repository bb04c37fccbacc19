// keyfile/: files that OpenSSL's command line wrote, with and without gost-engine, and files shaped like the NCA's.
#include "keyfile/key_file.hpp"
#include "signing/der.hpp"
#include "tests/support/key_files.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdlib>

namespace tamga::keyfile {
namespace {

using test::KeyKind;
using Certificates = std::vector<Bytes>;

constexpr char const* password = "Qwerty12";

Pin pin_of(std::string text) {
    return std::move(*Pin::take({reinterpret_cast<unsigned char*>(text.data()), text.size()}));
}

Result<std::vector<SigningKey>> opened(View octets, std::string const& typed = password) {
    static OldCiphers const old_ciphers;
    auto const file = KeyFile::parse(octets);
    if (!file) return file.error();
    return file->open(pin_of(typed));
}

/// The certificates whose keys can be used: each signs, and its signature verifies.
std::vector<Bytes> working(Result<std::vector<SigningKey>> const& keys) {
    EXPECT_TRUE(keys) << wire_name(keys ? Errc::internal : keys.error().code) << (keys ? "" : keys.error().detail);
    std::vector<Bytes> certificates;
    if (!keys) return certificates;
    for (auto const& key : *keys) {
        auto const digest = signing::digest(key.certificate().algorithm().digest, as_view("Өтініш"));
        auto const value = key.sign(*digest);
        if (value && signing::verify_digest(key.certificate(), *digest, *value))
            certificates.push_back(key.certificate().der());
    }
    return certificates;
}

class KeyFileOf : public ::testing::TestWithParam<KeyKind> {};

TEST_P(KeyFileOf, TheNcaIsOpenedAndItsKeySigns) {
    auto const key = test::make_certificate({.key = GetParam()});
    auto const file = test::nca_key_file({key}, password);

    ASSERT_EQ(file[1], 0x80) << "indefinite";
    EXPECT_EQ(working(opened(file)), Certificates{key.certificate});
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeyFileOf,
                         ::testing::Values(KeyKind::rsa_2048, KeyKind::ec_p256, KeyKind::gost2015_512,
                                           KeyKind::gost2015_256, KeyKind::gost2004));

/// Another program's files: openssl's command line, with gost-engine where `gost` says so.
class OpensslFiles : public ::testing::Test {
protected:
    OpensslFiles() {
        m_folder.write("key.pem", m_key.private_key_pem());
        m_folder.write("certificate.pem", test::certificate_pem(m_key.certificate));
        m_folder.write("ca.pem", test::ca_certificate_pem());
    }
    Bytes exported(std::string const& options) {
        m_folder.run("openssl pkcs12 -export -inkey key.pem -in certificate.pem -passout pass:Qwerty12 -out made.p12 " +
                     options);
        return m_folder.read_octets("made.p12");
    }
    void openssl_with_gost(std::string const& arguments) const {
        m_folder.run("OPENSSL_CONF='" + (test::data_folder() / "gost.cnf").string() + "' openssl " + arguments);
    }

    test::Scratch m_folder;
    test::TestKey m_key = test::make_certificate();
};

TEST_F(OpensslFiles, OfTodayOpen) {
    EXPECT_EQ(working(opened(exported(""))), Certificates{m_key.certificate});
}

TEST_F(OpensslFiles, OfYesterdayOpen) {
    EXPECT_EQ(working(opened(exported("-legacy"))), Certificates{m_key.certificate});
}

TEST_F(OpensslFiles, WithOtherProtectionOpen) {
    for (char const* options : {"-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg SHA512", "-nomac", "-certpbe NONE",
                                "-keypbe NONE -certpbe NONE", "-nomaciter -noiter", "-iter 600000",
                                "-certfile ca.pem -name 'my key' -caname issuer"}) {
        EXPECT_EQ(working(opened(exported(options))), Certificates{m_key.certificate}) << options;
    }
}

TEST_F(OpensslFiles, WithAPasswordInKazakhOpen) {
    m_folder.run(
        "openssl pkcs12 -export -inkey key.pem -in certificate.pem -passout pass:Құпия12 -legacy -out made.p12");

    EXPECT_EQ(working(opened(m_folder.read_octets("made.p12"), "Құпия12")), Certificates{m_key.certificate});
}

TEST_F(OpensslFiles, AWrongPasswordIsSaidToBeOne) {
    for (char const* options : {"", "-legacy", "-nomac"}) {
        auto const file = exported(options);
        EXPECT_EQ(opened(file, "Qwerty13").error().code, Errc::password_incorrect) << options;
    }
}

TEST_F(OpensslFiles, ThatNoPasswordProtectsAreNotOpened) {
    EXPECT_EQ(opened(exported("-nomac -keypbe NONE -certpbe NONE")).error().code, Errc::key_file_unsupported);
}

TEST_F(OpensslFiles, WithoutTheKeyOfItsCertificateHaveNone) {
    m_folder.run("openssl pkcs12 -export -nokeys -in certificate.pem -passout pass:Qwerty12 -out made.p12");

    auto const keys = opened(m_folder.read_octets("made.p12"));
    ASSERT_TRUE(keys);
    EXPECT_TRUE(keys->empty());
}

TEST_F(OpensslFiles, ManyIterationsAreRefusedBeforeTheyAreMade) {
    auto const many = exported("-iter 2000000"); // of each of three parts
    EXPECT_EQ(opened(many).error().code, Errc::key_file_unsupported);
    EXPECT_EQ(opened(many, "wrong").error().code, Errc::password_incorrect) << "the MAC alone is within bounds";

    auto const huge = test::nca_key_file({}, {m_key.certificate}, password, 0x7fffffff);
    EXPECT_EQ(opened(huge).error().code, Errc::key_file_unsupported);
}

TEST_F(OpensslFiles, OtherFilesAreNone) {
    auto const file = exported("");
    for (auto const& octets : {Bytes{}, to_bytes(as_view("not a key file")), m_key.certificate,
                               test::private_key_info(m_key), Bytes(max_file_size + 1, 0x30)}) {
        EXPECT_EQ(opened(octets).error().code, Errc::key_file_malformed) << octets.size();
    }
    auto longer = file;
    longer.push_back(0);
    EXPECT_EQ(opened(longer).error().code, Errc::key_file_malformed);
}

TEST_F(OpensslFiles, TruncatedFilesAreNone) {
    for (auto const& file : {exported("-legacy"), test::nca_key_file({m_key}, password)}) {
        for (std::size_t size = 0; size < file.size(); size += 7) {
            auto const keys = opened(View{file}.first(size));
            ASSERT_FALSE(keys) << size;
            ASSERT_EQ(keys.error().code, Errc::key_file_malformed) << size;
        }
    }
}

TEST_F(OpensslFiles, AFlippedBitGivesNeitherAnotherKeyNorACrash) {
    auto file = exported("-legacy");
    for (std::size_t i = 0; i < file.size(); i += 3) {
        file[i] ^= 0x10;
        if (auto const keys = opened(file)) {
            for (auto const& key : *keys)
                EXPECT_EQ(key.certificate().der(), m_key.certificate) << i;
        }
        file[i] ^= 0x10;
    }
}

// gost-engine writes keys under the names of Russia; the certificate is Kazakhstan's.
TEST_F(OpensslFiles, AGostKeyThatGostEngineWroteSigns) {
    for (auto const kind : {KeyKind::gost2015_512, KeyKind::gost2015_256, KeyKind::gost2004}) {
        auto const key = test::make_certificate({.key = kind});
        m_folder.write("gost.pem", key.private_key_pem());
        openssl_with_gost(
            "pkcs8 -topk8 -in gost.pem -outform DER -v1 PBE-SHA1-3DES -passout pass:Qwerty12 -out key.der");
        auto const file = test::nca_key_file({m_folder.read_octets("key.der")}, {key.certificate}, password);

        EXPECT_EQ(working(opened(file)), Certificates{key.certificate});
    }
}

TEST_F(OpensslFiles, ARussianFileIsReadAndHasNoKeyForKazakhstan) {
    openssl_with_gost(
        "req -x509 -newkey gost2012_512 -pkeyopt paramset:A -nodes -subj /CN=ПРОБА -keyout ru.key -out ru.pem");
    openssl_with_gost("pkcs12 -export -inkey ru.key -in ru.pem -keypbe AES-256-CBC -certpbe AES-256-CBC "
                      "-macalg SHA256 -passout pass:Qwerty12 -out ru.p12");

    auto const keys = opened(m_folder.read_octets("ru.p12"));
    ASSERT_TRUE(keys) << wire_name(keys.error().code);
    EXPECT_TRUE(keys->empty());
}

TEST(KeyFile, HoldsSeveralKeysOfSeveralPeople) {
    auto const first = test::make_certificate({.key = KeyKind::gost2015_512});
    auto const second = test::make_certificate({.common_name = "ПРОБНЫЙ ТЕСТ", .iin = "123456789012"});
    auto const third = test::make_certificate({.key = KeyKind::ec_p256});

    auto const keys = opened(test::nca_key_file({first, second, third}, password));

    EXPECT_EQ(working(keys), (Certificates{first.certificate, second.certificate, third.certificate}));
    EXPECT_EQ(keys->at(1).certificate().common_name(), "ПРОБНЫЙ ТЕСТ");
}

TEST(KeyFile, PairsAKeyWithNoCertificateButItsOwn) {
    auto const key = test::make_certificate({.key = KeyKind::gost2015_512});
    auto const other = test::make_certificate({.key = KeyKind::gost2015_512});

    test::TestKey const mixed{key.kind, key.key, other.certificate};
    auto const keys = opened(test::nca_key_file({mixed}, password));

    ASSERT_TRUE(keys);
    EXPECT_TRUE(keys->empty());
}

TEST(KeyFile, TakesTheSecretNumberInEitherOrderAndWrapping) {
    auto const key = test::make_certificate({.key = KeyKind::gost2015_512});
    auto const info = test::private_key_info(key);
    namespace der = signing::der;
    View rest{info};
    rest = der::take(rest, der::sequence)->content;
    der::take(rest, der::integer);
    auto const identifier = to_bytes(der::take(rest, der::sequence)->octets);
    auto wrapped = der::take(rest, der::octet_string)->content;
    auto const number = to_bytes(der::take(wrapped, der::octet_string)->content);
    Bytes const turned(number.rbegin(), number.rend());
    static constexpr unsigned char version[] = {der::integer, 1, 0};

    for (auto const& inner : {number, turned, der::element(der::octet_string, {turned})}) {
        auto const made = der::element(der::sequence, {version, identifier, der::element(der::octet_string, {inner})});
        auto const* at = made.data();
        std::unique_ptr<::PKCS8_PRIV_KEY_INFO, decltype(&::PKCS8_PRIV_KEY_INFO_free)> const parsed{
            ::d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(made.size())), &::PKCS8_PRIV_KEY_INFO_free};
        auto const pair = SigningKey::pair(*signing::Certificate::parse(key.certificate), parsed.get());
        ASSERT_TRUE(pair);
        EXPECT_TRUE(pair->sign(Bytes(64, 7)));
        EXPECT_EQ(pair->sign(Bytes(32, 7)).error().code, Errc::digest_length);
    }
}

TEST(KeyFile, IsRefusedWhereItHasNoEndOfKeys) {
    auto const key = test::make_certificate({.key = KeyKind::ec_p256});

    EXPECT_EQ(opened(test::nca_key_file(std::vector<test::TestKey>(65, key), password)).error().code,
              Errc::key_file_malformed);
}

// ---- another password ----

Result<Bytes> with_password(View octets, std::string const& present, std::string const& next) {
    static OldCiphers const old_ciphers;
    auto const file = KeyFile::parse(octets);
    if (!file) return file.error();
    return file->with_password(pin_of(present), pin_of(next));
}

TEST_P(KeyFileOf, TheNcaGetsAnotherPasswordAndOpensWithNoOther) {
    auto const key = test::make_certificate({.key = GetParam()});
    auto const other = test::make_certificate();
    auto const file = test::nca_key_file({key, other}, password);

    auto const changed = with_password(file, password, "New-Password1");

    ASSERT_TRUE(changed) << wire_name(changed.error().code) << changed.error().detail;
    EXPECT_EQ(working(opened(*changed, "New-Password1")), (Certificates{key.certificate, other.certificate}));
    EXPECT_EQ(opened(*changed).error().code, Errc::password_incorrect);
    EXPECT_EQ(working(opened(file)), (Certificates{key.certificate, other.certificate})) << "the old one is as it was";
}

TEST(NewPassword, IsNotSetWithAWrongPresentOne) {
    auto const file = test::nca_key_file({test::make_certificate()}, password);

    EXPECT_EQ(with_password(file, "another", "New-Password1").error().code, Errc::password_incorrect);
    EXPECT_EQ(with_password(file, password, "short").error().code, Errc::pin_length);
    EXPECT_EQ(with_password(file, password, std::string(33, 'x')).error().code, Errc::pin_length);
}

TEST(NewPassword, OfAFileUnderAesIsReadByOpenSslToo) {
    test::Scratch const folder;
    auto const key = test::make_certificate();
    folder.write("key.pem", key.private_key_pem());
    folder.write("certificate.pem", test::certificate_pem(key.certificate));
    folder.run("openssl pkcs12 -export -inkey key.pem -in certificate.pem -name mine -passout pass:" +
               std::string{password} + " -out key.p12");

    auto const changed = with_password(as_view(folder.read("key.p12")), password, "New-Password1");

    ASSERT_TRUE(changed) << changed.error().detail;
    folder.write("new.p12", *changed);
    folder.run("openssl pkcs12 -in new.p12 -passin pass:New-Password1 -nodes > out.pem");
    auto const out = folder.read("out.pem");
    EXPECT_NE(out.find("friendlyName: mine"), out.npos);
    EXPECT_NE(out.find("BEGIN PRIVATE KEY"), out.npos);
}

} // namespace
} // namespace tamga::keyfile

// pkcs11/: what needs no token.
#include "pkcs11/cryptoki_error.hpp"
#include "pkcs11/lease.hpp"
#include "pkcs11/module_config.hpp"
#include "pkcs11/watch.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

namespace tamga::pkcs11 {
namespace {

TEST(CryptokiError, GivesWhatThePersonActsOnItsOwnWord) {
    struct Case {
        CK_RV rv;
        Errc code;
    };
    for (auto const& [rv, code] :
         {Case{CKR_PIN_INCORRECT, Errc::pin_incorrect}, Case{CKR_PIN_LEN_RANGE, Errc::pin_length},
          Case{CKR_PIN_LOCKED, Errc::pin_locked}, Case{CKR_PIN_EXPIRED, Errc::pin_expired},
          Case{CKR_DEVICE_REMOVED, Errc::token_absent}, Case{CKR_TOKEN_NOT_PRESENT, Errc::token_absent},
          Case{CKR_SESSION_HANDLE_INVALID, Errc::token_absent}, Case{CKR_KEY_HANDLE_INVALID, Errc::key_not_found},
          Case{CKR_MECHANISM_INVALID, Errc::mechanism_unsupported}, Case{CKR_DEVICE_MEMORY, Errc::token_full},
          Case{CKR_TOKEN_WRITE_PROTECTED, Errc::token_write_protected},
          Case{CKR_SESSION_READ_ONLY, Errc::token_write_protected},
          Case{CKR_FUNCTION_CANCELED, Errc::user_cancelled}}) {
        EXPECT_EQ(to_errc(rv), code) << rv;
    }
}

TEST(CryptokiError, IsTokenFailureForEverythingElse) {
    for (CK_RV rv : {CKR_GENERAL_ERROR, CKR_USER_ALREADY_LOGGED_IN, CKR_VENDOR_DEFINED | 77UL, ~CK_RV{0}}) {
        EXPECT_EQ(to_errc(rv), Errc::token_failure) << rv;
    }
}

TEST(CryptokiError, NamesTheCallAndTheNumber) {
    EXPECT_TRUE(check(CKR_OK, "C_Sign"));
    EXPECT_EQ(check(0xa0, "C_Login").error().detail, "C_Login: 0xa0");
}

TEST(Limits, AreThoseThatAPersonIsToldOf) {
    using namespace std::chrono_literals;
    Limits const limits;

    EXPECT_EQ(limits.of(Operation::list), 10s);
    EXPECT_EQ(limits.of(Operation::login), 15s);
    EXPECT_EQ(limits.of(Operation::pin_pad), 60s);
    EXPECT_EQ(limits.of(Operation::sign), 30s);
    EXPECT_EQ(limits.of(Operation::write), 60s);
    EXPECT_EQ(limits.of(Operation::change_pin), 180s);
    EXPECT_EQ(limits.of(Operation::generate), 600s);
}

TEST(Limits, AreDividedAllAlikeForTests) {
    auto const limits = Limits{}.divided_by(5);

    for (auto const operation : {Operation::list, Operation::login, Operation::pin_pad, Operation::sign,
                                 Operation::write, Operation::change_pin, Operation::generate}) {
        EXPECT_EQ(limits.of(operation) * 5, Limits{}.of(operation));
    }
}

TEST(TokenInfo, IsTrimmedAndMadeUtf8) {
    EXPECT_EQ(padded_text(as_view("Қаз  ")), "Қаз");
    EXPECT_EQ(padded_text(as_view(std::string{"abc\0\0", 5})), "abc");
    EXPECT_EQ(padded_text(as_view("a\xff\xc3 ")), "a\uFFFD\uFFFD");
    EXPECT_EQ(padded_text(as_view("\xc0\xaf\xed\xa0\x80")), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(padded_text(as_view("   ")), "");
}

class ModuleConfiguration : public ::testing::Test {
protected:
    Result<std::vector<ModuleConfig>> read(std::string const& system, std::string const& user) {
        if (!system.empty()) folder.write("system.toml", system);
        if (!user.empty()) folder.write("user.toml", user);
        auto files = read_module_files(folder / "system.toml", folder / "user.toml");
        if (!files) return files.error();
        return std::move(files->modules);
    }
    static std::string entry(std::string const& name, std::string const& more = "") {
        return "[[module]]\nname = \"" + name + "\"\npath = \"/usr/lib/x.so\"\nstorage = \"AKKaztokenStore\"\n" + more;
    }

    test::Scratch folder;
};

TEST_F(ModuleConfiguration, IsEmptyWithoutFiles) {
    EXPECT_TRUE(read("", "")->empty());
}

TEST_F(ModuleConfiguration, PutsTheSystemsModulesFirst) {
    auto const modules = read(entry("one"), entry("two", "environment = { X_CONF = \"/a b\" }\n"));

    ASSERT_EQ(modules->size(), 2U);
    EXPECT_EQ(modules->at(0).name, "one");
    EXPECT_EQ(modules->at(1).path, "/usr/lib/x.so");
    EXPECT_EQ(modules->at(1).storage, "AKKaztokenStore");
    ASSERT_EQ(modules->at(1).environment.size(), 1U);
    EXPECT_EQ(modules->at(1).environment[0], (std::pair<std::string, std::string>{"X_CONF", "/a b"}));
}

TEST_F(ModuleConfiguration, S11_LeavesTheUsersFileOutWhereTheSystemForbidsIt) {
    EXPECT_EQ(read("user_modules = false\n" + entry("one"), entry("two"))->size(), 1U);
    for (char const* line : {"user_modules = true\n", "user_modules = false\n"})
        EXPECT_EQ(read(entry("one"), line).error().code, Errc::config_invalid) << line;
}

TEST_F(ModuleConfiguration, S11_IsNotReadFromAFileThatOthersCanWrite) {
    folder.write("user.toml", entry("two"));
    std::filesystem::permissions(folder / "user.toml", std::filesystem::perms::others_write,
                                 std::filesystem::perm_options::add);

    EXPECT_EQ(read("", "").error().code, Errc::file_untrusted);
}

TEST_F(ModuleConfiguration, RefusesVariablesThatChooseCode) {
    for (char const* name : {"LD_PRELOAD", "LD_AUDIT", "PATH", "GCONV_PATH", "GLIBC_TUNABLES", "OPENSSL_MODULES"}) {
        auto const modules = read("", entry("two", std::string{"environment = { "} + name + " = \"x\" }\n"));

        ASSERT_FALSE(modules) << name;
        EXPECT_EQ(modules.error().code, Errc::config_invalid);
        EXPECT_NE(modules.error().detail.find(name), std::string::npos);
    }
}

TEST_F(ModuleConfiguration, NamesTheFileAndTheKeyAtFault) {
    struct Case {
        std::string content;
        char const* key;
    };
    std::string const head = "[[module]]\nname = \"x\"\n";
    for (auto const& [content, key] :
         {Case{"module = 3", ": line 1: module: "}, Case{"user_modules = \"no\"", ": line 1: user_modules: "},
          Case{"verbose = true", ": line 1: verbose: unknown key; here may stand: user_modules, "},
          Case{entry("x", "slot = \"1\"\n"), ": line 5: module.slot: "},
          Case{entry("x", "slot = 1\n"), ": line 5: module.slot: unknown key; here may stand: name, path, "},
          Case{"user_modules = true", ": line 1: user_modules: belongs into "},
          Case{entry("x", "single_threaded = 1\n"), ": line 5: module.single_threaded: "},
          Case{entry("x", "environment = 1\n"), ": line 5: module.environment: "},
          Case{entry("x", "environment = { A = 1 }\n"), ": line 5: module.environment.A: "},
          Case{"[[module]]\npath = \"/x\"\nstorage = \"AKKaztokenStore\"", ": line 1: module.name: "},
          Case{head + "path = \"x.so\"\nstorage = \"AKKaztokenStore\"", ": line 3: module.path: "},
          Case{head + "path = \"/x.so\"\nstorage = \"PKCS12\"",
               ": line 4: module.storage: not a known storage name: AK"},
          Case{"\n= 1", ": line 2: "}}) {
        auto const modules = read("", content);

        ASSERT_FALSE(modules) << content;
        EXPECT_EQ(modules.error().code, Errc::config_invalid);
        EXPECT_NE(modules.error().detail.find((folder / "user.toml").string() + key), std::string::npos)
            << modules.error().detail;
    }
}

static_assert(!std::is_copy_constructible_v<Session::Login>);
static_assert(!std::is_move_constructible_v<Session>);

TEST(Parameters, NameACurveInKazakhOrRussianWordsAndNoOther) {
    // DER of the identifiers of the NCA's 512-bit set A, tc26-512-A, tc26-512-B and CryptoPro-A.
    Bytes const damaged{0x06, 0x0b, 0x2a, 0x83, 0x0e, 0x03, 0x0a, 0x01, 0x01, 0x02, 0x02, 0x01};
    Bytes const kz{0x06, 0x0a, 0x2a, 0x83, 0x0e, 0x03, 0x0a, 0x01, 0x01, 0x02, 0x02, 0x01};
    Bytes const russian{0x06, 0x09, 0x2a, 0x85, 0x03, 0x07, 0x01, 0x02, 0x01, 0x02, 0x01};
    Bytes const another{0x06, 0x09, 0x2a, 0x85, 0x03, 0x07, 0x01, 0x02, 0x01, 0x02, 0x02};
    Bytes const old{0x06, 0x07, 0x2a, 0x85, 0x03, 0x02, 0x02, 0x23, 0x01};
    using signing::KeyAlgorithm;

    EXPECT_TRUE(accepts_parameters(KeyAlgorithm::gost2015_512, kz));
    EXPECT_TRUE(accepts_parameters(KeyAlgorithm::gost2015_512, russian));
    EXPECT_TRUE(accepts_parameters(KeyAlgorithm::gost2015_512, {})) << "a token need not show them";
    EXPECT_FALSE(accepts_parameters(KeyAlgorithm::gost2015_512, another));
    EXPECT_FALSE(accepts_parameters(KeyAlgorithm::gost2015_512, old));
    EXPECT_FALSE(accepts_parameters(KeyAlgorithm::gost2015_512, damaged)) << "its length is wrong";
    EXPECT_TRUE(accepts_parameters(KeyAlgorithm::gost2004, old));
    EXPECT_TRUE(accepts_parameters(KeyAlgorithm::rsa, old)) << "an RSA key has no curve";
}

} // namespace
} // namespace tamga::pkcs11

// Tokens nobody configured: the real tamga-token with a table of families and no modules.toml.
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

namespace tamga::test {
namespace {

class TokenOfAFamily : public ::testing::Test {
protected:
    TokenOfAFamily() : token{folder, {fake_token_line("one"), fake_token_line("two"), fake_token_line("three")}} {
        std::filesystem::remove(folder / "config/tamga/modules.toml");
    }

    /// A copy of the fake module: a library of its own.
    [[nodiscard]] std::string library(std::string const& name) const {
        std::filesystem::copy_file(TAMGA_FAKE_MODULE, folder / name);
        return (folder / name).string();
    }
    static std::string row(std::string const& id, std::string const& storage, std::string const& library,
                           std::string const& manufacturer) {
        return "[[family]]\nid = \"" + id + "\"\nstorage = \"" + storage +
               "\"\nname = { kk = \"Токен\", ru = \"Токен\", en = \"Token\" }\ntokens = [{ manufacturer = \"" +
               manufacturer + "\" }]\nmodules = [\"" + library + "\"]\nunblocking = \"puk\"\n";
    }
    void table(std::string const& content) const { folder.write("config/tamga/families.toml", content); }
    /// Label and storage of what the process of that number shows.
    std::map<std::string, std::string> storages(std::string const& number) const {
        TokenDriver driver{folder.path(), number, "TAMGA_FAKE_PKCS11=" + (folder / "knobs").string()};
        std::map<std::string, std::string> shown;
        for (auto const& found : driver.list(ipc::Depth::tokens).tokens)
            shown[found.info.label] = found.info.storage;
        return shown;
    }
    std::uint8_t count() const {
        TokenDriver driver{folder.path(), "--count"};
        if (!ipc::await_hello(driver.control, ipc::Role::token, patience)) return 0;
        return expect<ipc::ModuleCount>(driver.control).count;
    }

    Scratch folder;
    FakeToken token;
};

using Storages = std::map<std::string, std::string>;

TEST_F(TokenOfAFamily, IsFoundByAddingARow) {
    table("other_storage = \"AKAKEYStore\"\n" + row("mine", "AKJaCartaStore", library("a.so"), "Mine*"));
    token.knobs("maker 0 Mine Ltd.\n");

    EXPECT_EQ(count(), 1);
    EXPECT_EQ(storages("0"), (Storages{{"one", "AKJaCartaStore"}, {"two", "AKAKEYStore"}, {"three", "AKAKEYStore"}}));
}

TEST_F(TokenOfAFamily, TellsItsFamilyAndHowItsPinIsUnlocked) {
    table(row("mine", "AKJaCartaStore", library("a.so"), "Tamga*"));
    TokenDriver driver{folder.path(), "0", "TAMGA_FAKE_PKCS11=" + (folder / "knobs").string()};

    auto const info = driver.list(ipc::Depth::tokens).tokens.at(0).info;

    EXPECT_EQ(info.family, "mine");
    EXPECT_EQ(info.family_name.in(Language::ru), "Токен");
    EXPECT_EQ(info.unblocking, Unblocking::puk);
}

TEST_F(TokenOfAFamily, IsKnownByItsReaderToo) {
    auto content = row("mine", "AKJaCartaStore", library("a.so"), "Nobody");
    content.replace(content.find("manufacturer"), std::string{"manufacturer"}.size(), "reader");
    table(content);
    token.knobs("reader 1 Nobody\n");

    EXPECT_EQ(storages("0").at("two"), "AKJaCartaStore");
    EXPECT_EQ(storages("0").at("one"), "");
}

TEST_F(TokenOfAFamily, IsShownByOneModuleAlone) {
    table(row("mine", "AKJaCartaStore", library("a.so"), "Mine") +
          row("theirs", "AKEToken72KStore", library("b.so"), "Theirs"));
    token.knobs("maker 0 Mine\nmaker 1 Theirs\nmaker 2 Theirs\n");

    EXPECT_EQ(count(), 2);
    EXPECT_EQ(storages("0"), (Storages{{"one", "AKJaCartaStore"}}));
    EXPECT_EQ(storages("1"), (Storages{{"two", "AKEToken72KStore"}, {"three", "AKEToken72KStore"}}));
}

TEST_F(TokenOfAFamily, CannotBeUnlockedThroughAModuleThatDoesNotShowIt) {
    table(row("mine", "AKJaCartaStore", library("a.so"), "Mine") +
          row("theirs", "AKEToken72KStore", library("b.so"), "Theirs"));
    token.knobs("maker 0 Theirs\n");
    TokenDriver driver{folder.path(), "0", "TAMGA_FAKE_PKCS11=" + (folder / "knobs").string()};
    auto prompt = driver.prompt(ipc::RequestId{1});

    EXPECT_EQ(unlock(prompt, ipc::SlotId{0}, user_pin).reply.status.code, Errc::token_absent);
    EXPECT_EQ(token.calls("C_Login"), 0U);
}

TEST_F(TokenOfAFamily, HasItsModuleExplainedToWhoeverAsks) {
    table(row("mine", "AKJaCartaStore", library("a.so"), "Mine") +
          row("theirs", "AKEToken72KStore", "/nonexistent/b.so", "Theirs"));

    folder.run("XDG_CONFIG_HOME=$PWD/config " TAMGA_PROGRAMS_DIR "/tamga-token --modules > report");

    auto const report = folder.read("report");
    EXPECT_NE(report.find("module 0: a, " + (folder / "a.so").string() + "\n"), report.npos) << report;
    EXPECT_NE(report.find("family theirs, AKEToken72KStore\n  passed over  /nonexistent/b.so (vendor): not there\n"
                          "  no module"),
              report.npos)
        << report;
}

TEST(TokenTable, WithAFaultCountsAsOneModuleSoThatSomebodyCanSaySo) {
    Scratch const folder;
    folder.write("config/tamga/families.toml", "colour = 1\n");
    TokenDriver driver{folder.path(), "--count"};

    ASSERT_TRUE(ipc::await_hello(driver.control, ipc::Role::token, patience));
    EXPECT_EQ(expect<ipc::ModuleCount>(driver.control).count, 1);
    EXPECT_NE(driver.wait(), 0);
}

} // namespace
} // namespace tamga::test

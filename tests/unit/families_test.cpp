// The table of families: how it is read, and whose a token is.
#include "pkcs11/families_file.hpp"
#include "pkcs11/opensc_conf.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <unistd.h>

namespace tamga::pkcs11 {
namespace {

Bytes from_hex(std::string_view digits) {
    return AtrPattern::parse(digits)->value();
}

Families shipped() {
    auto families = read_families({TAMGA_SOURCE_DIR "/data/families.toml"});
    EXPECT_TRUE(families) << families.error().detail;
    return std::move(*families);
}

Seen with_atr(std::string_view digits, std::string reader = {}) {
    return {from_hex(digits), std::move(reader), {}, {}};
}

TEST(AtrPattern, MatchesOctetsAndHalfOctetsThatArePlain) {
    auto const pattern = AtrPattern::parse("3B 8? ??:01");

    ASSERT_TRUE(pattern);
    EXPECT_TRUE(pattern->matches(from_hex("3b 81 ff 01")));
    EXPECT_FALSE(pattern->matches(from_hex("3b 91 ff 01")));
    EXPECT_FALSE(pattern->matches(from_hex("3b 81 ff 02")));
    EXPECT_FALSE(pattern->matches(from_hex("3b 81 ff")));
    EXPECT_FALSE(pattern->matches(from_hex("3b 81 ff 01 00")));
}

TEST(AtrPattern, IsRefusedWhereItIsNone) {
    std::string const too_long(34 * 2, '0');
    for (char const* text : {"", "3B", "3B 8", "3 B8", "3B 8G", "3B*", too_long.c_str()})
        EXPECT_FALSE(AtrPattern::parse(text)) << text;
}

TEST(TextPattern, KnowsStarsAndIgnoresCase) {
    struct Case {
        char const* pattern;
        char const* text;
        bool matches;
    };
    for (auto const& [pattern, text, matches] :
         {Case{"Aktiv*", "AKTIV Co.", true}, Case{"*jacarta*", "ARDS JaCarta [Main Interface] 00 00", true},
          Case{"a*b*c", "aXbXbXc", true}, Case{"a*b", "aXbX", false}, Case{"PRO", "PROFILE", false},
          Case{"PRO", "pro", true}, Case{"", "anything", true}, Case{"*", "", true}, Case{"a", "", false},
          Case{"**x", "yx", true}, Case{"Қаз*", "Қазтокен", true}}) {
        EXPECT_EQ(matches_text(pattern, text), matches) << pattern << " and " << text;
    }
}

TEST(ShippedFamilies, HaveARowForEveryTokenStorageThatPagesKnow) {
    auto const families = shipped();
    std::set<std::string> storages;
    for (auto const& row : families.rows())
        storages.insert(row.storage);

    EXPECT_EQ(storages, (std::set<std::string>{"AKKaztokenStore", "AKKZIDCardStore", "AKEToken72KStore",
                                               "AKEToken5110Store", "AKJaCartaStore", "AKAKEYStore"}));
    EXPECT_FALSE(families.opensc_modules().empty());
}

TEST(ShippedFamilies, KnowTheirTokensByAtr) {
    auto const families = shipped();
    struct Case {
        Seen seen;
        char const* id;
    };
    for (auto const& [seen, id] :
         {Case{with_atr("3B 88 01 4B 41 5A 54 4F 4B 45 4E 82"), "kaztoken"},
          Case{with_atr("3B 98 96 00 4B 41 5A 54 4F 4B 45 4E"), "kaztoken"},
          Case{with_atr("3B D5 18 00 81 31 3A 7D 80 73 C8 21 10 30"), "etoken-72k"},
          Case{with_atr("3B FF 96 00 00 81 31 FE 43 80 31 80 65 B0 85 59 56 FB 12 0F FE 82 90 00 00"),
               "etoken-5110-idprime"},
          Case{with_atr("3B D5 18 FF 80 91 FE 1F C3 80 73 C8 21 13 08"), "jacarta"}}) {
        EXPECT_EQ(families.classify(seen).id, id);
    }
}

TEST(ShippedFamilies, TellTwoWithTheSameAtrApartByTheirReader) {
    auto const families = shipped();
    char const* const shared = "3B D5 18 00 81 31 FE 7D 80 73 C8 21 10 F4";

    EXPECT_EQ(families.classify(with_atr(shared, "AKS ifdh [eToken 5110 SC] 00 00")).id, "etoken-5110");
    EXPECT_EQ(families.classify(with_atr(shared, "Aladdin Token JC 00 00")).id, "etoken-72k");
    // Through SafeNet's library both say the same of themselves.
    auto old = with_atr(shared, "Aladdin Token JC 00 00");
    old.manufacturer = "SafeNet, Inc.";
    old.model = "eToken";
    EXPECT_EQ(families.classify(old).id, "etoken-72k");
}

TEST(ShippedFamilies, KnowTheirTokensByTheirStringsWhereNobodyToldTheAtr) {
    auto const families = shipped();
    struct Case {
        Seen seen;
        char const* id;
    };
    for (auto const& [seen, id] :
         {Case{{{}, "", "Aktiv Co.", "PKCS#15"}, "kaztoken"}, Case{{{}, "", "SafeNet, Inc.", "eToken"}, "etoken-5110"},
          Case{{{}, "", "Aladdin R.D.", "JaCarta Laser"}, "jacarta"},
          Case{{{}, "", "Aladdin R.D.", "PRO"}, "etoken-72k"}, Case{{{}, "", "Nobody", "aKey 2"}, "akey"},
          Case{{{}, "", "SoftHSM project", "SoftHSM v2"}, "other"}, Case{{{}, "", "", ""}, "other"}}) {
        EXPECT_EQ(families.classify(seen).id, id) << seen.manufacturer << ", " << seen.model;
    }
}

TEST(ShippedFamilies, KnowTheDefaultPinThatWasTyped) {
    auto const families = shipped();
    auto const& row = *families.find("akey");

    EXPECT_TRUE(row.is_default_pin(as_view("12345678")));
    EXPECT_TRUE(row.is_default_pin(as_view("1234567890")));
    EXPECT_FALSE(row.is_default_pin(as_view("123456789")));
    EXPECT_FALSE(row.is_default_pin({}));
}

class FamilyTables : public ::testing::Test {
protected:
    static std::string row(std::string const& id, std::string const& more = "") {
        return "[[family]]\nid = \"" + id +
               "\"\nstorage = \"AKAKEYStore\"\nname = { kk = \"к\", ru = \"р\", en = \"e\" }\n" + more;
    }
    Result<Families> read(std::vector<std::string> const& contents) {
        std::vector<std::filesystem::path> files;
        for (auto const& content : contents) {
            auto const name = "table" + std::to_string(files.size());
            folder.write(name, content);
            files.push_back(folder / name);
        }
        return read_families(files);
    }

    test::Scratch folder;
};

TEST_F(FamilyTables, AreEmptyWithoutAFile) {
    auto const families = read_families({folder / "nothing"});

    ASSERT_TRUE(families);
    EXPECT_TRUE(families->rows().empty());
    EXPECT_EQ(families->classify({}).id, "other");
    EXPECT_EQ(families->classify({}).storage, "");
}

TEST_F(FamilyTables, LetTheMoreImportantOneReplaceWholeRowsAndGoFirst) {
    auto const families = read({row("a", "default_pins = [\"1\"]\n"),
                                "other_storage = \"AKJaCartaStore\"\n" + row("b") + row("a", "pin_tries = 3\n"),
                                "other_storage = \"AKAKEYStore\"\n" + row("c")});

    ASSERT_TRUE(families) << families.error().detail;
    ASSERT_EQ(families->rows().size(), 3U);
    EXPECT_EQ(families->rows()[0].id, "a");
    EXPECT_EQ(families->rows()[0].pin_tries, std::nullopt);
    EXPECT_EQ(families->rows()[1].id, "b");
    EXPECT_EQ(families->rows()[2].id, "c");
    EXPECT_EQ(families->other().storage, "AKJaCartaStore");
}

TEST_F(FamilyTables, ReadEveryKeyOfARow) {
    auto const families = read({row("a", R"(atrs = ["3B 00"]
tokens = [{ manufacturer = "M", model = "N", reader = "R" }]
usb = ["0529:0620"]
modules = ["/opt/x.so"]
opensc = { driver = "rutoken_ecp", type = 7 }
default_pins = ["1", "2"]
unblocking = "puk"
pin_tries = 5
quirks = ["single_threaded"]
)")});

    ASSERT_TRUE(families) << families.error().detail;
    auto const& family = families->rows().at(0);
    EXPECT_EQ(family.name.in(Language::kk), "к");
    EXPECT_EQ(family.name.in(Language::ru), "р");
    EXPECT_EQ(family.name.in(Language::en), "e");
    EXPECT_TRUE(family.has_atr(from_hex("3B 00")));
    EXPECT_TRUE(family.has_strings({{}, "R", "M", "N"}));
    EXPECT_FALSE(family.has_strings({{}, "R", "M", "other"}));
    EXPECT_EQ(family.usb, std::vector<std::string>{"0529:0620"});
    EXPECT_EQ(family.modules, std::vector<std::filesystem::path>{"/opt/x.so"});
    EXPECT_EQ(family.opensc->driver, "rutoken_ecp");
    EXPECT_EQ(family.unblocking, Unblocking::puk);
    EXPECT_EQ(family.pin_tries, 5);
    EXPECT_TRUE(family.quirks.single_threaded);
}

TEST_F(FamilyTables, AllowAModuleTheOneThingThatItsRowNames) {
    struct Case {
        char const* quirk;
        Permit permit;
    };
    for (auto const& [quirk, permit] :
         {Case{"allow_network", Permit::network}, Case{"allow_programs", Permit::programs},
          Case{"allow_tracing", Permit::tracing}, Case{"allow_mounts", Permit::mounts},
          Case{"allow_keyrings", Permit::keyrings}, Case{"allow_bpf", Permit::bpf}}) {
        auto const families = read({row("a", "quirks = [\"" + std::string{quirk} + "\"]\n") + row("b")});

        ASSERT_TRUE(families) << families.error().detail;
        EXPECT_EQ(families->rows().at(0).quirks.allow, permit) << quirk;
        EXPECT_EQ(families->rows().at(1).quirks.allow, std::nullopt);
    }
}

TEST_F(FamilyTables, AllowNoModuleTwoThings) {
    auto const families = read({row("a", "quirks = [\"allow_network\", \"allow_bpf\"]\n")});

    ASSERT_FALSE(families);
    EXPECT_EQ(families.error().code, Errc::config_invalid);
}

TEST_F(FamilyTables, NameFileLineAndKeyOfWhatIsWrong) {
    struct Case {
        std::string content;
        char const* fault;
    };
    auto const fifth = [](std::string const& line) { return row("a", line + "\n"); };
    for (auto const& [content, fault] :
         {Case{"= 1", "line 1: "},
          Case{"colour = 1", "line 1: colour: unknown key; here may stand: other_storage, opensc, family"},
          Case{"family = 1", "line 1: family: "},
          Case{"other_storage = \"PKCS12\"", "line 1: other_storage: "},
          Case{"opensc = 1", "line 1: opensc: "},
          Case{"[opensc]\npath = \"/x\"", "line 2: opensc.path: "},
          Case{row("other"), "line 1: family.id: "},
          Case{row("a") + row("a"), "line 5: family.id: "},
          Case{fifth("weight = 1"), "line 5: family.weight: unknown key; here may stand: id, storage, name, "},
          Case{fifth("weight = \"1\""), "line 5: family.weight: "},
          Case{fifth("atrs = [\"3B 8G\"]"), "line 5: family.atrs: "},
          Case{fifth("atrs = [3]"), "line 5: family.atrs: "},
          Case{fifth("usb = [\"529:620\"]"), "line 5: family.usb: "},
          Case{fifth("tokens = [{}]"), "line 5: family.tokens: "},
          Case{fifth("tokens = [{ model = \"\" }]"), "line 5: family.tokens.model: "},
          Case{fifth("tokens = [{ serial = \"1\" }]"), "line 5: family.tokens.serial: "},
          Case{fifth("modules = [\"x.so\"]"), "line 5: family.modules: "},
          Case{fifth("opensc = { driver = \"x\\\"; }\" }"), "line 5: family.opensc.driver: "},
          Case{fifth("unblocking = \"hammer\""), "line 5: family.unblocking: not a way that is known: so_pin, "},
          Case{fifth("atrs = \"3B 88\""), "line 5: family.atrs: a list is needed"},
          Case{fifth("unblocking = [\"puk\"]"), "line 5: family.unblocking: text is needed"},
          Case{fifth("pin_tries = 0"), "line 5: family.pin_tries: "},
          Case{fifth("quirks = [\"odd\"]"), "line 5: family.quirks: "},
          Case{"[[family]]\nid = \"a\"\nstorage = \"PKCS12\"", "line 3: family.storage: "},
          Case{"[[family]]\nid = \"a\"\nstorage = \"AKAKEYStore\"", "line 1: family.name: "},
          Case{"[[family]]\nname = { en = \"e\" }", "line 2: family.name: "}}) {
        auto const families = read({content});

        ASSERT_FALSE(families) << content;
        EXPECT_EQ(families.error().code, Errc::config_invalid);
        auto const start = (folder / "table0").string() + ": " + fault;
        EXPECT_EQ(families.error().detail.substr(0, start.size()), start);
    }
}

TEST_F(FamilyTables, AreNotReadFromAFileThatOthersCanWrite) {
    folder.write("table", row("a"));
    std::filesystem::permissions(folder / "table", std::filesystem::perms::others_write,
                                 std::filesystem::perm_options::add);

    EXPECT_EQ(read_families({folder / "table"}).error().code, Errc::file_untrusted);
}

TEST_F(FamilyTables, TellOpenScWhichDriverTakesWhichAtr) {
    auto const families =
        read({row("a", "atrs = [\"3B 8? 01\"]\nopensc = { driver = \"rutoken_ecp\", type = 36001 }\n") +
              row("b", "atrs = [\"3B 00\"]\nopensc = {}\n") + row("c", "atrs = [\"3B 01\"]\n")});

    EXPECT_EQ(opensc_conf(*families), "app default {\n"
                                      "    card_atr 3b:80:01 {\n"
                                      "        atrmask = \"ff:f0:ff\";\n"
                                      "        driver = \"rutoken_ecp\";\n"
                                      "        type = 36001;\n"
                                      "    }\n"
                                      "}\n");
}

TEST_F(FamilyTables, GiveOpenScAFileThatNobodyCanChange) {
    std::string path;
    auto const file = opensc_conf_file(Families{}, path);

    ASSERT_TRUE(file);
    EXPECT_EQ(::write(file->get(), "x", 1), -1);
    std::ifstream again{path};
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>{again}, {}), "app default {\n}\n");
}

} // namespace
} // namespace tamga::pkcs11

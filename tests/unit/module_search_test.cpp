// Which modules a computer has: the order of looking, and what is passed over.
#include "pkcs11/module_search.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <elf.h>

namespace tamga::pkcs11 {
namespace {

class ModuleSearch : public ::testing::Test {
protected:
    ModuleSearch() {
        files.computer_modules = folder / "etc-modules.toml";
        files.person_modules = folder / "person-modules.toml";
        files.shipped_families = folder / "shipped.toml";
        files.computer_families = folder / "etc-families.toml";
        files.person_families = folder / "person-families.toml";
        files.p11_kit = {folder / "etc-p11-kit", folder / "p11-kit"};
        files.p11_kit_libraries = folder / "p11-kit-libraries";
    }

    /// A file that looks like a library for this processor. @return its path.
    std::string library(std::string const& name) const {
        Elf64_Ehdr header{};
        std::copy_n(ELFMAG, SELFMAG, header.e_ident);
        header.e_ident[EI_CLASS] = ELFCLASS64;
#if defined(__aarch64__)
        header.e_machine = EM_AARCH64;
#else
        header.e_machine = EM_X86_64;
#endif
        folder.write(name, {reinterpret_cast<char const*>(&header), sizeof header});
        return (folder / name).string();
    }
    [[nodiscard]] std::string path(std::string const& name) const {
        return (folder / name).string();
    }
    static std::string row(std::string const& id, std::string const& modules, std::string const& more = "") {
        return "[[family]]\nid = \"" + id +
               "\"\nstorage = \"AKAKEYStore\"\nname = { kk = \"к\", ru = \"р\", en = \"e\" }\n" + "modules = [" +
               modules + "]\n" + more;
    }
    static std::string quoted(std::string const& text) {
        return '"' + text + '"';
    }
    static std::string explicit_module(std::string const& library, std::string const& more = "") {
        return "[[module]]\nname = \"explicit\"\npath = \"" + library + "\"\n" + more;
    }

    [[nodiscard]] Modules found() const {
        auto modules = find_modules(files);
        EXPECT_TRUE(modules) << modules.error().detail;
        return std::move(*modules);
    }
    /// The paths of the modules, as they are loaded.
    [[nodiscard]] std::vector<std::string> paths() const {
        std::vector<std::string> paths;
        for (auto const& module : found().modules)
            paths.push_back(module.path.string());
        return paths;
    }
    /// Why this candidate was passed over; "" where it was taken, "-" where nobody looked at it.
    [[nodiscard]] std::string verdict(std::string const& library) const {
        for (auto const& candidate : found().candidates)
            if (candidate.path == library) return candidate.passed_over;
        return "-";
    }

    test::Scratch folder;
    ConfigFiles files;
};

using Paths = std::vector<std::string>;

TEST_F(ModuleSearch, FindsNothingOnAnEmptyComputer) {
    EXPECT_TRUE(found().modules.empty());
}

TEST_F(ModuleSearch, TakesTheFirstOfTheVendorsPathsThatIsThere) {
    auto const second = library("second.so");
    auto const third = library("third.so");
    folder.write("shipped.toml", row("a", quoted(path("first.so")) + ", " + quoted(second) + ", " + quoted(third)));

    EXPECT_EQ(paths(), Paths{second});
    EXPECT_EQ(verdict(path("first.so")), "not there");
    EXPECT_EQ(verdict(third), "-");
}

TEST_F(ModuleSearch, S11_PassesOverALibraryThatOthersCanWriteAndSaysWhy) {
    auto const writable = library("writable.so");
    std::filesystem::permissions(writable, std::filesystem::perms::all);
    auto const next = library("next.so");
    folder.write("shipped.toml", row("a", quoted(writable) + ", " + quoted(next)));

    EXPECT_EQ(paths(), Paths{next});
    auto const why = writable + ": everybody can write to the file (mode 0777); mend it with: chmod go-w " + writable;
    EXPECT_EQ(verdict(writable), why);
    EXPECT_NE(report(found()).find("passed over  " + writable + " (vendor): " + why + '\n'), std::string::npos);
}

TEST_F(ModuleSearch, PassesOverALibraryForAnotherProcessor) {
    folder.write("narrow.so", std::string{"\x7f"
                                          "ELF\x01"} +
                                  std::string(60, '\0'));
    folder.write("script.so", "INPUT(libother.so)");
    auto const next = library("next.so");
    folder.write("shipped.toml",
                 row("a", quoted(path("narrow.so")) + ", " + quoted(path("script.so")) + ", " + quoted(next)));

    EXPECT_EQ(paths(), Paths{next});
    EXPECT_EQ(verdict(path("narrow.so")), "not a library for this processor");
    EXPECT_EQ(verdict(path("script.so")), "not a library for this processor");
}

TEST_F(ModuleSearch, LoadsALibraryOnceThatServesSeveralFamilies) {
    auto const shared = library("shared.so");
    std::filesystem::create_symlink("shared.so", folder / "link.so");
    folder.write("shipped.toml", row("a", quoted(shared)) + row("b", quoted(path("link.so"))));

    EXPECT_EQ(paths(), Paths{shared});
    EXPECT_TRUE(found().modules[0].elsewhere.empty());
}

TEST_F(ModuleSearch, LeavesTheTokensOfAFamilyToOneModule) {
    auto const vendor = library("vendor.so");
    auto const opensc = library("opensc.so");
    folder.write("shipped.toml", "[opensc]\nmodules = [" + quoted(opensc) + "]\n" +
                                     row("a", quoted(vendor), "opensc = {}\n") + row("b", "", "opensc = {}\n"));
    auto const modules = found().modules;

    EXPECT_EQ(paths(), (Paths{vendor, opensc}));
    EXPECT_EQ(modules[0].elsewhere, std::set<std::string>{"b"});
    EXPECT_EQ(modules[1].elsewhere, std::set<std::string>{"a"});
}

TEST_F(ModuleSearch, AsksP11KitWhereALibraryOfTheVendorsNameLies) {
    auto const elsewhere = library("opt/vendor.so");
    folder.write("p11-kit/some.module",
                 "# a comment\n module : " + elsewhere + " \r\ncritical: no\nremote: |exec rm\n");
    folder.write("shipped.toml", row("a", quoted(path("lib/vendor.so"))));

    EXPECT_EQ(paths(), Paths{elsewhere});
}

TEST_F(ModuleSearch, TakesRelativePathsOfP11KitFromItsFolder) {
    auto const there = library("p11-kit-libraries/vendor.so");
    folder.write("p11-kit/some.module", "module: vendor.so\n");
    folder.write("shipped.toml", row("a", quoted(path("lib/vendor.so"))));

    EXPECT_EQ(paths(), Paths{there});
}

TEST_F(ModuleSearch, LetsTheAdministratorsP11KitFileGoBeforeThePackages) {
    auto const one = library("one/vendor.so");
    auto const two = library("two/vendor.so");
    folder.write("p11-kit/some.module", "module: " + one + "\n");
    folder.write("etc-p11-kit/some.module", "module: " + two + "\n");
    folder.write("shipped.toml", row("a", quoted(path("lib/vendor.so"))));

    EXPECT_EQ(paths(), Paths{two});
}

TEST_F(ModuleSearch, LoadsNothingFromP11KitThatNoFamilyKnows) {
    folder.write("p11-kit/softhsm2.module", "module: " + library("libsofthsm2.so") + "\n");
    folder.write("shipped.toml", row("a", quoted(path("vendor.so"))));

    EXPECT_TRUE(paths().empty());
}

TEST_F(ModuleSearch, S11_ReadsNoP11KitFileThatOthersCanWrite) {
    folder.write("p11-kit/some.module", "module: " + library("opt-vendor.so") + "\n");
    std::filesystem::permissions(folder / "p11-kit/some.module", std::filesystem::perms::all);
    folder.write("shipped.toml", row("a", quoted(path("x/opt-vendor.so"))));

    EXPECT_TRUE(paths().empty());
    ASSERT_EQ(found().refused.size(), 1U);
    EXPECT_EQ(found().refused[0].code, Errc::file_untrusted);
}

TEST_F(ModuleSearch, FallsBackToOpenScWhereTheVendorsLibraryIsMissing) {
    auto const opensc = library("opensc-pkcs11.so");
    folder.write("shipped.toml", "[opensc]\nmodules = [" + quoted(opensc) + "]\n" +
                                     row("a", quoted(path("vendor.so")), "opensc = {}\n") +
                                     row("b", quoted(path("no.so"))));
    auto const modules = found();

    EXPECT_EQ(paths(), Paths{opensc});
    EXPECT_TRUE(is_opensc(modules.families, modules.modules[0].path));
    EXPECT_FALSE(is_opensc(modules.families, "/usr/lib/other.so"));
}

TEST_F(ModuleSearch, PrefersWhatModulesTomlNamesForAFamily) {
    auto const vendor = library("vendor.so");
    auto const chosen = library("chosen.so");
    folder.write("shipped.toml",
                 row("a", quoted(vendor), "quirks = [\"single_threaded\"]\n") + row("b", quoted(vendor)));
    folder.write("etc-modules.toml", explicit_module(chosen, "family = \"a\"\n"));
    auto const modules = found().modules;

    EXPECT_EQ(paths(), (Paths{chosen, vendor}));
    EXPECT_TRUE(modules[0].single_threaded);
    EXPECT_TRUE(modules[0].elsewhere.empty()); // what a person names shows all it has
    EXPECT_EQ(modules[1].elsewhere, std::set<std::string>{"a"});
}

TEST_F(ModuleSearch, TakesAModuleOfTheVendorsFileNameInModulesTomlForTheVendors) {
    folder.write("shipped.toml", row("a", quoted(library("vendor.so"))));
    folder.write("person-modules.toml", explicit_module(library("opt/vendor.so")));

    EXPECT_EQ(paths(), Paths{path("opt/vendor.so")});
}

TEST_F(ModuleSearch, DoesNotLoadTwiceWhatModulesTomlNamesByALink) {
    auto const vendor = library("vendor.so");
    std::filesystem::create_symlink("vendor.so", folder / "link.so");
    folder.write("shipped.toml", row("a", quoted(vendor)));
    folder.write("etc-modules.toml", explicit_module(path("link.so")));

    EXPECT_EQ(paths(), Paths{path("link.so")});
}

TEST_F(ModuleSearch, S11_LeavesThePersonsRowsOutWhereTheComputerForbidsTheirModules) {
    folder.write("person-families.toml", row("a", quoted(library("vendor.so"))));
    EXPECT_EQ(paths().size(), 1U);

    folder.write("etc-modules.toml", "user_modules = false\n");
    EXPECT_TRUE(paths().empty());
    EXPECT_TRUE(found().families.rows().empty());
    EXPECT_EQ(found().left_out, std::vector<std::filesystem::path>{path("person-families.toml")});
}

TEST_F(ModuleSearch, RefusesAModuleForAFamilyThatIsNotThere) {
    folder.write("etc-modules.toml", explicit_module(library("x.so"), "family = \"kaztokn\"\n"));

    EXPECT_EQ(find_modules(files).error().detail,
              path("etc-modules.toml") + ": line 4: module.family: no row of families.toml is called kaztokn");
}

TEST_F(ModuleSearch, HasAtMost64Modules) {
    std::string many;
    for (std::size_t i = 0; i < ipc::max_modules; ++i)
        many += explicit_module("/usr/lib/x.so");
    folder.write("etc-modules.toml", many);

    EXPECT_EQ(found().modules.size(), ipc::max_modules);
    folder.write("person-modules.toml", explicit_module("/usr/lib/x.so"));
    EXPECT_EQ(find_modules(files).error().code, Errc::config_invalid);
}

class Introduction : public ::testing::Test {
protected:
    Introduction() {
        Family known;
        known.id = "known";
        known.storage = "AKAKEYStore";
        known.name = {"к", "р", "e"};
        known.unblocking = Unblocking::puk;
        known.tokens = {{"Maker", "", ""}};
        known.atrs = {*AtrPattern::parse("3B 00")};
        config.families = Families{{known}, {}, "AKKaztokenStore"};
        info.manufacturer = "Maker";
    }

    ModuleConfig config;
    ipc::TokenInfo info;
};

TEST_F(Introduction, TellsWhatTheRowOfATokenSays) {
    EXPECT_TRUE(config.introduce({}, "", info));

    EXPECT_EQ(info.storage, "AKAKEYStore");
    EXPECT_EQ(info.family, "known");
    EXPECT_EQ(info.family_name.in(Language::ru), "р");
    EXPECT_EQ(info.unblocking, Unblocking::puk);
}

TEST_F(Introduction, MakesAnUnknownTokenUsableUnderTheStorageChosenForThose) {
    info.manufacturer = "Nobody";

    EXPECT_TRUE(config.introduce({}, "", info));
    EXPECT_EQ(info.family, "other");
    EXPECT_EQ(info.storage, "AKKaztokenStore");
    EXPECT_FALSE(info.family_name.in(Language::kk).empty());
}

TEST_F(Introduction, BelievesTheAtrMoreThanTheStrings) {
    info.manufacturer = "Nobody";

    EXPECT_TRUE(config.introduce(AtrPattern::parse("3B 00")->value(), "", info));
    EXPECT_EQ(info.family, "known");
}

TEST_F(Introduction, UsesTheStorageAndTheFamilyThatModulesTomlNames) {
    config.storage = "AKJaCartaStore";
    config.family = "known";
    info.manufacturer = "Nobody";

    EXPECT_TRUE(config.introduce({}, "", info));
    EXPECT_EQ(info.storage, "AKJaCartaStore");
    EXPECT_EQ(info.family, "known");
}

TEST_F(Introduction, PassesOverATokenThatAnotherModuleShows) {
    config.elsewhere = {"known"};

    EXPECT_FALSE(config.introduce({}, "", info));
    info.manufacturer = "Nobody";
    EXPECT_TRUE(config.introduce({}, "", info));
}

} // namespace
} // namespace tamga::pkcs11

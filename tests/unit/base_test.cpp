// base/: what every layer relies on.
#include "base/base64.hpp"
#include "base/handshake.hpp"
#include "base/log.hpp"
#include "base/sealed_items.hpp"
#include "base/trusted_file.hpp"
#include "base/unblocking.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sys/mman.h>
#include <sys/stat.h>

namespace tamga {
namespace {

Pin pin_of(std::string text) {
    auto pin = Pin::take({reinterpret_cast<unsigned char*>(text.data()), text.size()});
    EXPECT_TRUE(pin);
    return std::move(*pin);
}

TEST(Result, MadeByDefaultIsAnError) {
    Result<int> const number;
    Result<void> const nothing;

    EXPECT_EQ(number.error().code, Errc::internal);
    EXPECT_FALSE(nothing);
}

TEST(Errc, EveryErrorHasAWordOfItsOwn) {
    std::set<std::string_view> words;
    for (std::size_t i = 0; i < errc_count; ++i)
        words.insert(wire_name(static_cast<Errc>(i)));

    EXPECT_EQ(words.size(), errc_count);
}

TEST(Base64, RoundTripsEveryLength) {
    Bytes bytes;
    for (int i = 0; i < 70; ++i) {
        EXPECT_EQ(*from_base64(to_base64(bytes)), bytes) << i;
        bytes.push_back(static_cast<unsigned char>(i * 37));
    }
}

TEST(Base64, NamesTheFirstWrongOctetAsJavaDoes) {
    auto const decoded = from_base64("SGVs-bG8=");

    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Errc::bad_base64);
    EXPECT_EQ(decoded.error().detail, "2d");
}

TEST(Base64, RefusesWrongPaddingAndLeftOverDigits) {
    for (char const* text : {"A", "AA=", "AAA==", "AAAA=", "AA===", "AA=A"})
        EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Channel, CarriesAMessageAndItsDescriptor) {
    auto pair = ipc::make_pair();
    auto const memfd = seal_items({as_view("first"), as_view("")});
    ipc::SignLarge large;
    large.request = ipc::RequestId{7};

    ASSERT_TRUE(pair->first.send(large, {memfd->get()}));
    auto packet = pair->second.receive();

    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->as<ipc::SignLarge>()->request, ipc::RequestId{7});
    ASSERT_EQ(packet->descriptors.size(), 1U);
    auto const sealed = SealedItems::open(packet->descriptors.front(), 100);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(as_text(sealed->items().at(0)), "first");
    EXPECT_TRUE(sealed->items().at(1).empty());
}

TEST(Channel, SaysClosedWhenTheOtherEndIsGone) {
    auto pair = ipc::make_pair();
    pair->second.close();

    EXPECT_EQ(pair->first.receive().error().code, Errc::channel_closed);
    EXPECT_EQ(pair->first.send(ipc::Stop{}).error().code, Errc::channel_closed);
}

TEST(Channel, HearsTheLastWordsOfAnEndThatLeftWithoutReadingEverything) {
    auto pair = ipc::make_pair();
    ASSERT_TRUE(pair->first.send(ipc::Progress{1, 2}));
    ASSERT_TRUE(pair->second.send(ipc::Stop{}));
    pair->second.close();

    auto last = pair->first.receive();
    ASSERT_TRUE(last);
    EXPECT_TRUE(last->is<ipc::Stop>());
    EXPECT_EQ(pair->first.receive().error().code, Errc::channel_closed);
}

TEST(Channel, RefusesAMessageOver64KiB) {
    auto pair = ipc::make_pair();
    ipc::CertificateFound found;
    found.der.resize(70000);

    EXPECT_EQ(pair->first.send(found).error().code, Errc::too_large);
}

TEST(Handshake, RefusesAnotherBuild) {
    auto pair = ipc::make_pair();
    auto hello = ipc::Hello::from(ipc::Role::web);
    hello.build[0] ^= 1;
    ASSERT_TRUE(pair->first.send(hello));

    EXPECT_EQ(ipc::await_hello(pair->second, ipc::Role::web).error().code, Errc::build_mismatch);
}

TEST(Messages, AreMalformedWhenShortenedOrLengthened) {
    ipc::Mandate mandate;
    mandate.digests = {Bytes(32, 1), Bytes(32, 2)};
    ipc::Writer writer;
    writer(static_cast<std::uint8_t>(ipc::Mandate::type));
    ipc::Mandate::fields(writer, mandate);
    auto octets = to_bytes(writer.bytes());

    EXPECT_TRUE(ipc::packet_from(octets).as<ipc::Mandate>());
    for (std::size_t cut = 1; cut < octets.size(); ++cut) {
        EXPECT_FALSE(ipc::packet_from(View{octets}.first(cut)).as<ipc::Mandate>()) << cut;
    }
    octets.push_back(0);
    EXPECT_FALSE(ipc::packet_from(octets).as<ipc::Mandate>());
}

TEST(SealedItems, RefusesAMemfdThatCanStillBeWritten) {
    UniqueFd const memfd{::memfd_create("open", MFD_ALLOW_SEALING)};
    ASSERT_EQ(::ftruncate(memfd.get(), 8), 0);

    EXPECT_EQ(SealedItems::open(memfd, 100).error().code, Errc::message_malformed);
}

TEST(Pin, LeavesNothingWhereItWasTaken) {
    std::string typed = "13571113";
    auto const pin = Pin::take({reinterpret_cast<unsigned char*>(typed.data()), typed.size()});

    ASSERT_TRUE(pin);
    EXPECT_EQ(typed, std::string(8, '\0'));
}

TEST(Pin, IsWipedOutOfTheMessageThatCarriedIt) {
    auto pair = ipc::make_pair();
    ipc::Unlock unlock;
    unlock.pin = pin_of("271828");
    ASSERT_TRUE(pair->first.send(unlock));
    auto packet = pair->second.receive();

    EXPECT_FALSE(packet->as<ipc::Unlock>()->pin.empty());
    EXPECT_FALSE(packet->as<ipc::Unlock>() && !packet->as<ipc::Unlock>()->pin.empty() &&
                 packet->as<ipc::Unlock>()->slot == ipc::SlotId{9});
}

static_assert(!std::is_copy_constructible_v<Pin>);
static_assert(!std::is_convertible_v<ipc::SlotId, ipc::RequestId>);

TEST(TrustedFile, RefusesAFolderThatOthersCanWriteUnlessItIsSticky) {
    test::Scratch const scratch;
    scratch.write("folder/file", "x");
    auto const judged_with = [&](::mode_t mode) {
        EXPECT_EQ(::chmod((scratch / "folder").c_str(), mode), 0);
        auto const path = trusted_path(scratch / "folder/file");
        return path ? Errc::internal : path.error().code;
    };

    EXPECT_EQ(judged_with(0755), Errc::internal);
    EXPECT_EQ(judged_with(01777), Errc::internal);
    EXPECT_EQ(judged_with(0777), Errc::file_untrusted);
}

TEST(TrustedFile, RefusesAFileOfAnotherUserInAStickyFolder) {
    test::Scratch const scratch;
    scratch.write("folder/file", "x");
    ASSERT_EQ(::chmod((scratch / "folder").c_str(), 01777), 0);
    ASSERT_EQ(::chown((scratch / "folder/file").c_str(), 65534, 65534), 0) << "needs root";

    EXPECT_EQ(trusted_path(scratch / "folder/file").error().code, Errc::file_untrusted);
}

TEST(TrustedFile, SaysWhichFolderIsAtFaultWhyAndWhatMendsIt) {
    test::Scratch const scratch;
    scratch.write("it's mine/file", "x");
    auto const folder = (scratch / "it's mine").string();
    auto const fault_with = [&](::mode_t mode, ::gid_t group) {
        EXPECT_EQ(::chown(folder.c_str(), static_cast<::uid_t>(-1), group), 0) << "needs root";
        EXPECT_EQ(::chmod(folder.c_str(), mode), 0);
        auto const path = trusted_path(folder + "/file");
        return path ? FileFault{} : FileFault::from(path.error().detail);
    };

    auto const everybody = fault_with(0777, 0);
    EXPECT_EQ(everybody.path, folder);
    EXPECT_EQ(everybody.why, "everybody can write to the folder (mode 0777)");
    EXPECT_EQ(scratch.attempt(everybody.command).status, 0) << everybody.command;
    EXPECT_TRUE(trusted_path(folder + "/file"));
    auto const group = fault_with(0775, 65534);
    EXPECT_EQ(group.why, "the group of gid 65534 can write to the folder (mode 0775)");
    EXPECT_EQ(scratch.attempt(group.command).status, 0) << group.command;
    EXPECT_TRUE(trusted_path(folder + "/file"));
    ASSERT_EQ(::chown((folder + "/file").c_str(), 65534, 0), 0);
    auto const owner = FileFault::from(trusted_path(folder + "/file").error().detail);
    EXPECT_EQ(owner.why, "it belongs to uid 65534");
    EXPECT_EQ(scratch.attempt(owner.command).status, 0) << owner.command;
    EXPECT_TRUE(trusted_path(folder + "/file"));
}

TEST(Log, ShowsDebugLinesWhereTheEnvironmentSaysOneAndNothingElse) {
    auto const shown_with = [](char const* value) {
        EXPECT_EQ(::setenv("TAMGA_DEBUG", value, 1), 0);
        testing::internal::CaptureStderr();
        log::open("test");
        log::debug("detail");
        return testing::internal::GetCapturedStderr();
    };

    EXPECT_EQ(shown_with("1"), "test: detail\n");
    for (char const* value : {"", "0", "no", "10"})
        EXPECT_EQ(shown_with(value), "") << value;
    ::unsetenv("TAMGA_DEBUG");
}

TEST(Log, KeepsWordsReadableAndEscapesWhatWouldDeceive) {
    auto const shown = [](std::string_view text) { return log::Value{text}.text(); };

    EXPECT_EQ(shown("Өтініш: №7, «файл»"), "\"Өтініш: №7, «файл»\"");
    EXPECT_EQ(shown(R"(module "x" is \\host)"), R"("module \"x\" is \\\\host")");
    EXPECT_EQ(shown("two\nlines\x1b[2J"), R"("two\nlines\x1b[2J")");
    EXPECT_EQ(shown("kz\u202Eslx.egov\u200B"), R"("kz\u{202E}slx.egov\u{200B}")");
    EXPECT_EQ(shown("\xff\xd1"), R"("\xff\xd1")") << "no UTF-8";
}

TEST(Log, CutsALongValueBetweenTwoCharacters) {
    std::string text(199, 'a');
    text += "Ө and more";

    EXPECT_EQ(log::Value{text}.text(), '"' + std::string(199, 'a') + "...\"");
}

TEST(Text, TakesTheSystemsLanguageInTheOrderOfGettext) {
    struct Case {
        char const* language;
        char const* lc_all;
        char const* lang;
        Language wanted;
    };
    for (auto const& [language, lc_all, lang, wanted] :
         {Case{"", "", "kk_KZ.UTF-8", Language::kk}, Case{"", "en_US.UTF-8", "kk_KZ.UTF-8", Language::en},
          Case{"kk", "en_US.UTF-8", "ru_RU.UTF-8", Language::kk}, Case{"de:en_GB:kk", "", "ru_RU.UTF-8", Language::en},
          Case{"de:fr", "", "kk_KZ.UTF-8", Language::kk}, Case{"en", "C", "C", Language::en},
          Case{"", "C", "kk_KZ.UTF-8", Language::ru}, Case{"", "", "de_DE.UTF-8", Language::ru},
          Case{"", "", "", Language::ru}}) {
        ::setenv("LANGUAGE", language, 1);
        ::setenv("LC_ALL", lc_all, 1);
        ::setenv("LANG", lang, 1);
        ::unsetenv("LC_MESSAGES");

        EXPECT_EQ(system_language(), wanted) << language << ' ' << lc_all << ' ' << lang;
    }
    for (char const* name : {"LANGUAGE", "LC_ALL", "LANG"})
        ::unsetenv(name);
}

TEST(Text, TakesALanguageFromWhatPagesAndSystemsSay) {
    EXPECT_EQ(language_from_tag("kz"), Language::kk);
    EXPECT_EQ(language_from_tag("ru_RU.UTF-8"), Language::ru);
    EXPECT_EQ(language_from_tag("en-GB"), Language::en);
    EXPECT_FALSE(language_from_tag("fr"));
}

TEST(Unblocking, HasANameAndASentenceInEveryLanguage) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < enumerator_count(Unblocking{}); ++i) {
        auto const way = static_cast<Unblocking>(i);
        names.insert(name_of(way));
        std::set<std::string_view> const sentences{unblocking_words(way, Language::kk),
                                                   unblocking_words(way, Language::ru),
                                                   unblocking_words(way, Language::en)};
        EXPECT_EQ(sentences.size(), 3U) << name_of(way);
    }
    EXPECT_EQ(names.size(), enumerator_count(Unblocking{}));
}

TEST(Text, PutsArgumentsWhereTheTranslationWantsThem) {
    EXPECT_EQ(text(Language::en, "%2 before %1", {"a", "b"}), "b before a");
}

} // namespace
} // namespace tamga

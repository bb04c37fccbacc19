// prompt/pictures: what the window believes of a picture, whoever sent it.
#include "base/handshake.hpp"
#include "prompt/control.hpp"
#include "prompt/documents.hpp"
#include "prompt/pictures.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace tamga::prompt {
namespace {

/// tamga-preview, taken over or not, is the test.
class Pictures : public ::testing::Test {
protected:
    static Bytes pixels(std::size_t count) { return Bytes(count * 4, 0xAB); }

    Result<Picture> received(ipc::Picture const& said, std::vector<int> const& descriptors) {
        auto pair = ipc::make_pair();
        auto const sent = descriptors.empty()      ? pair->first.send(said)
                          : descriptors.size() > 1 ? pair->first.send(said, {descriptors[0], descriptors[1]})
                                                   : pair->first.send(said, {descriptors[0]});
        EXPECT_TRUE(sent);
        auto packet = pair->second.receive();
        return checked_picture(*packet);
    }
    Result<Picture> received(std::uint32_t width, std::uint32_t height, Bytes const& octets) {
        auto const sealed = seal_items({View{octets}});
        return received({ipc::Status::from(ok()), 1, width, height}, {sealed->get()});
    }
};

TEST_F(Pictures, AreTakenWhereTheSizesAgree) {
    auto const picture = received(3, 2, pixels(6));

    ASSERT_TRUE(picture);
    EXPECT_EQ(picture->width, 3U);
    EXPECT_EQ(picture->height, 2U);
    EXPECT_EQ(to_bytes(picture->pixels()), pixels(6));
}

TEST_F(Pictures, OfWhichThePixelsAreTooFewOrTooManyAreRefused) {
    for (std::size_t const count : {0U, 5U, 7U})
        EXPECT_EQ(received(3, 2, pixels(count)).error().code, Errc::message_malformed) << count;
    EXPECT_EQ(received(3, 2, Bytes(23)).error().code, Errc::message_malformed);
}

TEST_F(Pictures, WithoutASideOrWithOneBeyondTheLimitAreRefused) {
    constexpr auto most = ipc::max_picture_side;
    EXPECT_TRUE(received(most, 1, pixels(most)));
    EXPECT_FALSE(received(most + 1, 1, pixels(most + 1)));
    EXPECT_FALSE(received(1, most + 1, pixels(most + 1)));
    EXPECT_FALSE(received(0, 0, {}));
    EXPECT_FALSE(received(0x4000'0000, 4, {})) << "whose product is 0 in 32 bits";
}

TEST_F(Pictures, ThatCanStillBeChangedAreRefused) {
    auto const memfd = new_memfd();
    ASSERT_EQ(::write(memfd->get(), "\1\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0abcd", 20), 20);

    EXPECT_FALSE(received({ipc::Status::from(ok()), 1, 1, 1}, {memfd->get()}));
}

TEST_F(Pictures, ComeInOneMemfdWithOneItem) {
    auto const one = pixels(1);
    auto const sealed = seal_items({View{one}});
    auto const two = seal_items({View{one}, View{one}});
    ipc::Picture const said{ipc::Status::from(ok()), 1, 1, 1};

    EXPECT_TRUE(received(said, {sealed->get()}));
    EXPECT_FALSE(received(said, {}));
    EXPECT_FALSE(received(said, {sealed->get(), sealed->get()}));
    EXPECT_FALSE(received(said, {two->get()}));
    EXPECT_FALSE(received({ipc::Status::from(ok()), 0, 1, 1}, {sealed->get()})) << "of a document without pages";
}

TEST_F(Pictures, OfTheWrongBuildOrFromAnotherRoleAreNotHeard) {
    auto const document = seal_items({as_view("%PDF-")});
    for (auto const role : {ipc::Role::web, ipc::Role::token}) {
        auto pair = ipc::make_pair();
        auto talk = PictureTalk::begin(std::move(pair->first), *document, {0, 100});
        ASSERT_TRUE(talk);
        ASSERT_TRUE(ipc::say_hello(pair->second, role));
        EXPECT_EQ(talk->hear().error().code, Errc::message_malformed);
    }
}

TEST_F(Pictures, AreAwaitedWithoutBlocking) {
    auto const document = seal_items({as_view("%PDF-")});
    auto pair = ipc::make_pair();
    auto talk = PictureTalk::begin(std::move(pair->first), *document, {4, 100});
    ASSERT_TRUE(talk);

    auto const nothing = talk->hear();
    ASSERT_TRUE(nothing);
    EXPECT_FALSE(*nothing);
    ASSERT_TRUE(ipc::await_hello(pair->second, ipc::Role::prompt));
    EXPECT_EQ(pair->second.receive()->as<ipc::PictureWanted>()->page, 4U);
    pair->second.close();
    EXPECT_EQ(talk->hear().error().code, Errc::channel_closed);
}

// ---- who starts what makes them ----

/// Answers one message on tamgad's end with `answer`.
template <class M>
std::thread answer_with(ipc::Channel& tamgad, M const& answer, bool with_channel) {
    return std::thread{[&tamgad, answer, with_channel] {
        if (!tamgad.receive(std::chrono::seconds{10})) return;
        auto pair = ipc::make_pair();
        EXPECT_TRUE(with_channel ? tamgad.send(answer, {pair->first.fd()}) : tamgad.send(answer));
    }};
}

TEST(Control, GivesTheChannelOfAPreviewOrSaysThatThereIsNone) {
    auto pair = ipc::make_pair();
    Control control{std::move(pair->second)};
    for (bool const can_start : {true, false}) {
        auto tamgad = answer_with(pair->first, ipc::PreviewChannel{ipc::RequestId{7}}, can_start);
        auto const started = control.start_preview();
        tamgad.join();
        EXPECT_EQ(static_cast<bool>(started), can_start);
        auto const code = started ? Errc::internal : started.error().code;
        EXPECT_EQ(code, can_start ? Errc::internal : Errc::prompt_unavailable);
    }
}

TEST(Control, HasNoPreviewStartedWhileTheProcessOfAKeyFileIsAwaited) {
    auto pair = ipc::make_pair();
    Control control{std::move(pair->second)};
    ASSERT_TRUE(control.want_file_token());

    EXPECT_EQ(control.start_preview().error().code, Errc::busy);
    auto other = ipc::make_pair();
    ASSERT_TRUE(pair->first.send(ipc::FileTokenChannel{ipc::RequestId{7}}, {other->first.fd()}));
    auto const file = control.file_token();
    ASSERT_TRUE(file && *file);
    EXPECT_TRUE(pair->first.receive()->is<ipc::FileTokenWanted>());
    pair->first.close();
    EXPECT_NE(control.start_preview().error().code, Errc::busy) << "from then on it is asked for";
}

// ---- which documents are asked for ----

Shown shown(std::string_view octets, std::string media_type = "") {
    ipc::DocumentLabel const label{"", std::move(media_type), {}, 0};
    ipc::Writer writer;
    writer(label);
    auto const sealed = seal_items({as_view(octets), writer.bytes()});
    return Documents::labelled(std::move(*SealedItems::open(*sealed, 2)))->shown(0);
}

TEST(DocumentShown, IsATextOrAPictureOrUnseenByItsFirstOctets) {
    EXPECT_EQ(shown("Please"), Shown::text);
    EXPECT_EQ(shown("BMW, the contract"), Shown::text) << "which begins as BMP does";
    EXPECT_EQ(shown(std::string_view{"BM\x46\0\0\0", 6}), Shown::picture);
    EXPECT_EQ(shown("\x89PNG\r\n\x1a\n\xff"), Shown::picture);
    EXPECT_EQ(shown("\xff\xd8\xff\xe0"), Shown::picture);
    EXPECT_EQ(shown("%PDF-1.7\n%\xe2\xe3"), Shown::picture);
    EXPECT_EQ(shown(std::string_view{"PK\x03\x04\0", 5}), Shown::unseen);
    EXPECT_EQ(shown("\xff%PDF-1.7"), Shown::unseen);
}

TEST(DocumentShown, IsAPictureOfAPdfThatIsAlsoTextUnlessTheSiteCallsItText) {
    EXPECT_EQ(shown("%PDF-1.4\n", ""), Shown::picture);
    EXPECT_EQ(shown("%PDF-1.4\n", "application/pdf"), Shown::picture);
    EXPECT_EQ(shown("%PDF-1.4\n", "text/plain"), Shown::text);
}

TEST(DocumentShown, IsNothingAboveTheLimit) {
    EXPECT_EQ(shown("%PDF-1.4\n" + std::string(max_shown_size, ' ')), Shown::unseen);
}

} // namespace
} // namespace tamga::prompt

// tamga-preview as a program: what it makes of documents, friendly and hostile. The test is tamgad and the window.
#include "base/handshake.hpp"
#include "daemon/launcher/spawn.hpp"
#include "prompt/pictures.hpp"
#include "tests/support/documents.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <QBuffer>
#include <QImage>

#include <chrono>
#include <fstream>

namespace tamga {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Preview : public ::testing::Test {
protected:
    ~Preview() override { end(); }

    /// Starts the program as tamgad does, up to where it awaits its document.
    void start() {
        end();
        auto started = launcher::spawn(TAMGA_PREVIEW_PROGRAM, {}, {});
        ASSERT_TRUE(started) << started.error().detail;
        m_pid = started->pid;
        m_control = std::move(started->control);
        ASSERT_TRUE(ipc::say_hello(m_control, ipc::Role::launcher));
        ASSERT_TRUE(ipc::await_hello(m_control, ipc::Role::preview, 20s));
        auto pair = ipc::make_pair();
        ASSERT_TRUE(m_control.send(ipc::PreviewChannel{ipc::RequestId{7}}, {pair->second.fd()}));
        m_channel = std::move(pair->first);
    }

    /// What comes of a page of `document`, as the window hears it.
    Result<prompt::Picture> picture(std::string const& document, std::uint32_t page = 0, std::uint32_t width = 300) {
        start();
        auto const sealed = seal_items({as_view(document)});
        auto talk = prompt::PictureTalk::begin(std::move(m_channel), *sealed, {page, width});
        if (!talk) return talk.error();
        return answer(*talk);
    }
    static Result<prompt::Picture> answer(prompt::PictureTalk& talk) {
        while (true) {
            auto heard = talk.hear();
            if (!heard) return heard.error();
            if (*heard) return std::move(**heard);
            ::pollfd end{talk.fd(), POLLIN, 0};
            if (::poll(&end, 1, 40'000) != 1) return Errc::timeout;
        }
    }
    Errc failure(std::string const& document, std::uint32_t page = 0, std::uint32_t width = 300) {
        auto const made = picture(document, page, width);
        return made ? Errc::internal : made.error().code;
    }

    /// How it ended, as waitpid tells; waits for it.
    int wait() {
        int status = -1;
        if (m_pid != 0) ::waitpid(std::exchange(m_pid, 0), &status, 0);
        return status;
    }
    void end() {
        m_channel.close();
        m_control.close();
        if (m_pid != 0) ::kill(m_pid, SIGKILL);
        static_cast<void>(wait());
    }

    pid_t m_pid = 0;
    ipc::Channel m_control;
    ipc::Channel m_channel;
};

/// Red, green and blue of one pixel.
std::string colour(prompt::Picture const& picture, std::uint32_t x, std::uint32_t y) {
    auto const at = (std::size_t{y} * picture.width + x) * 4;
    auto const pixel = picture.pixels().subspan(at, 3);
    return to_hex(Bytes{pixel[2], pixel[1], pixel[0]});
}

/// An image of 60 by 20 pixels, green but for its left third, which is blue; as another library's encoder writes it.
std::string image_as(char const* format) {
    QImage image{60, 20, QImage::Format_RGB32};
    image.fill(QColor{0, 255, 0});
    for (int y = 0; y < 20; ++y) {
        for (int x = 0; x < 20; ++x)
            image.setPixel(x, y, 0xFF0000FF);
    }
    QByteArray octets;
    QBuffer buffer{&octets};
    buffer.open(QIODevice::WriteOnly);
    EXPECT_TRUE(image.save(&buffer, format, 100));
    return octets.toStdString();
}

/// Of a chunk of a PNG, big-endian (RFC 2083, 3.4).
std::string checksum_of(std::string_view octets) {
    auto sum = ~std::uint32_t{0};
    for (auto const octet : as_view(octets)) {
        sum ^= octet;
        for (int bit = 0; bit < 8; ++bit)
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xEDB88320U : 0U);
    }
    sum = ~sum;
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8)
        text += static_cast<char>(sum >> static_cast<unsigned>(shift));
    return text;
}

// ---- what is shown ----

TEST_F(Preview, APageOfAPdfIsDrawnAsWideAsWantedAndTheOthersAreCounted) {
    auto const made = picture(test::make_pdf({{}, {.content = "0 0 1 rg 0 742 100 100 re f"}, {}}), 1, 595);

    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->pages, 3U);
    EXPECT_EQ(made->width, 595U);
    EXPECT_EQ(made->height, 842U);
    EXPECT_EQ(colour(*made, 50, 50), "0000ff") << "the square is in the upper left corner";
    EXPECT_EQ(colour(*made, 50, 800), "ffffff");
    EXPECT_EQ(wait(), 0);
}

TEST_F(Preview, TextInAFontThatThePdfDoesNotEmbedIsDrawn) {
    auto const made = picture(test::make_pdf({{.content = "BT /F 200 Tf 10 300 Td (MMM) Tj ET"}}));

    ASSERT_TRUE(made);
    std::size_t dark = 0;
    for (std::size_t at = 0; at < made->pixels().size(); at += 4)
        dark += made->pixels()[at] < 0x40 ? 1U : 0U;
    EXPECT_GT(dark, 1000U) << "letters, and not an empty page";
}

TEST_F(Preview, ATurnedPageIsAsWideAsItLies) {
    auto const made = picture(test::make_pdf({{.more = "/Rotate 90"}}), 0, 842);

    ASSERT_TRUE(made);
    EXPECT_EQ(made->width, 842U);
    EXPECT_EQ(made->height, 595U);
    EXPECT_EQ(colour(*made, 50, 50), "ff0000") << "the lower left corner has become the upper left one";
}

class PreviewOfImage : public Preview, public ::testing::WithParamInterface<char const*> {};
INSTANTIATE_TEST_SUITE_P(Formats, PreviewOfImage, ::testing::Values("png", "jpeg", "bmp"));

TEST_P(PreviewOfImage, IsTheImageAndNoLargerThanIt) {
    auto const made = picture(image_as(GetParam()));

    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->width, 60U);
    EXPECT_EQ(made->height, 20U);
    EXPECT_EQ(made->pages, 1U);
    QColor const blue{QString::fromStdString('#' + colour(*made, 5, 10))};
    QColor const green{QString::fromStdString('#' + colour(*made, 50, 10))};
    EXPECT_GT(blue.blue(), 240); // a JPEG keeps colours nearly
    EXPECT_LT(blue.green(), 16);
    EXPECT_GT(green.green(), 240);
    EXPECT_LT(green.blue(), 16);
}

TEST_P(PreviewOfImage, IsMadeSmallerWhereLessIsWanted) {
    auto const made = picture(image_as(GetParam()), 0, 30);

    ASSERT_TRUE(made);
    EXPECT_EQ(made->width, 30U);
    EXPECT_EQ(made->height, 10U);
}

TEST_F(Preview, TheFramesOfAGifAreItsPages) {
    auto const gif = test::make_gif(3);
    auto const second = picture(gif, 1);
    auto const third = picture(gif, 2);

    ASSERT_TRUE(second) << second.error().detail;
    ASSERT_TRUE(third);
    EXPECT_EQ(second->pages, 3U);
    EXPECT_EQ(colour(*second, 0, 0), "ffffff");
    EXPECT_EQ(colour(*third, 0, 0), "000000");
    EXPECT_EQ(failure(gif, 3), Errc::bad_request);
}

TEST_F(Preview, WhatIsTransparentLiesOnWhite) {
    QImage image{4, 4, QImage::Format_ARGB32};
    image.fill(Qt::transparent);
    QByteArray octets;
    QBuffer buffer{&octets};
    buffer.open(QIODevice::WriteOnly);
    ASSERT_TRUE(image.save(&buffer, "png"));

    auto const made = picture(octets.toStdString());

    ASSERT_TRUE(made);
    EXPECT_EQ(colour(*made, 1, 1), "ffffff");
}

TEST_F(Preview, ALargePhotographIsScaledWithinItsLimits) {
    QImage image{6000, 4000, QImage::Format_RGB32};
    image.fill(QColor{0, 0, 255});
    QByteArray octets;
    QBuffer buffer{&octets};
    buffer.open(QIODevice::WriteOnly);
    ASSERT_TRUE(image.save(&buffer, "jpeg"));

    auto const made = picture(octets.toStdString(), 0, 4096);

    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->width, 4096U);
    EXPECT_EQ(made->height, 2731U);
}

// ---- what is not ----

TEST_F(Preview, OtherDocumentsAreUnsupported) {
    for (char const* document : {"", "PK\x03\x04", "<svg xmlns='http://www.w3.org/2000/svg'/>", "%!PS-Adobe-3.0\n"})
        EXPECT_EQ(failure(document), Errc::unsupported) << document;
}

TEST_F(Preview, DamagedOnesAreUnsupported) {
    auto const pdf = test::make_pdf({{}});
    auto const png = image_as("png");
    EXPECT_EQ(failure(pdf.substr(0, 20)), Errc::unsupported);
    EXPECT_EQ(failure("%PDF-1.4\n" + std::string(3000, '\xff')), Errc::unsupported);
    EXPECT_EQ(failure(png.substr(0, 30)), Errc::unsupported);
    EXPECT_EQ(failure("GIF89a"), Errc::unsupported);
}

TEST_F(Preview, APageThatIsNotThereIsABadRequest) {
    EXPECT_EQ(failure(test::make_pdf({{}}), 1), Errc::bad_request);
    EXPECT_EQ(failure(test::make_pdf({{}}), 0, 0), Errc::bad_request);
    EXPECT_EQ(failure(test::make_pdf({{}}), 0, ipc::max_picture_side + 1), Errc::bad_request);
}

TEST_F(Preview, PagesBeyondTheLimitAreCountedAndNotDrawn) {
    auto const pdf = test::make_pdf(std::vector<test::Page>(ipc::max_picture_pages + 1));
    auto const last = picture(pdf, ipc::max_picture_pages - 1, 64);

    ASSERT_TRUE(last) << last.error().detail;
    EXPECT_EQ(last->pages, ipc::max_picture_pages + 1);
    EXPECT_EQ(failure(pdf, ipc::max_picture_pages), Errc::bad_request);
}

// ---- hostile documents ----

TEST_F(Preview, APageOfAnyDimensionsBecomesAPictureWithinTheLimit) {
    for (char const* box : {"0 0 14400000 14400000", "0 0 1 100000000", "0 0 100000000 1", "0 0 0.001 0.001"}) {
        auto const made = picture(test::make_pdf({{.box = box}}), 0, 4096);
        ASSERT_TRUE(made) << box << ' ' << made.error().detail; // its size was checked on the way
        EXPECT_LE(made->width, 4096U);
        EXPECT_LE(made->height, 4096U);
    }
}

TEST_F(Preview, AMillionPagesThatAreNotThereCostNothing) {
    auto const began = Clock::now();
    auto const made = picture(test::make_pdf({{}}, "1000000"), 150);

    EXPECT_FALSE(made);
    EXPECT_LT(Clock::now() - began, 9s);
}

TEST_F(Preview, AnImageThatSaysItIsEnormousIsRefusedBeforeItIsRead) {
    auto png = image_as("png");
    png.replace(16, 8, std::string{"\x00\x00\xea\x60\x00\x00\xea\x60", 8}); // 60000 by 60000, in the header
    png.replace(29, 4, checksum_of(png.substr(12, 17)));

    EXPECT_EQ(failure(png), Errc::unsupported);
    EXPECT_TRUE(WIFEXITED(wait())) << "and nothing had to be killed";
}

TEST_F(Preview, ADocumentThatWouldTakeForEverIsEndedByTheProcessorsLimit) {
    // A pattern whose every tile is drawn with a pattern of its own.
    std::string content = "/Pattern cs /P scn 0 0 595 842 re f";
    std::string const resources = "/Resources << /Pattern << /P 6 0 R >> >>";
    auto pdf_objects = std::vector<std::string>{
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R " + resources + " >>",
        test::stream_of(content),
        "<< >>",
        test::stream_of("/Pattern cs /Q scn 0 0 9 9 re f /Pattern cs /Q scn 0 0 9 9 re f",
                        "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.01 /YStep "
                        "0.01 /Resources << /Pattern << /Q 7 0 R >> >>"),
        test::stream_of("0 0 1 rg 0 0 0.005 0.005 re f 1 0 0 rg 0 0 0.003 0.003 re f",
                        "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.01 /YStep "
                        "0.01 /Resources << >>")};
    auto const began = Clock::now();
    auto const made = picture(test::pdf_of(pdf_objects), 0, 4096);

    EXPECT_FALSE(made);
    EXPECT_LT(Clock::now() - began, 30s);
    auto const status = wait();
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_TRUE(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM)
        << WTERMSIG(status);
}

// ---- what becomes of it ----

TEST_F(Preview, OneThatIsKilledIsSeenAtOnce) {
    start();
    auto const sealed = seal_items({as_view("%PDF-")});
    ::kill(m_pid, SIGSTOP);
    auto talk = prompt::PictureTalk::begin(std::move(m_channel), *sealed, {0, 300});
    ASSERT_TRUE(talk);
    ::kill(m_pid, SIGKILL);

    auto const made = answer(*talk);

    ASSERT_FALSE(made);
    EXPECT_NE(made.error().code, Errc::timeout);
}

TEST_F(Preview, EndsWhenTheWindowIsGone) {
    start();
    m_channel.close();

    EXPECT_TRUE(WIFEXITED(wait()));
}

TEST_F(Preview, EndsByItselfWhereNobodyAsksForAnything) {
    start();
    auto const began = Clock::now();

    static_cast<void>(wait());

    EXPECT_LT(Clock::now() - began, 15s);
}

TEST_F(Preview, TakesADocumentThatCanStillBeChangedForNone) {
    start();
    auto const memfd = new_memfd();
    auto talk = prompt::PictureTalk::begin(std::move(m_channel), *memfd, {0, 300});
    ASSERT_TRUE(talk);

    auto const made = answer(*talk);

    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::message_malformed);
}

} // namespace
} // namespace tamga

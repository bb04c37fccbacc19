// daemon/uploads: what becomes of octets that come in pieces.
#include "daemon/uploads.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace tamga::daemon {
namespace {

class UploadsTest : public ::testing::Test {
protected:
    /// Runs `story` on a loop of its own until it ends.
    template <class Story>
    void run(Story story) {
        bool ended = false;
        auto note = [&ended](std::exception_ptr failure) {
            ended = true;
            if (failure) std::rethrow_exception(failure);
        };
        asio::co_spawn(m_loop, story(), note);
        m_loop.run();
        EXPECT_TRUE(ended);
    }

    /// `size` octets of 'x' in pieces as a connection hands them over.
    Task<void> send(std::size_t size) {
        Bytes buffer(Uploads::piece, 'x');
        while (size != 0) {
            auto const part = std::min(size, buffer.size());
            buffer = co_await uploads.add(std::move(buffer), part);
            EXPECT_EQ(buffer.size(), Uploads::piece);
            std::ranges::fill(buffer, static_cast<unsigned char>('x'));
            size -= part;
        }
    }

    static protocol::v1::BeginUpload announced(std::size_t size) {
        protocol::v1::BeginUpload wanted;
        wanted.size = size;
        wanted.label.title = "a";
        return wanted;
    }

    asio::io_context m_loop{1};
    Compute m_compute;
    Uploads uploads{m_loop.get_executor(), m_compute};
};

TEST_F(UploadsTest, KeepsWhatCanBeShownAndGivesItOnce) {
    run([this]() -> Task<void> {
        auto const name = uploads.begin(announced(1'000'000));
        EXPECT_TRUE(uploads.keeps());
        co_await send(1'000'000);
        auto const uploaded = co_await uploads.end(*name);
        EXPECT_TRUE(uploaded->digests.empty());

        auto const upload = uploads.take(*name);

        EXPECT_EQ(upload->content, Bytes(1'000'000, 'x'));
        EXPECT_EQ(upload->label.title, "a");
        EXPECT_EQ(uploads.take(*name).error().code, Errc::file_not_found);
    });
}

TEST_F(UploadsTest, HashesWhatIsLargerByTheDigestsOfAllKindsOfKeys) {
    run([this]() -> Task<void> {
        auto const size = Uploads::kept + 12'345;
        auto const name = uploads.begin(announced(size));
        EXPECT_FALSE(uploads.keeps());
        co_await send(size);
        auto const uploaded = co_await uploads.end(*name);
        Bytes const whole(size, 'x');

        EXPECT_EQ(uploaded->digests.size(), usable_digests().size());
        for (auto const& digest : uploaded->digests) {
            EXPECT_EQ(digest.value, *signing::digest(*signing::digest_by_oid(digest.algorithm), whole));
        }
        EXPECT_TRUE(uploads.take(*name)->content.empty());
    });
}

TEST_F(UploadsTest, HasOneOpenAtATimeOfExactlyTheOctetsAnnounced) {
    run([this]() -> Task<void> {
        auto const first = uploads.begin(announced(10));
        EXPECT_EQ(uploads.begin(announced(10)).error().code, Errc::busy);
        co_await send(11);
        auto const longer = co_await uploads.end(*first);
        EXPECT_EQ(longer.error().code, Errc::bad_request);
        EXPECT_FALSE(uploads.is_open());

        auto const second = uploads.begin(announced(10));
        co_await send(9);
        auto const shorter = co_await uploads.end(*second);
        EXPECT_EQ(shorter.error().code, Errc::bad_request);
        EXPECT_EQ(uploads.take(*second).error().code, Errc::file_not_found);

        auto const third = uploads.begin(announced(0));
        auto const empty = co_await uploads.end(*third);
        EXPECT_TRUE(empty) << "nothing is a document too";
    });
}

TEST_F(UploadsTest, ForgetsWhatIsDropped) {
    run([this]() -> Task<void> {
        auto const open = uploads.begin(announced(Uploads::kept + 1));
        co_await send(Uploads::piece);
        EXPECT_TRUE(uploads.drop(*open));
        EXPECT_FALSE(uploads.is_open());
        EXPECT_EQ(uploads.drop(*open).error().code, Errc::file_not_found);
    });
}

} // namespace
} // namespace tamga::daemon

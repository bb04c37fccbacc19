// S13: what a page has of a file is a handle: of use once, on one connection.
#include "daemon/chosen_files.hpp"
#include "tests/support/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <set>

namespace tamga::daemon {
namespace {

class ChosenFilesTest : public ::testing::Test {
protected:
    UniqueFd opened(std::string const& name, std::string_view content) {
        m_folder.write(name, content);
        return UniqueFd{::open((m_folder / name).c_str(), O_RDONLY | O_CLOEXEC)};
    }
    test::Scratch m_folder;
    ChosenFiles m_files{100};
};

TEST_F(ChosenFilesTest, AreGivenOutOnce) {
    auto const handle = *m_files.keep(opened("a", "content"));

    auto const file = m_files.take(handle);
    ASSERT_TRUE(file);
    EXPECT_EQ(as_text(*read_whole(*file, m_files.largest())), "content");
    EXPECT_EQ(m_files.take(handle).error().code, Errc::file_not_found);
}

TEST_F(ChosenFilesTest, AreOfUseOnTheirOwnConnectionAlone) {
    auto const handle = *m_files.keep(opened("a", "content"));
    ChosenFiles others{100};

    EXPECT_EQ(others.take(handle).error().code, Errc::file_not_found);
    EXPECT_EQ(m_files.take("").error().code, Errc::file_not_found);
    EXPECT_EQ(m_files.take((m_folder / "a").string()).error().code, Errc::file_not_found);
}

TEST_F(ChosenFilesTest, HaveHandlesThatNobodyCouldGuessAndNoName) {
    std::set<std::string> handles;
    for (int i = 0; i < 64; ++i)
        handles.insert(*m_files.keep(opened("secret-name", "content")));

    EXPECT_EQ(handles.size(), 64U);
    for (auto const& handle : handles) {
        EXPECT_EQ(handle.size(), 11U + 32U);
        EXPECT_EQ(handle.find("secret-name"), handle.npos);
    }
}

TEST_F(ChosenFilesTest, AreGivenUpWhereThereAreMany) {
    auto const first = *m_files.keep(opened("a", "first"));
    std::string last;
    for (std::size_t i = 0; i < ChosenFiles::most; ++i)
        last = *m_files.keep(opened("b", "last"));

    EXPECT_FALSE(m_files.take(first));
    EXPECT_TRUE(m_files.take(last));
}

TEST_F(ChosenFilesTest, AreReadWithinTheLimitAndFromTheirBeginning) {
    auto const file = opened("a", std::string(100, 'x'));
    char skipped[10];
    ASSERT_EQ(::read(file.get(), skipped, sizeof skipped), 10);

    EXPECT_EQ(read_whole(file, 100)->size(), 100U);
    EXPECT_EQ(read_whole(file, 99).error().code, Errc::too_large);
}

} // namespace
} // namespace tamga::daemon

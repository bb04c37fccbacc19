// Links to the page of the tokens: when they open it, and when not any more.
#include "daemon/status_links.hpp"

#include <gtest/gtest.h>

#include <set>

namespace tamga::daemon {
namespace {

class StatusLinksTest : public testing::Test {
protected:
    StatusLinksTest() { m_links.served_at(13579); }

    std::string secret(Language language = Language::en) {
        auto const url = m_links.make(language, m_now);
        return url ? url->substr(url->rfind('/') + 1) : std::string{};
    }

    StatusLinks m_links;
    StatusLinks::Time m_now{std::chrono::hours{1}};
};

TEST_F(StatusLinksTest, AreAddressesOfThisComputerWith128RandomBits) {
    auto const url = m_links.make(Language::en, m_now);

    ASSERT_TRUE(url);
    EXPECT_TRUE(url->starts_with("https://127.0.0.1:13579/tokens/")) << *url;
    std::set<std::string> secrets;
    for (int i = 0; i < 100; ++i) {
        secrets.insert(secret());
        EXPECT_EQ(secrets.rbegin()->size(), 32U);
    }
    EXPECT_EQ(secrets.size(), 100U);
}

TEST_F(StatusLinksTest, AreGoodOnceAndKnowTheirLanguage) {
    auto const link = secret(Language::kk);

    EXPECT_EQ(m_links.take(link, m_now), Language::kk);
    EXPECT_FALSE(m_links.take(link, m_now));
}

TEST_F(StatusLinksTest, EndAfterAMinute) {
    auto const in_time = secret();
    auto const late = secret();
    using std::chrono::seconds;

    EXPECT_TRUE(m_links.take(in_time, m_now + StatusLinks::life - seconds{1}));
    EXPECT_FALSE(m_links.take(late, m_now + StatusLinks::life));
}

TEST_F(StatusLinksTest, AreNotOpenedByAPartOfThemOrMore) {
    auto const link = secret();

    EXPECT_FALSE(m_links.take("", m_now));
    EXPECT_FALSE(m_links.take(link.substr(1), m_now));
    EXPECT_FALSE(m_links.take(link + "0", m_now));
    EXPECT_TRUE(m_links.take(link, m_now));
}

TEST_F(StatusLinksTest, AreOpenInALimitedNumberTheOldestEndingFirst) {
    auto const oldest = secret();
    auto const second = secret();
    for (std::size_t i = 2; i <= StatusLinks::most; ++i)
        secret();

    EXPECT_FALSE(m_links.take(oldest, m_now));
    EXPECT_TRUE(m_links.take(second, m_now));
}

TEST(StatusLinks, AreNotMadeWhereNoPageIsServed) {
    StatusLinks links;

    auto const url = links.make(Language::en, {});

    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().code, Errc::port_taken);
}

} // namespace
} // namespace tamga::daemon

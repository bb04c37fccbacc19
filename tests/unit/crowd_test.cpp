// What keeps one page from taking everything: daemon/server/frame_budget.hpp, daemon/server/attendance.hpp,
// daemon/waiting_lines.hpp, daemon/withdrawals.hpp.
#include "daemon/server/attendance.hpp"
#include "daemon/server/frame_budget.hpp"
#include "daemon/waiting_lines.hpp"
#include "daemon/withdrawals.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace tamga::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t mebibyte = 1 << 20;
constexpr auto stranger = FrameBudget::From::stranger;
constexpr auto allowed = FrameBudget::From::allowed_site;

/// A connection with a frame that has begun to arrive.
struct Arriving {
    Arriving(FrameBudget& budget, std::string origin, FrameBudget::From from, std::size_t octets)
        : account{std::move(origin)}, claim{budget, account, from} {
        claim.add(octets);
    }
    FrameBudget::Account account;
    FrameBudget::Claim claim;
};

class FrameBudgetTest : public testing::Test {
protected:
    /// Whether more of this frame is read at once.
    bool is_read_on(Arriving& frame) {
        auto const answer = std::make_shared<std::optional<bool>>();
        auto ask = [](FrameBudget& budget, FrameBudget::Claim& claim,
                      std::shared_ptr<std::optional<bool>> room) -> Task<void> { *room = co_await budget.room(claim); };
        asio::cancellation_signal leave;
        asio::co_spawn(m_loop, ask(m_budget, frame.claim, answer),
                       asio::bind_cancellation_slot(leave.slot(), asio::detached));
        m_loop.restart();
        m_loop.poll();
        bool const at_once = answer->value_or(false);
        leave.emit(asio::cancellation_type::terminal);
        m_loop.restart();
        m_loop.poll();
        return at_once;
    }

    asio::io_context m_loop{1};
    FrameBudget m_budget{m_loop.get_executor(), 16 * mebibyte, 4 * mebibyte};
};

TEST_F(FrameBudgetTest, GivesStrangersHalfOfTheRoomTogether) {
    Arriving first{m_budget, "https://a.test", stranger, 4 * mebibyte};
    Arriving second{m_budget, "https://b.test", stranger, 4 * mebibyte - 1};
    Arriving site{m_budget, "https://portal.test", allowed, mebibyte};

    EXPECT_TRUE(is_read_on(second));
    second.claim.add(1);
    EXPECT_FALSE(is_read_on(first));
    EXPECT_FALSE(is_read_on(second));
    EXPECT_TRUE(is_read_on(site));
}

TEST_F(FrameBudgetTest, LetsAStrangerBeginTwoLargeFramesAtATime) {
    Arriving first{m_budget, "https://a.test", stranger, mebibyte};
    Arriving second{m_budget, "https://a.test", stranger, mebibyte};
    Arriving third{m_budget, "https://a.test", stranger, mebibyte};
    Arriving other{m_budget, "https://b.test", stranger, mebibyte};

    EXPECT_TRUE(is_read_on(first));
    EXPECT_TRUE(is_read_on(second));
    EXPECT_FALSE(is_read_on(third));
    EXPECT_TRUE(is_read_on(other));
    first.claim.whole();
    EXPECT_TRUE(is_read_on(third));
}

TEST_F(FrameBudgetTest, LeavesOthersAQuarterWhateverOneAllowedSiteSends) {
    Arriving greedy{m_budget, "https://greedy.test", allowed, 12 * mebibyte};
    Arriving other{m_budget, "https://portal.test", allowed, mebibyte};

    EXPECT_FALSE(is_read_on(greedy));
    EXPECT_TRUE(is_read_on(other));
}

TEST_F(FrameBudgetTest, NeverKeepsTheFirst64KiBOfAConnectionWaiting) {
    Arriving all{m_budget, "https://greedy.test", allowed, 16 * mebibyte};
    Arriving ordinary{m_budget, "https://portal.test", allowed, FrameBudget::always_free - 1};
    Arriving strange{m_budget, "https://a.test", stranger, 4096};

    EXPECT_TRUE(is_read_on(ordinary));
    EXPECT_TRUE(is_read_on(strange));
    ordinary.claim.add(1);
    EXPECT_FALSE(is_read_on(ordinary));
}

TEST_F(FrameBudgetTest, HasRoomAgainForAllWhenFramesAreAnswered) {
    {
        Arriving first{m_budget, "https://a.test", stranger, 8 * mebibyte};
        Arriving second{m_budget, "https://portal.test", allowed, 8 * mebibyte};
        EXPECT_FALSE(is_read_on(first));
        EXPECT_FALSE(is_read_on(second));
    }
    Arriving first{m_budget, "https://a.test", stranger, mebibyte};
    Arriving second{m_budget, "https://a.test", stranger, mebibyte};

    EXPECT_TRUE(is_read_on(first));
    EXPECT_TRUE(is_read_on(second));
}

TEST_F(FrameBudgetTest, LetsOneFrameOfTheLargestSizeArriveWhereTheShareIsSmaller) {
    FrameBudget tight{m_loop.get_executor(), 4 * mebibyte, 4 * mebibyte};
    Arriving frame{tight, "https://a.test", stranger, 4 * mebibyte - 1};
    std::optional<bool> room;
    auto ask = [&]() -> Task<void> { room = co_await tight.room(frame.claim); };

    asio::co_spawn(m_loop, ask(), asio::detached);
    m_loop.poll();

    EXPECT_EQ(room, true);
}

TEST(Attendance, HasALimitForASiteAndOneForAllThatNobodyAllowed) {
    Attendance attendance;
    std::vector<Attendance::Place> places;
    auto const enter = [&](std::string const& origin, Standing standing, std::size_t times) {
        std::size_t got = 0;
        for (std::size_t i = 0; i < times; ++i) {
            auto place = attendance.enter(origin, standing);
            if (!place) continue;
            places.push_back(std::move(*place));
            ++got;
        }
        return got;
    };

    EXPECT_EQ(enter("https://a.test", Standing::asked, 100), Attendance::of_another_site);
    EXPECT_EQ(enter("https://never.test", Standing::refused, 100), Attendance::of_another_site);
    std::size_t others = 2 * Attendance::of_another_site;
    for (int i = 0; i < 20; ++i)
        others += enter("https://" + std::to_string(i) + ".a.test", Standing::asked, 100);
    EXPECT_EQ(others, Attendance::of_all_others);
    EXPECT_EQ(enter("https://portal.test", Standing::allowed, 1000), Attendance::of_an_allowed_site);
    EXPECT_EQ(enter("https://second.test", Standing::allowed, 1), 1U);

    places.clear();
    EXPECT_EQ(enter("https://a.test", Standing::asked, 100), Attendance::of_another_site);
}

// ---- who is asked next ----

class WaitingLinesTest : public testing::Test {
protected:
    /// Asks for a turn, in the order of these calls; whoever gets one says so and keeps it until `next`.
    void ask(std::string const& who, asio::cancellation_signal* leave = nullptr) {
        auto served = [](WaitingLinesTest& test, std::string name) -> Task<void> {
            auto turn = co_await test.m_lines.enter(name);
            test.m_served.push_back(name);
            test.m_turn.emplace(std::move(turn));
        };
        auto slot = leave != nullptr ? leave->slot() : asio::cancellation_slot{};
        asio::co_spawn(m_loop, served(*this, who), asio::bind_cancellation_slot(slot, asio::detached));
        run();
    }
    void next() {
        m_turn.reset();
        run();
    }
    void run() {
        m_loop.restart();
        m_loop.poll();
    }

    asio::io_context m_loop{1};
    WaitingLines m_lines{m_loop.get_executor()};
    std::optional<WaitingLines::Turn> m_turn;
    std::vector<std::string> m_served;
    using Names = std::vector<std::string>;
};

TEST_F(WaitingLinesTest, ServeTheSitesInTurnHoweverManyRequestsOneOfThemHas) {
    for (int i = 0; i < 4; ++i)
        ask("pest");
    ask("portal");
    ask("bank");
    ask("portal");
    for (int i = 0; i < 6; ++i)
        next();

    EXPECT_EQ(m_served, (Names{"pest", "pest", "portal", "bank", "pest", "portal", "pest"}));
}

TEST_F(WaitingLinesTest, ServeNobodyWhileATurnIsTakenAndSomebodyNewAtOnceWhenAllAreServed) {
    ask("first");
    ask("second");
    EXPECT_EQ(m_served, Names{"first"});
    next();
    next();
    ask("third");

    EXPECT_EQ(m_served, (Names{"first", "second", "third"}));
}

TEST_F(WaitingLinesTest, ForgetWhoLeaves) {
    asio::cancellation_signal leave;
    ask("first");
    ask("leaves", &leave);
    ask("last");

    leave.emit(asio::cancellation_type::terminal);
    run();
    next();

    EXPECT_EQ(m_served, (Names{"first", "last"}));
}

TEST(Withdrawals, ForgiveAFewAndThenMakeThePageWaitLongerEachTime) {
    Withdrawals withdrawals;
    Deadline now{};
    std::string const who = "https://portal.test";

    for (unsigned i = 0; i < Withdrawals::forgiven; ++i) {
        EXPECT_EQ(withdrawals.next(who, now), now);
        withdrawals.note(who, now);
    }
    EXPECT_EQ(withdrawals.next(who, now), now);
    std::vector<std::chrono::seconds> waits;
    for (int i = 0; i < 8; ++i) {
        withdrawals.note(who, now);
        waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(withdrawals.next(who, now) - now));
        now = withdrawals.next(who, now);
    }

    EXPECT_EQ(waits, (std::vector<std::chrono::seconds>{1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}));
    EXPECT_EQ(withdrawals.next("https://other.test", now), now) << "nobody else waits";
}

TEST(Withdrawals, AreForgottenWhenThePersonAnswersAndAfterAMinute) {
    Withdrawals withdrawals;
    Deadline const now{};
    for (int i = 0; i < 10; ++i) {
        withdrawals.note("https://answered.test", now);
        withdrawals.note("https://quiet.test", now);
    }

    withdrawals.forget("https://answered.test");

    EXPECT_EQ(withdrawals.next("https://answered.test", now), now);
    EXPECT_EQ(withdrawals.next("https://quiet.test", now + Withdrawals::memory), now + Withdrawals::memory);
    EXPECT_GT(withdrawals.next("https://quiet.test", now + 1s), now + 1s);
}

} // namespace
} // namespace tamga::daemon

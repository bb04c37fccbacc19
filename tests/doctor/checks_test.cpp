// Checks of `tamga doctor` that need another clock or another computer, and its table of causes.
#include "cli/doctor/checks.hpp"
#include "cli/support_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tamga::cli {
namespace {

using namespace std::chrono_literals;

Surroundings nowhere() {
    Surroundings here;
    here.network = Network::left_alone;
    here.built = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    here.now = here.built + 24h;
    return here;
}

TEST(Clock, IsWrongBeforeThisTamgaWasMade) {
    auto here = nowhere();
    here.now = here.built - 24h;

    auto const findings = check_network(here);

    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].cause, Cause::clock_before_build);
    EXPECT_NE(sentence_of(Language::en, findings[0]).find("2026-10-31"), std::string::npos);
}

TEST(Clock, IsNotAskedAboutOnTheNetworkWhereThatIsLeftAlone) {
    EXPECT_TRUE(check_network(nowhere()).empty());
}

TEST(Causes, HaveANumberOfTheirOwnAndACodeThatLeadsBack) {
    std::set<int> numbers;
    std::set<std::string_view> ids;
    for (auto const& row : causes()) {
        EXPECT_TRUE(numbers.insert(row.number).second) << row.id;
        EXPECT_TRUE(ids.insert(row.id).second) << row.id;
        EXPECT_EQ(cause_of_code(phone_code(row.cause)), row.cause) << row.id;
    }
}

TEST(Causes, OfWhatIsBadSayWhatToDoNext) {
    for (auto const& row : causes()) {
        EXPECT_STRNE(row.sentence, "") << row.id;
        EXPECT_TRUE(row.state == State::good || *row.step != '\0') << row.id;
    }
}

TEST(Causes, NoticeADigitThatWasMisheard) {
    auto const code = phone_code(Cause::port_ncalayer);
    for (std::size_t place = 1; place < code.size(); ++place) {
        for (char digit = '0'; digit <= '9'; ++digit) {
            auto misheard = code;
            misheard[place] = digit;
            EXPECT_EQ(cause_of_code(misheard).has_value(), misheard == code) << misheard;
        }
    }
}

TEST(MainFinding, IsTheFirstOnTheWayOfARequestAndBadBeforeUnknown) {
    Findings const findings{{Cause::readers_none}, {Cause::trust_missing}, {Cause::port_ncalayer}, {Cause::tls_good}};

    EXPECT_EQ(main_finding(findings)->cause, Cause::port_ncalayer);
    EXPECT_EQ(main_finding({{Cause::tls_good}, {Cause::readers_none}})->cause, Cause::readers_none);
    EXPECT_EQ(main_finding({{Cause::tls_good}}), nullptr);
}

TEST(Redaction, LeavesNothingThatNamesAPerson) {
    auto const line = redacted(R"(/people/planted/x origin="https://a.test" see http://b.test/c, IIN123456789011 )"
                               "ed7f6222 ed7f6222ed7f6222ed7f6222",
                               "/people/planted");

    EXPECT_EQ(line, R"(~/x origin="..." see [site], IIN[number] ed7f6222 [octets])");
}

TEST(Window, OfAScreenThatDoesNotAnswerIsToldFromNone) {
    auto here = nowhere();
    auto const has = [](Findings const& findings, Cause cause) {
        return std::ranges::any_of(findings, [&](Finding const& finding) { return finding.cause == cause; });
    };

    EXPECT_TRUE(has(check_window(here), Cause::window_no_display));
    here.environment.emplace("DISPLAY", ":4711");
    EXPECT_TRUE(has(check_window(here), Cause::window_display_silent));
}

} // namespace
} // namespace tamga::cli

// policy/classification: every case there is, against a table written from the text of the Rules.
#include "policy/classification.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

namespace tamga::policy {
namespace {

bool yes(std::string const& word) {
    EXPECT_TRUE(word == "yes" || word == "no" || word == "present" || word == "absent" || word == "paid" ||
                word == "free")
        << word;
    return word == "yes" || word == "present" || word == "paid";
}

struct Outcome {
    std::string method;
    std::string instead;
};

/// tests/data/classification/rules.txt.
struct Rules {
    std::map<std::tuple<bool, bool, bool, bool>, unsigned> totals;
    std::map<unsigned, std::string> methods;
    std::map<std::pair<bool, bool>, std::string> flags;
    std::map<std::pair<std::string, std::string>, Outcome> channels;

    static Rules read() {
        Rules rules;
        std::ifstream file{TAMGA_TEST_DATA "/classification/rules.txt"};
        for (std::string line; std::getline(file, line);) {
            std::istringstream words{line};
            std::string kind;
            words >> kind;
            if (!kind.empty() && kind.front() != '#') rules.take(kind, words);
        }
        return rules;
    }

    [[nodiscard]] Outcome outcome(Criteria const& criteria, Flags flag, Channel channel) const {
        auto method = flags.at({flag.permit, flag.composite});
        if (method == "by_total") method = methods.at(total(criteria));
        return channels.at({std::string{name_of(channel)}, method});
    }
    [[nodiscard]] unsigned total(Criteria const& criteria) const {
        return totals.at({criteria.risk, criteria.changes_database, criteria.minutes > 30, criteria.paid});
    }

private:
    void take(std::string const& kind, std::istringstream& words) {
        std::string a;
        std::string b;
        std::string c;
        std::string d;
        unsigned points[5] = {};
        if (kind == "score") {
            words >> a >> points[0] >> b >> points[1] >> c >> points[2] >> d >> points[3] >> points[4];
            EXPECT_EQ(points[0] + points[1] + points[2] + points[3], points[4]) << "the table itself is wrong";
            totals[{yes(a), yes(b), yes(c), yes(d)}] = points[4];
        } else if (kind == "method") {
            words >> points[0] >> a;
            methods[points[0]] = a;
        } else if (kind == "flags") {
            words >> a >> b >> c;
            flags[{yes(a), yes(b)}] = c;
        } else {
            EXPECT_EQ(kind, "channel");
            words >> a >> b >> c >> d;
            channels[{a, b}] = {c, d == "-" ? "" : d};
        }
        EXPECT_TRUE(words) << kind;
    }
};

bool has(Classification const& classification, char const* message) {
    return std::ranges::any_of(classification.reasons,
                               [&](Reason const& reason) { return std::string_view{reason.message} == message; });
}

TEST(Classification, AgreesWithTheRulesInAll256Cases) {
    auto const rules = Rules::read();
    unsigned cases = 0;

    for (unsigned bits = 0; bits < 64; ++bits) {
        for (auto const channel : channels) {
            auto const is = [bits](unsigned bit) { return (bits >> bit & 1) != 0; };
            Criteria const criteria{is(0), is(1), is(2) ? 31U : 29U, is(3)};
            Flags const flags{is(4), is(5)};
            auto const result = classify(criteria, flags, channel);
            auto const expected = rules.outcome(criteria, flags, channel);
            auto const at = std::to_string(bits) + ' ' + std::string{name_of(channel)};

            EXPECT_EQ(result.score, rules.total(criteria)) << at;
            EXPECT_EQ(name_of(result.method), expected.method) << at;
            EXPECT_EQ(result.alternatives.empty() ? "" : name_of(result.alternatives.front()), expected.instead) << at;
            EXPECT_EQ(result.edition, rules_edition);
            ++cases;
        }
    }

    EXPECT_EQ(cases, 256U);
    EXPECT_EQ(rules.totals.size(), 16U);
    EXPECT_EQ(rules.channels.size(), 12U);
}

TEST(Classification, CountsExactly30MinutesAfterParagraph5AndNamesTheConflict) {
    constexpr auto conflict = "Exactly 30 minutes: paragraph 5 counts a term that exceeds them, Appendix 2 sets apart "
                              "one of less than 30. Paragraph 5 is followed";

    EXPECT_EQ(classify({.minutes = 30}, {}, Channel::portal).score, 1);
    EXPECT_TRUE(has(classify({.minutes = 30}, {}, Channel::portal), conflict));
    EXPECT_FALSE(has(classify({.minutes = 29}, {}, Channel::portal), conflict));
    EXPECT_FALSE(has(classify({.minutes = 31}, {}, Channel::portal), conflict));
}

TEST(Classification, GivesAReasonWithItsClauseForEachStepInThreeLanguages) {
    auto const result = classify({true, true, 45, true}, {.permit = true, .composite = true}, Channel::sms);

    ASSERT_EQ(result.reasons.size(), 8U);
    for (auto const language : {Language::kk, Language::ru, Language::en}) {
        for (auto const& reason : result.reasons) {
            auto const line = words(language, reason);
            EXPECT_EQ(line.back(), ']') << line;
            EXPECT_EQ(line.find('%'), std::string::npos) << line;
        }
    }
    EXPECT_EQ(words(Language::en, result.reasons[2]),
              "The term is 45 minutes, more than 30: 1 [Rules, paragraph 5 and Appendix 2, criterion 3]");
    EXPECT_NE(words(Language::ru, result.reasons[2]), words(Language::en, result.reasons[2]));
    EXPECT_NE(words(Language::kk, result.reasons[2]), words(Language::en, result.reasons[2]));
}

} // namespace
} // namespace tamga::policy

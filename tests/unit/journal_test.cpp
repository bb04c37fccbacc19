// The journal of what keys were used for: what is found again, what goes first, and what is left of what was erased.
#include "journal/book.hpp"
#include "journal/fold.hpp"
#include "journal/forms.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace tamga::journal {
namespace {

namespace fs = std::filesystem;

Entry entry_at(std::int64_t at, std::string title = "Өтініш") {
    Entry entry;
    entry.at = entry.until = at;
    entry.site = "https://portal.test";
    entry.service = "kz.example.birth";
    entry.use = "service_request";
    entry.form = "cms";
    entry.certificate = std::string(64, 'a');
    entry.subject = "CN=ТЕСТОВ ТЕСТ";
    entry.outcome = "signed";
    entry.documents = entry.signatures = 1;
    entry.listed = {{std::move(title), "2.16.840.1.101.3.4.2.1", std::string(64, 'd')}};
    return entry;
}

Filter since(std::int64_t time) {
    Filter filter;
    filter.since = time;
    return filter;
}
Filter before(std::int64_t time) {
    Filter filter;
    filter.before = time;
    return filter;
}
Filter at_site(std::string site) {
    Filter filter;
    filter.site = std::move(site);
    return filter;
}
Filter with(std::string text) {
    Filter filter;
    filter.text = std::move(text);
    return filter;
}

class JournalTest : public testing::Test {
protected:
    [[nodiscard]] Book open(Limits limits = {}) const {
        auto book = Book::open(path(), limits);
        if (!book) throw std::runtime_error{book.error().detail};
        return std::move(*book);
    }
    [[nodiscard]] fs::path path() const { return m_scratch / "journal.db"; }
    static std::vector<std::int64_t> times(Book& book, Filter const& filter = {}) {
        std::vector<std::int64_t> found;
        auto const entries = book.find(filter);
        for (auto const& entry : entries.value())
            found.push_back(entry.at);
        return found;
    }
    using Times = std::vector<std::int64_t>;

    test::Scratch const m_scratch;
};

TEST_F(JournalTest, KeepsWhatItWasGivenOverARestart) {
    auto entry = entry_at(100);
    entry.id = open().add(entry).value();

    auto book = open();

    EXPECT_EQ(*book.find({}), std::vector{entry});
}

TEST_F(JournalTest, FindsByTimeSiteAndAnyWordWhateverItsCase) {
    auto book = open();
    auto other = entry_at(200, "Договор");
    other.site = "https://other.test";
    other.outcome = "user_cancelled";
    ASSERT_TRUE(book.add(entry_at(100)) && book.add(other) && book.add(entry_at(300, "100% of _ it")));

    EXPECT_EQ(times(book, since(200)), (Times{200, 300}));
    EXPECT_EQ(times(book, before(200)), Times{100});
    EXPECT_EQ(times(book, at_site("OTHER.test")), Times{200});
    EXPECT_EQ(times(book, with("өТІНІШ")), Times{100});
    EXPECT_EQ(times(book, with("ДОГОВОР")), Times{200});
    EXPECT_EQ(times(book, with("% of _")), Times{300}) << "no pattern, but a text";
    EXPECT_EQ(times(book, with(std::string(64, 'D'))), (Times{100, 200, 300})) << "the digest";
    EXPECT_EQ(times(book, with("cancelled")), Times{200});
    EXPECT_EQ(times(book, with("'; DROP TABLE entry; --")), Times{});
}

TEST_F(JournalTest, LetsTheOldestGoFirst) {
    auto book = open({.entries = 3});
    for (std::int64_t at = 1; at <= 5; ++at)
        ASSERT_TRUE(book.add(entry_at(at)));

    EXPECT_EQ(times(book), (Times{3, 4, 5}));
}

TEST_F(JournalTest, LosesNoSignatureToAPageThatAsksInVain) {
    auto book = open({.entries = 63, .in_vain = 2});
    ASSERT_TRUE(book.add(entry_at(1)));
    for (std::int64_t at = 2; at <= 300; ++at) {
        auto in_vain = entry_at(at);
        in_vain.signatures = 0;
        ASSERT_TRUE(book.add(in_vain));
    }

    EXPECT_EQ(times(book), (Times{1, 299, 300}));
}

TEST_F(JournalTest, DoesNotGrowBeyondItsOctets) {
    auto book = open({.entries = 1000, .octets = 200'000});
    for (std::int64_t at = 1; at <= 300; ++at)
        ASSERT_TRUE(book.add(entry_at(at, std::string(2000, 't'))));

    auto const kept = times(book);
    EXPECT_EQ(kept.back(), 300);
    EXPECT_LT(kept.size(), 100U);
    EXPECT_GT(kept.size(), 25U);
    EXPECT_TRUE(open().erase(0)); // the log is taken into the file
    EXPECT_LE(fs::file_size(path()), 250'000U);
}

TEST_F(JournalTest, S24IsReadableByItsOwnerAloneWhateverTheUmask) {
    for (mode_t const mask : {mode_t{0}, mode_t{0777}}) {
        fs::remove(path());
        auto const umask_before = ::umask(mask);
        auto book = open();
        auto const added = book.add(entry_at(1));
        ::umask(umask_before);

        ASSERT_TRUE(added);
        for (auto const& file : fs::directory_iterator{m_scratch.path()})
            EXPECT_EQ(file.status().permissions(), fs::perms{0600}) << file.path();
    }
}

TEST_F(JournalTest, SetsAsideWhatIsDamagedOrOthersCouldHaveWritten) {
    m_scratch.write("journal.db", "this is no database at all, and long enough to be taken for the head of one: it has "
                                  "more than a hundred octets.");
    EXPECT_TRUE(open().add(entry_at(1)));
    EXPECT_TRUE(fs::exists(m_scratch / "journal.db.damaged"));

    fs::remove(m_scratch / "journal.db.damaged");
    fs::permissions(path(), fs::perms{0622});
    auto book = open();
    EXPECT_EQ(times(book), Times{});
    EXPECT_TRUE(fs::exists(m_scratch / "journal.db.damaged"));
}

TEST_F(JournalTest, LeavesTheFileOfALaterTamgaAlone) {
    { // closed again
        auto database = Database::open((static_cast<void>(open()), path()));
        ASSERT_TRUE(database && database->run("PRAGMA user_version = 7"));
    }

    EXPECT_EQ(Book::open(path(), {}).error().code, Errc::system);
    EXPECT_FALSE(fs::exists(m_scratch / "journal.db.damaged"));
}

TEST_F(JournalTest, HasNothingLeftOfWhatWasErased) {
    auto book = open();
    ASSERT_TRUE(book.add(entry_at(100, "a title that nobody is to find")));
    ASSERT_TRUE(book.add(entry_at(200, "another title")));

    EXPECT_EQ(book.erase(200).value(), 1);

    EXPECT_EQ(times(book), Times{200});
    for (auto const& file : fs::directory_iterator{m_scratch.path()})
        EXPECT_EQ(m_scratch.read(file.path().filename()).find("nobody is to find"), std::string::npos) << file.path();
    EXPECT_NE(m_scratch.read("journal.db").find("another title"), std::string::npos)
        << "the search finds what is there";
}

TEST_F(JournalTest, RemembersCertificatesTheOnesSeenLastFirst) {
    auto book = open();
    KnownCertificate const one{std::string(64, 'a'), "AAAA", 100};
    KnownCertificate const other{std::string(64, 'b'), "BBBB", 200};
    ASSERT_TRUE(book.note(one) && book.note(other));

    EXPECT_EQ(*book.certificates(), (std::vector{other, one}));
    auto again = one;
    again.seen = 300;
    ASSERT_TRUE(book.note(again));
    EXPECT_EQ(*book.certificates(), (std::vector{again, other}));
    ASSERT_TRUE(book.erase(250));
    EXPECT_EQ(*book.certificates(), std::vector{again});
    ASSERT_TRUE(book.erase({}));
    EXPECT_TRUE(book.certificates()->empty());
}

TEST_F(JournalTest, RemembersSoManyCertificatesAndNoMore) {
    auto book = open();
    for (std::int64_t i = 0; i < most_certificates + 3; ++i)
        ASSERT_TRUE(book.note({std::to_string(i), "AAAA", i}));

    auto const kept = book.certificates();
    ASSERT_EQ(static_cast<std::int64_t>(kept->size()), most_certificates);
    EXPECT_EQ(kept->back().seen, 3);
}

TEST_F(JournalTest, TakesOverTheFileOfAnEarlierTamga) {
    ASSERT_TRUE(open().add(entry_at(100)));
    {
        auto database = Database::open(path());
        ASSERT_TRUE(database && database->run("DROP TABLE certificate; PRAGMA user_version = 1"));
    }

    auto book = open();

    EXPECT_EQ(times(book), Times{100});
    EXPECT_TRUE(book.note({std::string(64, 'a'), "AAAA", 100}));
}

TEST_F(JournalTest, IsReadAndErasedByOneProcessWhileAnotherWrites) {
    auto daemon = open();
    ASSERT_TRUE(daemon.add(entry_at(100)));
    auto command = Book::open_existing(path());

    ASSERT_TRUE(command && *command);
    EXPECT_EQ((*command)->erase(std::nullopt).value(), 1);
    EXPECT_TRUE(daemon.add(entry_at(200)));

    EXPECT_EQ(times(**command), Times{200});
}

TEST_F(JournalTest, CountsARememberedLoginOnInsteadOfFillingUp) {
    auto book = open();
    auto entry = entry_at(100);
    entry.remembered = true;
    auto const id = book.add(entry).value();

    ASSERT_TRUE(book.count_on(id, 160, 312));

    auto const found = book.find(since(150));
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().signatures, 312);
    EXPECT_EQ(found->front().until, 160);
}

TEST(JournalForms, GiveASpreadsheetNoFormulaAndOneLineADocument) {
    auto entry = entry_at(0, "=HYPERLINK(\"http://evil\")");
    entry.listed.push_back({"a \"quoted\"\r\ntitle", "", ""});

    auto const csv = csv_of({entry});

    EXPECT_NE(csv.find("\"'=HYPERLINK(\"\"http://evil\"\")\""), std::string::npos) << csv;
    EXPECT_NE(csv.find("\"a \"\"quoted\"\"\r\ntitle\""), std::string::npos) << csv;
    EXPECT_NE(csv.find("\"1970-01-01T00:00:00Z\""), std::string::npos);
}

TEST(JournalForms, FoldKazakhRussianAndLatinLettersAndNothingElse) {
    EXPECT_EQ(folded("ӘҒҚҢӨҰҮҺІ ЁЯ AZ"), "әғқңөұүһі ёя az");
    EXPECT_EQ(folded("әғқ ß 漢字 \xff\xc3"), "әғқ ß 漢字 \xff\xc3");
}

} // namespace
} // namespace tamga::journal

// Documents as pictures in the real window, and the pictures of the window that the documentation shows.
#include "tests/window/paper.hpp"
#include "tests/window/window_fixture.hpp"

#include "signing/to_be_signed.hpp"

char const* const tamga::testing::preview_program = TAMGA_PREVIEW_PROGRAM;

namespace tamga {
namespace {

using testing::make_certificate;
using testing::paper;
using testing::Previews;

constexpr char const* blue = "0000FF";
constexpr char const* red = "FF0000";

class PictureTest : public testing::WindowTest {
protected:
    PictureTest() { m_previews = Previews::work; }

    /// The documents with what the site calls each.
    void label(std::vector<std::string> const& titles, std::string const& media_type) {
        m_request.labelled = true;
        for (auto const& title : titles) {
            ipc::Writer writer;
            writer(ipc::DocumentLabel{title, media_type, {}, 0});
            m_documents.push_back(to_bytes(writer.bytes()));
        }
    }
    /// To a known site, with a token that would remember it.
    void open_for_sign_in() {
        m_request.purpose = ipc::Purpose::sign_in;
        m_request.form = ipc::Form::authenticate;
        m_request.filter.extended_key_usages = {std::string{signing::eku_client_auth}};
        m_documents = {*signing::sign_in_request({m_request.origin, Bytes(16)})};
        m_readable = {make_certificate({.usage = "clientAuth"})};
        m_token.keys = m_readable;
        m_token.info.remember_s = 900;
        m_token.info.remember_unused_s = 300;
        open();
    }
    void sign() {
        type("1234");
        press("Return");
        EXPECT_TRUE(hear<ipc::Accepted>());
    }
};

TEST_F(PictureTest, APdfIsShownPageByPageByKeyboardAndSigned) {
    m_documents = {paper(Language::en, 3)};
    open();
    EXPECT_TRUE(gets_colour(blue)) << "the first page";
    press("ctrl+Next");
    EXPECT_TRUE(gets_colour(red)) << "the second";
    EXPECT_FALSE(has_colour(blue));
    press("ctrl+Prior");
    EXPECT_TRUE(gets_colour(blue));

    sign();
}

TEST_F(PictureTest, AnImageIsShownAndSigned) {
    m_documents = {testing::photograph(Language::en)};
    open();

    EXPECT_TRUE(gets_colour(blue));
    sign();
}

TEST_F(PictureTest, EachPdfOfABatchIsShownWhenItIsPointedAt) {
    m_documents = {document("A text"), paper(Language::en, 1)};
    open();
    EXPECT_FALSE(has_colour(blue));
    EXPECT_EQ(m_prompt->previews_wanted, 0) << "a text needs none";
    press("shift+Tab shift+Tab shift+Tab Down"); // past the key and the text to the list

    EXPECT_TRUE(gets_colour(blue));
}

TEST_F(PictureTest, TheLargerViewDecidesNothing) {
    m_documents = {paper(Language::en, 2)};
    open();
    ASSERT_TRUE(gets_colour(blue));
    type("1234");
    press("alt+g");
    auto const larger = m_display.run("timeout 30 xdotool search --sync --onlyvisible --name '^Tamga: document$'");
    ASSERT_FALSE(larger.empty());
    m_display.run("xdotool windowfocus --sync " + larger);
    ::usleep(900'000);
    press("Return"); // what would sign in the window
    EXPECT_EQ(hear<ipc::PromptEnded>(std::chrono::seconds{1}).error().code, Errc::timeout);
    EXPECT_EQ(unlocks(), 0U);
    press("Escape");
    m_display.run("xdotool windowfocus --sync " + m_window);
    ::usleep(900'000);
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>()) << "closed, it leaves all as it was";
}

class PreviewLost : public PictureTest, public ::testing::WithParamInterface<Previews> {};
INSTANTIATE_TEST_SUITE_P(Fates, PreviewLost,
                         ::testing::Values(Previews::cannot_be_started, Previews::are_killed, Previews::say_nothing));

TEST_P(PreviewLost, CostsThePictureAndNothingElse) {
    m_previews = GetParam();
    m_documents = {paper(Language::en, 1)};
    open();

    EXPECT_FALSE(has_colour(blue));
    if (GetParam() == Previews::say_nothing) ::sleep(12); // as long as the window waits for one
    EXPECT_TRUE(gets_colour("FDE0DC")) << "the ground of a warning";
    sign();
}

TEST_F(PictureTest, AnythingMayBePastedIntoThePinsField) {
    m_documents = {document("1234")};
    open();
    press("shift+Tab shift+Tab ctrl+a ctrl+c"); // past the key to the text
    press("alt+p ctrl+v Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_EQ(m_events.count("unlock 1234"), 1U);
}

TEST_F(PictureTest, S10_HostileTitlesAndTypesStayInTheirPlaces) {
    auto const hostile = "<h1>free</h1>\u202Egnp.exe\n\n" + std::string(50'000, 'W'); // no message is longer
    m_documents = {Bytes(100, 0), document("text")};
    label({hostile, hostile}, "application/\u202Efdp" + std::string(5000, 'x'));
    open();
    picture("hostile-titles-en");

    auto const geometry = m_display.run("xdotool getwindowgeometry --shell " + m_window);
    auto const height = std::stoi(geometry.substr(geometry.find("HEIGHT=") + 7));
    EXPECT_LE(height, 900) << "the buttons are on the screen";
    sign();
}

// ---- what the documentation shows ----

class ScreenTest : public PictureTest, public ::testing::WithParamInterface<Language> {
protected:
    ScreenTest() { m_request.language = GetParam(); }
    void picture_of(std::string const& name) const {
        constexpr char const* suffixes[] = {"-en", "-kk", "-ru"};
        picture("screen-" + name + suffixes[static_cast<std::size_t>(GetParam())]);
    }
    [[nodiscard]] std::string in(std::array<char const*, 3> const& words) const {
        return words[static_cast<std::size_t>(GetParam())];
    }
};
INSTANTIATE_TEST_SUITE_P(Languages, ScreenTest, ::testing::Values(Language::kk, Language::ru, Language::en));

TEST_P(ScreenTest, ForOneTextDocument) {
    label(
        {in({"Request for a certificate of address", "Мекенжай анықтамасына өтініш", "Заявление на адресную справку"})},
        "text/plain");
    open();
    type("1234");
    picture_of("text");
}

TEST_P(ScreenTest, ForABatchOfFifty) {
    std::vector<std::string> titles;
    m_documents.clear();
    for (int i = 1; i <= 50; ++i) {
        titles.push_back(in({"Invoice No. ", "Шот-фактура № ", "Счёт-фактура № "}) + std::to_string(i));
        m_documents.push_back(document(titles.back() + "\n\n" + std::to_string(i * 1000) + " KZT"));
    }
    label(titles, "text/plain");
    open();
    picture_of("batch");

    sign();
    ASSERT_TRUE(m_prompt->web.send(ipc::Progress{20, 50}));
    picture_of("batch-signing");
}

TEST_P(ScreenTest, ForAPdf) {
    m_documents = {paper(GetParam(), 3)};
    label({in({"Request for a licence.pdf", "Лицензияға өтініш.pdf", "Заявление на лицензию.pdf"})}, "application/pdf");
    open();
    ASSERT_TRUE(gets_colour(blue));
    picture_of("pdf");
}

TEST_P(ScreenTest, ForWhatCannotBeShown) {
    m_documents = {Bytes(20'000, 0)};
    label({in({"Drawing.dwg", "Сызба.dwg", "Чертёж.dwg"})}, "image/vnd.dwg");
    open();
    picture_of("unseen");
}

TEST_P(ScreenTest, AfterAWrongPinWithTwoLeft) {
    m_token.attempts_left = 3;
    m_token.info.attempts_left = std::uint8_t{3};
    open();
    type("1111");
    press("Return");
    ::usleep(400'000);
    picture_of("wrong-pin");
    EXPECT_EQ(unlocks(), 1U);
}

TEST_P(ScreenTest, BeforeTheLastAttempt) {
    m_token.attempts_left = 1;
    m_token.info.attempts_left = std::uint8_t{1};
    m_token.info.pin_final_try = true;
    open();
    type("1234");
    press("Return");
    picture_of("last-attempt");
    EXPECT_EQ(unlocks(), 0U);
}

TEST_P(ScreenTest, ForThreeCertificatesOfTwoPeople) {
    m_readable = {make_certificate(m_employee), m_key, make_certificate({.name = "ҮЛГІ ҮЛГІ", .iin = "123456789012"})};
    open();
    press("Down");
    type("");
    picture_of("certificates");
}

TEST_P(ScreenTest, ForASignInThatMayBeRememberedWhichIsNotTickedByItself) {
    open_for_sign_in();
    type("1234");
    picture_of("sign-in");

    press("Return");
    auto const accepted = hear<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    EXPECT_FALSE(accepted->remembered);
}

TEST_F(PictureTest, ASignInIsRememberedWhenItsBoxIsTickedByKeyboard) {
    open_for_sign_in();
    press("alt+m");
    press("alt+p");
    type("1234");
    press("Return");

    auto const accepted = hear<ipc::Accepted>();
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->remembered);
}

} // namespace
} // namespace tamga

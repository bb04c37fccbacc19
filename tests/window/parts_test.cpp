// The parts of the window by themselves, on no display at all.
#include "prompt/document_view.hpp"
#include "prompt/key_list.hpp"
#include "prompt/picture_pane.hpp"
#include "prompt/typing_hint.hpp"
#include "prompt/window.hpp"

#include "base/handshake.hpp"
#include "prompt/choices.hpp"
#include "tests/support/test_certificate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>

#include <QAccessible>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QTest>
#include <QTimer>

namespace tamga::prompt {
namespace {

class Parts : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        static int count = 1;
        static char name[] = "parts";
        static char* arguments[] = {name, nullptr};
        // Never destroyed: Qt takes parts of it down before.
        static auto const* const application = new QApplication{count, arguments};
        ASSERT_NE(application, nullptr);
    }
    static void settle() { QTest::qWait(50); }
};

// ---- the keyboard ----

class Typing : public Parts {
protected:
    Typing() {
        m_hint.speak(Language::en);
        m_field.show();
        m_field.setFocus();
        settle();
    }
    std::string words() const { return m_hint.isHidden() ? "" : m_hint.text().toStdString(); }

    QLineEdit m_field;
    TypingHint m_hint{m_field};
};

TEST_F(Typing, OfOrdinaryLettersSaysNothing) {
    QTest::keyClicks(&m_field, "abc123!");
    QTest::keyClick(&m_field, 'D', Qt::ShiftModifier);

    EXPECT_EQ(words(), "");
}

TEST_F(Typing, OfCapitalsWithoutShiftSaysThatCapsLockIsOnUntilItIsNot) {
    QTest::sendKeyEvent(QTest::Click, &m_field, Qt::Key_A, "A", Qt::NoModifier);
    EXPECT_EQ(words(), "Caps Lock is on.");

    QTest::sendKeyEvent(QTest::Click, &m_field, Qt::Key_B, "b", Qt::NoModifier);
    EXPECT_EQ(words(), "");
}

TEST_F(Typing, OfLettersThatAreNotLatinSaysToCheckTheLayout) {
    QTest::sendKeyEvent(QTest::Click, &m_field, Qt::Key_F, "ф", Qt::NoModifier);
    EXPECT_NE(words().find("keyboard layout"), std::string::npos) << words();

    m_field.clear();
    EXPECT_EQ(words(), "");
}

TEST_F(Typing, IsNotTalkedAboutWhereThereIsNoField) {
    QTest::sendKeyEvent(QTest::Click, &m_field, Qt::Key_F, "ф", Qt::NoModifier);
    m_field.hide();

    EXPECT_EQ(words(), "");
}

// ---- the keys ----

class Keys : public Parts {
protected:
    static FoundToken token(std::vector<Bytes> certificates) {
        FoundToken found;
        found.info.pin_initialized = true;
        found.certificates = std::move(certificates);
        return found;
    }
    std::vector<std::string> spoken(std::vector<FoundToken> const& tokens) {
        Sheet sheet;
        sheet.request = {};
        sheet.request.purpose = ipc::Purpose::sign;
        sheet.request.filter.extended_key_usages = {std::string{signing::eku_email_protection}};
        Question question;
        question.choices = choices_before_pin(sheet, tokens, Knowledge{}, std::time(nullptr));
        m_list.show_choices(Language::en, question);
        std::vector<std::string> lines;
        for (int i = 0; i < m_list.count(); ++i)
            lines.push_back(m_list.item(i)->data(Qt::AccessibleTextRole).toString().toStdString());
        return lines;
    }
    KeyList m_list{nullptr};
};

Bytes key_of(std::string const& name, std::string const& iin, std::string const& bin = "") {
    testing::Owner owner;
    owner.name = name;
    owner.iin = iin;
    owner.bin = bin;
    owner.organisation = bin.empty() ? "" : "Sample " + bin;
    return testing::make_certificate(owner);
}

TEST_F(Keys, OfPersonsComeBeforeThoseOfEachOrganisationUnderTheirHeadings) {
    auto const lines =
        spoken({token({key_of("B FIRM", "111111111111", "222222222222"), key_of("A PERSON", "333333333333"),
                       key_of("A FIRM", "333333333333", "100000000000")}),
                token({key_of("A PERSON", "333333333333"), key_of("C FIRM", "1", "222222222222")})});

    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[0].find("Keys of a person: A PERSON"), 0U) << lines[0];
    EXPECT_EQ(lines[1].find("A PERSON"), 0U) << lines[1];
    EXPECT_EQ(lines[2].find("Keys of an organisation: Sample 100000000000: A FIRM"), 0U) << lines[2];
    EXPECT_EQ(lines[3].find("Keys of an organisation: Sample 222222222222:"), 0U) << lines[3];
    EXPECT_EQ(lines[4].find("Keys"), std::string::npos) << lines[4];
}

TEST_F(Keys, OfOnePersonHaveNoHeading) {
    auto const lines = spoken({token({key_of("A PERSON", "333333333333"), key_of("B PERSON", "111111111111")})});

    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].find("B PERSON"), 0U) << "those of one owner together: " << lines[0];
    EXPECT_EQ(lines[1].find("A PERSON"), 0U);
}

TEST_F(Keys, ThatCannotBeChosenAreLastInTheirGroupAndAGroupOfNothingElseIsLast) {
    auto expired = testing::Owner{.name = "OLD PERSON"};
    expired.valid_days = -30;
    auto const lines = spoken({token({testing::make_certificate(expired), key_of("A FIRM", "3", "100000000000")})});

    ASSERT_EQ(lines.size(), 2U);
    EXPECT_NE(lines[0].find("A FIRM"), std::string::npos);
    EXPECT_NE(lines[1].find("OLD PERSON"), std::string::npos);
}

// ---- documents ----

Documents documents_of(std::vector<std::string> const& contents) {
    std::vector<View> views;
    for (auto const& content : contents)
        views.push_back(as_view(content));
    return Documents{std::move(*SealedItems::open(*seal_items(views), 100)), false};
}

TEST_F(Parts, DocumentsThatAreSignedAreMarkedOneAfterTheOther) {
    Sheet sheet;
    sheet.documents = documents_of({"first", "second", "third"});
    DocumentView view{nullptr};
    view.show_sheet(sheet);
    auto const* list = view.findChild<QListWidget*>();

    view.mark_signed(1);
    EXPECT_TRUE(list->item(0)->text().startsWith("✓ 1."));
    EXPECT_TRUE(list->item(1)->text().startsWith("2."));
    view.mark_signed(3);
    view.mark_signed(0); // the time-stamps are counted anew
    EXPECT_TRUE(list->item(2)->text().startsWith("✓ 3."));
    EXPECT_FALSE(list->item(0)->text().contains("✓ ✓"));
}

/// A pane whose tamga-preview is the test.
class Pane : public Parts {
protected:
    Pane() {
        m_sheet.documents = documents_of({"%PDF-1.4 of some kind"});
        m_sheet.start_preview = [this]() -> Result<ipc::Channel> {
            ++m_started;
            if (m_refusals > 0) {
                --m_refusals;
                return Errc::busy;
            }
            auto pair = ipc::make_pair();
            m_preview = std::move(pair->first);
            return std::move(pair->second);
        };
        m_pane.failed = [this] { ++m_failed; };
        m_pane.resize(600, 400);
        m_pane.show();
        m_pane.show_document(m_sheet, 0);
    }
    /// What the pane asks for.
    std::optional<ipc::PictureWanted> wanted() {
        if (!QTest::qWaitFor([this] { return static_cast<bool>(m_preview); }, 5000)) return std::nullopt;
        if (!ipc::await_hello(m_preview, ipc::Role::prompt, std::chrono::seconds{5})) return std::nullopt;
        auto packet = m_preview.receive(std::chrono::seconds{5});
        auto const message = packet ? packet->as<ipc::PictureWanted>() : packet.error();
        if (!message) return std::nullopt;
        EXPECT_EQ(packet->descriptors.size(), 1U);
        return *message;
    }
    void answer(std::uint32_t pages, std::uint32_t width, std::uint32_t height, std::uint32_t said_height) {
        Bytes const octets(std::size_t{width} * height * 4, 0x80);
        auto const sealed = seal_items({View{octets}});
        ASSERT_TRUE(ipc::say_hello(m_preview, ipc::Role::preview));
        ASSERT_TRUE(m_preview.send(ipc::Picture{ipc::Status::from(ok()), pages, width, said_height}, {sealed->get()}));
        m_preview.close();
        settle();
    }
    void turn() {
        m_pane.activateWindow();
        QTest::keyClick(&m_pane, Qt::Key_PageDown, Qt::ControlModifier);
        settle();
    }

    Sheet m_sheet;
    ipc::Channel m_preview;
    int m_started = 0;
    int m_refusals = 0;
    int m_failed = 0;
    PicturePane m_pane{PicturePane::Place::in_window, nullptr};
};

TEST_F(Pane, AsksForTheFirstPageAsWideAsItIs) {
    auto const first = wanted();

    ASSERT_TRUE(first);
    EXPECT_EQ(first->page, 0U);
    EXPECT_GT(first->width, 500U);
    EXPECT_LE(first->width, 600U);
}

TEST_F(Pane, HasRoomForAPartOfAPageWorthReading) {
    DocumentView view{nullptr};
    view.show_sheet(m_sheet);

    EXPECT_FALSE(m_pane.hasHeightForWidth());
    EXPECT_GE(view.sizeHint().height(), 400);
}

TEST_F(Pane, AsksANewProcessForEachPageAndForNoneBeyondTheLast) {
    ASSERT_TRUE(wanted());
    answer(2, 500, 700, 700);
    turn();
    auto const second = wanted();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->page, 1U);
    answer(2, 500, 700, 700);
    turn();

    EXPECT_EQ(m_pane.page(), 1U);
    EXPECT_EQ(m_started, 2);
    EXPECT_EQ(m_failed, 0);
}

TEST_F(Pane, SaysThatThereIsNoPictureWhereTheSizesDisagree) {
    ASSERT_TRUE(wanted());
    answer(1, 500, 700, 701);

    EXPECT_EQ(m_failed, 1);
}

TEST_F(Pane, SaysThatThereIsNoPictureWhereTheProcessEnds) {
    ASSERT_TRUE(wanted());
    m_preview.close();
    settle();

    EXPECT_EQ(m_failed, 1);
}

TEST_F(Pane, OfAPageThatCannotBeShownKeepsTheOthers) {
    ASSERT_TRUE(wanted());
    answer(2, 500, 700, 700);
    turn();
    ASSERT_TRUE(wanted());
    m_preview.close();
    settle();

    EXPECT_EQ(m_failed, 0);
    EXPECT_EQ(m_pane.page(), 1U);
}

TEST_F(Pane, TurnsNoFurtherThanTheLimitOfPages) {
    ASSERT_TRUE(wanted());
    m_preview.close();
    m_pane.show_document(m_sheet, 0, ipc::max_picture_pages - 2);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(wanted());
        answer(4'000'000'000, 500, 700, 700);
        turn();
    }
    EXPECT_EQ(m_pane.page(), ipc::max_picture_pages - 1);
    EXPECT_EQ(m_started, 3);
}

TEST_F(Pane, AsksAgainWhereTamgadIsBusyWithAnother) {
    m_refusals = 1;

    EXPECT_TRUE(wanted());
    EXPECT_EQ(m_started, 2);
    EXPECT_EQ(m_failed, 0);
}

// ---- the whole of it ----

/// The window with a question, while `look` looks at it.
class WholeWindow : public Parts {
protected:
    void show(std::function<void(Window&)> const& look) {
        Sheet sheet;
        sheet.request.language = Language::en;
        sheet.request.origin = "https://egov.kz";
        sheet.request.purpose = ipc::Purpose::sign;
        sheet.request.site_is_new = true;
        sheet.documents = documents_of({"first", "second"});
        Question question;
        question.choices.resize(2);
        question.choices[0].pin = PinEntry::typed;
        question.chosen = 0;
        question.takes_files = true;
        question.error = "The PIN is wrong.";
        Window window;
        window.show(sheet);
        auto pair = ipc::make_pair();
        QTimer::singleShot(100, [&] {
            look(window);
            pair->first.close(); // the page is gone
        });
        EXPECT_EQ(window.ask(question, pair->second.fd(), -1).act, Act::gone);
    }
};

TEST_F(WholeWindow, HasANameForEveryControlThatTheKeyboardReaches) {
    show([](Window& window) {
        int controls = 0;
        for (auto* widget : window.findChildren<QWidget*>()) {
            if ((widget->focusPolicy() & Qt::TabFocus) == 0 || !widget->isVisible()) continue;
            auto* const spoken = QAccessible::queryAccessibleInterface(widget);
            ASSERT_NE(spoken, nullptr);
            EXPECT_FALSE(spoken->text(QAccessible::Name).isEmpty()) << widget->metaObject()->className();
            ++controls;
        }
        EXPECT_GE(controls, 8);
    });
}

/// Hears of everything that is shown as a window of its own.
class Windows : public QObject {
public:
    std::vector<std::string> shown;

    bool eventFilter(QObject* watched, QEvent* event) override {
        auto const* widget = qobject_cast<QWidget*>(watched);
        if (event->type() == QEvent::Show && widget != nullptr && widget->isWindow())
            shown.emplace_back(widget->metaObject()->className());
        return false;
    }
};

TEST_F(WholeWindow, IsTheOnlyOneThatIsShown) {
    Windows windows;
    qApp->installEventFilter(&windows);
    show([](Window&) {});

    EXPECT_EQ(windows.shown, std::vector<std::string>{"QDialog"});
}

/// Contrast of two colours (WCAG 2.1, 1.4.3).
double contrast(QColor const& one, QColor const& other) {
    auto const luminance = [](QColor const& colour) {
        auto const linear = [](double part) {
            return part <= 0.03928 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
        };
        return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
    };
    auto const first = luminance(one) + 0.05;
    auto const second = luminance(other) + 0.05;
    return std::max(first, second) / std::min(first, second);
}

TEST_F(WholeWindow, IsReadableInALightThemeAndInADarkOne) {
    auto const usual = QApplication::palette();
    for (auto const& ground : {QColor{0xEF, 0xEF, 0xEF}, QColor{0x20, 0x20, 0x20}}) {
        QApplication::setPalette(QPalette{ground});
        show([](Window& window) {
            for (auto* label : window.findChildren<QLabel*>()) {
                auto const& palette = label->palette();
                auto const text = palette.color(QPalette::Active, QPalette::WindowText);
                EXPECT_GE(contrast(text, palette.color(QPalette::Active, QPalette::Window)), 4.5)
                    << label->text().toStdString();
            }
        });
    }
    QApplication::setPalette(usual);
}

TEST_F(WholeWindow, IsNoHigherThanWhatItShowsAsksFor) {
    show([](Window& window) { EXPECT_LT(window.height(), 560); });
}

} // namespace
} // namespace tamga::prompt

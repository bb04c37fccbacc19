#include "prompt/window.hpp"

#include "prompt/banner.hpp"
#include "prompt/document_view.hpp"
#include "prompt/file_list.hpp"
#include "prompt/key_list.hpp"
#include "prompt/key_words.hpp"
#include "prompt/typing_hint.hpp"
#include "prompt/visible.hpp"
#include "prompt/words.hpp"

#include "base/log.hpp"

#include <QApplication>
#include <QCheckBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QScreen>
#include <QSocketNotifier>
#include <QStyle>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace tamga::prompt {

namespace {

constexpr int inert_ms = 500;
constexpr int unattended_ms = 60'000;

QString qt(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// A long origin in pieces that fit the window: it is never cut, because its end matters most.
QString folded(std::string const& origin) {
    constexpr int columns = 60;
    auto folded = qt(origin);
    for (qsizetype place = columns; place < folded.size(); place += columns + 1)
        folded.insert(place, QChar{'\n'});
    return folded;
}

QLabel* plain_label() {
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    return label;
}

void set_text_or_hide(QLabel& label, std::string const& words) {
    label.setText(qt(words));
    label.setVisible(!words.empty());
}

} // namespace

Window::Window()
    : m_origin{plain_label()},
      m_purpose{plain_label()},
      m_look_alike{new QLabel},
      m_new_site{new QLabel},
      m_service{plain_label()},
      m_principal{new QLabel},
      m_documents{new DocumentView{this}},
      m_operations{new QPlainTextEdit},
      m_list_label{new QLabel},
      m_list_note{plain_label()},
      m_keys{new KeyList{this}},
      m_files_label{new QLabel},
      m_folder{plain_label()},
      m_files{new FileList{this}},
      m_safety{new QLabel},
      m_pin_label{new QLabel},
      m_pin{new QLineEdit},
      m_reveal{new QCheckBox},
      m_new_pin_label{new QLabel},
      m_new_pin{new QLineEdit},
      m_again_label{new QLabel},
      m_again{new QLineEdit},
      m_new_pin_hint{plain_label()},
      m_word_label{new QLabel},
      m_word{new QLineEdit},
      m_remember{new QCheckBox},
      m_remember_terms{plain_label()},
      m_typing{new TypingHint{*m_pin}},
      m_pin_hint{plain_label()},
      m_more{plain_label()},
      m_advice{new QLabel},
      m_waiting{plain_label()},
      m_progress{new QProgressBar},
      m_status{plain_label()},
      m_from_file{new QPushButton},
      m_forget{new QPushButton},
      m_refuse{new QPushButton},
      m_cancel{new QPushButton},
      m_accept{new QPushButton} {
    setWindowTitle(QStringLiteral("Tamga"));
    setWindowFlag(Qt::WindowStaysOnTopHint);
    setWindowFlag(Qt::WindowContextHelpButtonHint, false);
    lay_out();

    m_inert.setSingleShot(true);
    m_inert.setInterval(inert_ms);
    connect(&m_inert, &QTimer::timeout, this, [this] { update_controls(); });
    connect(m_keys, &QListWidget::itemSelectionChanged, this, [this] { update_controls(); });
    for (auto* field : {m_pin, m_new_pin, m_again, m_word})
        connect(field, &QLineEdit::textChanged, this, [this] { update_controls(); });
    connect(m_reveal, &QCheckBox::toggled, this, [this](bool shown) {
        for (auto* field : {m_pin, m_new_pin, m_again})
            field->setEchoMode(shown ? QLineEdit::Normal : QLineEdit::Password);
    });
    connect(m_accept, &QPushButton::clicked, this, [this] {
        if (m_page == Page::files)
            m_files->open_selected();
        else
            finish(Act::accept);
    });
    m_files->chosen = [this] { finish(Act::accept); };
    m_files->moved = [this] {
        m_folder->setText(qt(visible_line(m_files->folder().string())));
        update_controls();
    };
    connect(m_files, &QListWidget::currentRowChanged, this, [this] { update_controls(); });
    connect(m_from_file, &QPushButton::clicked, this, [this] { finish(Act::file); });
    connect(m_forget, &QPushButton::clicked, this, [this] { finish(Act::forget_files); });
    connect(m_cancel, &QPushButton::clicked, this, [this] { finish(Act::cancel); });
    connect(m_refuse, &QPushButton::clicked, this, [this] { finish(Act::refuse_site); });
}

void Window::lay_out() {
    auto font = m_origin->font();
    font.setPointSizeF(font.pointSizeF() * 1.35);
    font.setBold(true);
    m_origin->setFont(font);
    dress(*m_look_alike, Weight::caution);
    dress(*m_new_site, Weight::notice);
    dress(*m_principal, Weight::notice);
    dress(*m_advice, Weight::notice);
    dress(*m_safety, Weight::notice);
    auto red = m_status->palette();
    bool const is_dark = red.color(QPalette::Window).lightness() < 128;
    red.setColor(QPalette::WindowText, is_dark ? QColor{0xFF, 0x8A, 0x80} : QColor{0xC6, 0x28, 0x28});
    m_status->setPalette(red);
    m_list_label->setBuddy(m_keys);
    m_files_label->setBuddy(m_files);

    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(18, 16, 18, 16);
    layout->setSpacing(10);
    layout->addWidget(m_origin);
    layout->addWidget(m_purpose);
    layout->addWidget(m_look_alike);
    layout->addWidget(m_new_site);
    layout->addWidget(m_service);
    layout->addWidget(m_principal);
    layout->addWidget(m_documents, 1);
    layout->addWidget(m_operations, 1);
    layout->addWidget(m_list_label);
    layout->addWidget(m_list_note);
    layout->addWidget(m_keys);
    layout->addWidget(m_more);
    layout->addWidget(m_files_label);
    layout->addWidget(m_folder);
    layout->addWidget(m_files, 1);
    layout->addWidget(m_safety);
    layout->addLayout(pin_row());
    layout->addLayout(token_rows());
    layout->addWidget(m_typing);
    layout->addWidget(m_pin_hint);
    layout->addWidget(m_remember);
    layout->addWidget(m_remember_terms);
    layout->addWidget(m_waiting);
    layout->addWidget(m_progress);
    layout->addWidget(m_advice);
    layout->addWidget(m_status);
    layout->addLayout(button_row());
}

QHBoxLayout* Window::pin_row() {
    m_pin_label->setBuddy(m_pin);
    make_secret(*m_pin);
    auto* row = new QHBoxLayout;
    row->addWidget(m_pin_label);
    row->addWidget(m_pin, 1);
    row->addWidget(m_reveal);
    return row;
}

void Window::make_secret(QLineEdit& field) {
    field.setEchoMode(QLineEdit::Password);
    field.setMaxLength(static_cast<int>(Pin::max_size));
    field.setInputMethodHints(Qt::ImhHiddenText | Qt::ImhSensitiveData | Qt::ImhNoPredictiveText |
                              Qt::ImhNoAutoUppercase);
    field.setDragEnabled(false);
}

/// For what is asked of a token as a whole: a new PIN, twice, and the word before something is deleted.
QFormLayout* Window::token_rows() {
    m_operations->setReadOnly(true);
    m_operations->setTabChangesFocus(true);
    m_new_pin_label->setBuddy(m_new_pin);
    m_again_label->setBuddy(m_again);
    m_word_label->setBuddy(m_word);
    make_secret(*m_new_pin);
    make_secret(*m_again);
    auto* rows = new QFormLayout;
    rows->addRow(m_new_pin_label, m_new_pin);
    rows->addRow(m_again_label, m_again);
    rows->addRow(m_new_pin_hint);
    rows->addRow(m_word_label, m_word);
    return rows;
}

QHBoxLayout* Window::button_row() {
    // Return presses a button only where it is the default one, and that is decided in update_controls.
    for (auto* button : {m_from_file, m_forget, m_refuse, m_cancel, m_accept})
        button->setAutoDefault(false);
    auto* row = new QHBoxLayout;
    row->addWidget(m_refuse);
    row->addWidget(m_from_file);
    row->addWidget(m_forget);
    row->addStretch(1);
    row->addWidget(m_cancel);
    row->addWidget(m_accept);
    return row;
}

void Window::show(Sheet const& sheet) {
    m_sheet = &sheet;
    auto const language = sheet.request.language;
    m_typing->speak(language);
    m_origin->setText(folded(asker_words(sheet)));
    m_purpose->setText(qt(purpose_words(sheet)));
    set_text_or_hide(*m_look_alike, look_alike_words(sheet));
    set_text_or_hide(*m_new_site, site_words(sheet));
    set_text_or_hide(*m_service, service_words(sheet));
    set_text_or_hide(*m_principal, principal_words(sheet));
    m_documents->setVisible(sheet.documents.count() != 0);
    if (sheet.documents.count() != 0) m_documents->show_sheet(sheet);
    m_from_file->setText(qt(text(language, "From a &file ...")));
    m_forget->setText(qt(text(language, "C&lear the list")));
    m_safety->setText(qt(safety_words(language)));
    m_refuse->setText(qt(text(language, "&Never allow this site")));
    m_origin->setAccessibleName(qt(text(language, "The site that asks")));
    m_keys->setAccessibleName(qt(text(language, "Keys and tokens")));
    m_progress->setAccessibleName(qt(text(language, "Progress")));
    m_more->setText(qt(text(language, "Not every token has answered yet. Still looking ...")));
}

Answer Window::ask(Question const& question, int web, int news) {
    m_question = &question;
    bool const was_at_pin = m_pin->isVisible();
    auto* const focused = focusWidget();
    auto const language = m_sheet->request.language;
    m_list_label->setText(qt(list_words(language, question)));
    m_list_note->setText(qt(common_warning(question)));
    m_keys->setAccessibleDescription(m_list_note->text());
    m_keys->show_choices(language, question);
    m_operations->setPlainText(qt(question.operations));
    m_operations->setAccessibleName(qt(text(language, "What is to be done")));
    if (!question.goes_on) {
        m_word->clear();
        for (auto* const field : {m_pin, m_new_pin, m_again})
            static_cast<void>(take_pin(*field)); // it was typed for another token
    }
    turn_to(Page::question);
    show_error(question.error);
    // Where the last token's answer has settled which key it is, the PIN is what is typed next.
    if (!question.goes_on || (!was_at_pin && m_pin->isVisible()))
        focus_on_question();
    else if (focused != nullptr && focused->isVisible())
        focused->setFocus(); // a field loses it when it is hidden, if only until the choices are in the list again
    if (isVisible() && !m_sized_for_question) take_its_size(); // it opened to say that the tokens are waited for
    m_sized_for_question = true;

    auto const act = run(web, news);
    auto const row = m_keys->chosen();
    m_question = nullptr;
    bool const remember = m_remember->isVisible() && m_remember->isChecked();
    Answer answer{act, row.value_or(question.choices.size()), {}, remember, {}, m_word->text().trimmed().toStdString()};
    if (act != Act::accept) return answer;
    answer.pin = take_pin(*m_pin);
    answer.new_pin = take_pin(*m_new_pin);
    static_cast<void>(take_pin(*m_again)); // the same
    return answer;
}

void Window::focus_on_question() {
    if (auto const* choice = chosen(); choice != nullptr && choice->pin == PinEntry::typed)
        m_pin->setFocus();
    else if (!m_question->choices.empty())
        m_keys->setFocus();
    else
        m_cancel->setFocus();
}

FileAnswer Window::choose_file(FileQuestion const& question, int web, int news) {
    m_file_question = &question;
    static_cast<void>(take_pin(*m_pin)); // what was typed was for something else
    m_files_label->setText(qt(file_words(m_sheet->request.language, question.use)));
    if (!question.goes_on) m_files->show_files(m_sheet->request.language, question);
    turn_to(Page::files);
    show_error(question.error);
    if (!question.goes_on) {
        m_files->setFocus();
        if (isVisible()) take_its_size();
    }

    auto const act = run(web, news);
    auto path = act == Act::accept ? m_files->selected_file() : std::filesystem::path{};
    m_file_question = nullptr;
    m_sized_for_question = false; // it shows other things again
    return {act, std::move(path)};
}

Act Window::confirm(Confirmation const& confirmation, int web) {
    m_confirmation = &confirmation;
    turn_to(Page::confirmation);
    show_error(confirmation.words);
    m_cancel->setFocus();
    auto const act = run(web);
    m_confirmation = nullptr;
    return act;
}

Woken Window::wait(Waiting const& waiting, int first, int second) {
    turn_to(Page::waiting);
    m_progress->setRange(0, static_cast<int>(waiting.total));
    m_progress->setValue(static_cast<int>(waiting.done));
    m_waiting->setText(qt(waiting.words));
    m_documents->mark_signed(waiting.signed_documents);
    auto const act = run(first, second);
    if (act == Act::gone) return Woken::first;
    return act == Act::news ? Woken::second : Woken::cancelled;
}

void Window::tell(std::string const& words, int fd) {
    turn_to(Page::failure);
    show_error(words);
    m_cancel->setFocus();
    if (fd < 0) close_later();
    run(fd);
}

void Window::advise(std::string const& words) {
    turn_to(Page::advice);
    set_text_or_hide(*m_advice, words);
    m_cancel->setFocus();
    close_later();
    run(-1);
}

/// Nobody waits for this window any more: it may not stay for ever either, whether or not anybody looks at it.
void Window::close_later() {
    QTimer::singleShot(unattended_ms, &m_loop, [this] { m_loop.quit(); });
}

void Window::turn_to(Page page) {
    m_page = page;
    auto const language = m_sheet->request.language;
    bool const question = page == Page::question;
    bool const files = page == Page::files;
    bool const has_choices = question && !m_question->choices.empty();
    m_list_label->setVisible(has_choices);
    m_list_note->setVisible(has_choices && !m_list_note->text().isEmpty());
    m_keys->setVisible(has_choices);
    m_more->setVisible(has_choices && m_question->more_may_come);
    for (auto* widget : std::initializer_list<QWidget*>{m_files_label, m_folder, m_files})
        widget->setVisible(files);
    m_documents->setVisible(!files && m_sheet->documents.count() != 0);
    m_operations->setVisible(!files && !m_operations->document()->isEmpty());
    m_safety->setVisible(files && m_file_question->use == FileUse::key);
    m_forget->setVisible(files && !m_file_question->recent.empty());
    m_from_file->setVisible(question && m_question->takes_files);
    m_advice->setVisible(page == Page::advice);
    m_waiting->setVisible(page == Page::waiting);
    m_progress->setVisible(page == Page::waiting);
    m_refuse->setVisible((question || files) && m_sheet->request.site_is_new);
    m_accept->setVisible(question || files || page == Page::confirmation);
    bool const only_to_read = page == Page::failure || page == Page::advice;
    m_cancel->setText(qt(only_to_read                            ? text(language, "C&lose")
                         : page == Page::confirmation            ? text(language, "&Back")
                         : files && m_file_question->can_go_back ? text(language, "&Back")
                                                                 : text(language, "&Cancel")));
    if (!question) m_documents->leave_larger();
    show_error({});
    update_controls();
}

void Window::update_controls() {
    auto const* choice = chosen();
    bool const asks_pin = choice != nullptr && choice->pin == PinEntry::typed;
    for (auto* widget : std::initializer_list<QWidget*>{m_pin_label, m_pin, m_reveal})
        widget->setVisible(asks_pin);
    auto const language = m_sheet->request.language;
    update_token_work(choice);
    if (asks_pin) {
        bool const is_old = m_question->new_pin;
        m_pin_label->setText(qt(is_old ? old_pin_label(*m_sheet, choice->token) : pin_label(language, *choice)));
        m_reveal->setText(qt(reveal_label(language, *choice)));
    }
    bool const rememberable = choice != nullptr && can_be_remembered(*m_sheet, *choice);
    m_remember->setVisible(rememberable);
    m_remember->setText(qt(text(language, "Re&member this sign-in for this site")));
    set_text_or_hide(*m_remember_terms, rememberable ? remember_terms(language, *choice) : std::string{});
    m_remember->setAccessibleDescription(m_remember_terms->text());
    // After a wrong PIN the status line says that there was one; how many remain still needs saying.
    bool const counted = choice != nullptr && (is_last_attempt(choice->token) || choice->token.attempts_left ||
                                               choice->token.wrong_tries_seen != 0);
    bool const hints = choice != nullptr && (m_question->error.empty() || counted);
    set_text_or_hide(*m_pin_hint, hints ? pin_words(language, *choice) : std::string{});

    bool const pin_typed = asks_pin && !m_pin->text().isEmpty() && is_ready_for_token_work();
    bool const decidable = m_page == Page::confirmation || (m_page == Page::files && m_files->currentRow() >= 0) ||
                           (m_question != nullptr && m_question->choices.empty()) ||
                           (choice != nullptr && (pin_typed || !asks_pin) && is_ready_for_token_work());
    m_accept->setText(qt(m_confirmation != nullptr ? m_confirmation->yes
                         : m_page == Page::files   ? std::string{text(language, "&Open")}
                                                   : accept_words(*m_sheet, choice)));
    m_accept->setEnabled(is_live() && decidable);
    m_accept->setDefault(m_page == Page::question && pin_typed);
    m_cancel->setDefault(m_page == Page::failure || m_page == Page::advice);
    for (auto* button : {m_refuse, m_from_file, m_forget})
        button->setEnabled(is_live());
}

/// Which of the fields for a token as a whole are there.
void Window::update_token_work(Choice const* choice) {
    auto const language = m_sheet->request.language;
    bool const asks = choice != nullptr && m_question != nullptr;
    bool const wants_pin = asks && m_question->new_pin && choice->pin == PinEntry::typed;
    bool const wants_word = asks && !m_question->word_to_type.empty();
    for (auto* widget : std::initializer_list<QWidget*>{m_new_pin_label, m_new_pin, m_again_label, m_again})
        widget->setVisible(wants_pin);
    m_word_label->setVisible(wants_word);
    m_word->setVisible(wants_word);
    std::string hint;
    if (wants_pin) {
        m_new_pin_label->setText(qt(new_pin_label(language, choice->token)));
        m_again_label->setText(qt(new_pin_again_label(language, choice->token)));
        bool const differs = !m_again->text().isEmpty() && m_again->text() != m_new_pin->text();
        hint = differs ? new_pins_differ(language, choice->token) : new_pin_length(language, choice->token);
    }
    set_text_or_hide(*m_new_pin_hint, hint);
    if (wants_word) m_word_label->setText(qt(typing_request(language, m_question->word_to_type)));
}

/// Whether everything that is asked beside the PIN was typed.
bool Window::is_ready_for_token_work() const {
    auto const* choice = chosen();
    if (choice == nullptr) return true;
    bool const wants_pin = m_question->new_pin && choice->pin == PinEntry::typed;
    if (wants_pin && (m_new_pin->text().isEmpty() || m_new_pin->text() != m_again->text())) return false;
    return m_word->text().trimmed() == qt(m_question->word_to_type) || m_question->word_to_type.empty();
}

Choice const* Window::chosen() const {
    if (m_page != Page::question || m_question == nullptr) return nullptr;
    auto const row = m_keys->chosen();
    return row && *row < m_question->choices.size() ? &m_question->choices[*row] : nullptr;
}

void Window::show_error(std::string const& words) {
    set_text_or_hide(*m_status, words);
}

/// As high as its contents ask for, and no higher than the screen: the buttons must be in sight.
void Window::take_its_size() {
    auto const frame = style()->pixelMetric(QStyle::PM_TitleBarHeight); // the desktop adds it outside
    auto const room = screen()->availableSize() - QSize{0, frame};
    auto const width = std::min(680, room.width());
    // The rows wrap, and a list that has never been shown takes itself for a narrow one.
    auto const margins = layout()->contentsMargins();
    m_keys->viewport()->resize(width - margins.left() - margins.right(), m_keys->viewport()->height());
    m_keys->updateGeometry();
    resize(width, std::min(heightForWidth(width), room.height()));
}

/// Until the person has decided or one of the descriptors (-1: none) is readable.
Act Window::run(int fd, int news) {
    if (!isVisible()) {
        take_its_size();
        QDialog::show();
        activateWindow();
    }
    QSocketNotifier first{QSocketNotifier::Read};
    QSocketNotifier second{QSocketNotifier::Read};
    watch(first, fd, Act::gone);
    watch(second, news, Act::news);
    m_loop.exec();
    return m_act;
}

void Window::watch(QSocketNotifier& notifier, int fd, Act act) {
    if (fd < 0) return;
    notifier.setSocket(fd);
    notifier.setEnabled(true);
    connect(&notifier, &QSocketNotifier::activated, this, [this, act] {
        if (act == Act::news && !m_loop.isRunning()) return; // the person was quicker
        m_act = act;
        m_loop.quit();
    });
}

void Window::finish(Act act) {
    if (!is_live()) return;
    m_act = act;
    m_loop.quit();
}

/// Esc and the window's close button.
void Window::reject() {
    finish(Act::cancel);
}

bool Window::is_live() const {
    return isActiveWindow() && !m_inert.isActive();
}

void Window::changeEvent(QEvent* event) {
    QDialog::changeEvent(event);
    if (event->type() != QEvent::ActivationChange || m_sheet == nullptr) return;
    if (isActiveWindow()) m_inert.start();
    update_controls();
}

void Window::paintEvent(QPaintEvent* event) {
    QDialog::paintEvent(event);
    if (!m_painted) log::debug("window painted");
    m_painted = true;
}

Pin Window::take_pin(QLineEdit& field) {
    auto typed = field.text();
    auto octets = typed.toUtf8();
    auto* start = reinterpret_cast<unsigned char*>(octets.data());
    auto pin = Pin::take({start, static_cast<std::size_t>(octets.size())});
    // The field shares its characters with `typed`: wiping them there wipes them in the field too.
    auto* characters = reinterpret_cast<unsigned char*>(const_cast<QChar*>(typed.constData()));
    wipe({characters, static_cast<std::size_t>(typed.size()) * sizeof(QChar)});
    field.setText({});
    return pin ? std::move(*pin) : Pin{};
}

} // namespace tamga::prompt

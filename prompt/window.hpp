// The window. It is a Screen (prompt/sheet.hpp): each of its calls runs the event loop until the person has answered or
// a descriptor became readable.
#pragma once

#include "prompt/sheet.hpp"

#include <QDialog>
#include <QEventLoop>
#include <QTimer>

class QCheckBox;
class QFormLayout;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QSocketNotifier;

namespace tamga::prompt {

class DocumentView;
class FileList;
class KeyList;
class TypingHint;

/// One QApplication must exist. Buttons do nothing in the first 500 ms after the window was shown or became active, and
/// none while it is not active: a click or a key meant for another window decides nothing.
class Window : public QDialog {
public:
    Window();

    void show(Sheet const& sheet);
    Answer ask(Question const& question, int web, int news);
    FileAnswer choose_file(FileQuestion const& question, int web, int news);
    Act confirm(Confirmation const& confirmation, int web);
    Woken wait(Waiting const& waiting, int first, int second);
    void tell(std::string const& words, int fd);
    void advise(std::string const& words);

    void reject() override;

protected:
    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void lay_out();
    QHBoxLayout* pin_row();
    QFormLayout* token_rows();
    void make_secret(QLineEdit& field);
    void update_token_work(Choice const* choice);
    QHBoxLayout* button_row();

    /// Which parts are there: each state of the window is one of these.
    enum class Page : std::uint8_t { question, files, confirmation, waiting, failure, advice };
    void turn_to(Page page);
    void finish(Act act);
    void take_its_size();
    void close_later();
    Act run(int fd, int news = -1);
    void watch(QSocketNotifier& notifier, int fd, Act act);
    void focus_on_question();
    [[nodiscard]] bool is_live() const;
    [[nodiscard]] Choice const* chosen() const;
    void update_controls();
    void show_error(std::string const& words);
    [[nodiscard]] static Pin take_pin(QLineEdit& field);
    [[nodiscard]] bool is_ready_for_token_work() const;

    Sheet const* m_sheet = nullptr;
    Question const* m_question = nullptr;
    FileQuestion const* m_file_question = nullptr;
    Confirmation const* m_confirmation = nullptr;
    Page m_page = Page::question;
    Act m_act = Act::cancel;
    bool m_painted = false;
    bool m_sized_for_question = false;
    QEventLoop m_loop;
    QTimer m_inert;

    QLabel* m_origin;
    QLabel* m_purpose;
    QLabel* m_look_alike;
    QLabel* m_new_site;
    QLabel* m_service;
    QLabel* m_principal;
    DocumentView* m_documents;
    QPlainTextEdit* m_operations;
    QLabel* m_list_label;
    QLabel* m_list_note;
    KeyList* m_keys;
    QLabel* m_files_label;
    QLabel* m_folder;
    FileList* m_files;
    QLabel* m_safety;
    QLabel* m_pin_label;
    QLineEdit* m_pin;
    QCheckBox* m_reveal;
    QLabel* m_new_pin_label;
    QLineEdit* m_new_pin;
    QLabel* m_again_label;
    QLineEdit* m_again;
    QLabel* m_new_pin_hint;
    QLabel* m_word_label;
    QLineEdit* m_word;
    QCheckBox* m_remember;
    QLabel* m_remember_terms;
    TypingHint* m_typing;
    QLabel* m_pin_hint;
    QLabel* m_more;
    QLabel* m_advice;
    QLabel* m_waiting;
    QProgressBar* m_progress;
    QLabel* m_status;
    QPushButton* m_from_file;
    QPushButton* m_forget;
    QPushButton* m_refuse;
    QPushButton* m_cancel;
    QPushButton* m_accept;
};

} // namespace tamga::prompt

// The documents in the window: one as text or as pictures, several as a list beside the one that is selected.
#pragma once

#include "prompt/sheet.hpp"

#include <QWidget>

class QLabel;
class QListWidget;
class QPlainTextEdit;
class QSplitter;

namespace tamga::prompt {

class LargerView;
class PicturePane;

class DocumentView : public QWidget {
public:
    explicit DocumentView(QWidget* parent);

    /// `sheet` outlives the view.
    void show_sheet(Sheet const& sheet);
    /// So many documents of the batch are signed, the first of the list: they get a mark, for good.
    void mark_signed(std::uint32_t count);
    /// Closes the larger view, where it is open.
    void leave_larger();

private:
    void fill_list(Sheet const& sheet);
    void show_document(Sheet const& sheet, std::size_t index);
    void show_words(Sheet const& sheet, std::string const& words, std::string const& warning);
    void show_picture(Sheet const& sheet, std::size_t index);

    QSplitter* m_splitter;
    QListWidget* m_list;
    QPlainTextEdit* m_text;
    PicturePane* m_picture;
    LargerView* m_larger;
    QLabel* m_warning;
    QLabel* m_cut;
    std::uint32_t m_marked = 0;
};

} // namespace tamga::prompt

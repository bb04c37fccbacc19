// The documents in the window: one as text, several as a list beside the text of the one that is selected.
#pragma once

#include "prompt/sheet.hpp"

#include <QWidget>

class QLabel;
class QListWidget;
class QPlainTextEdit;

namespace tamga::prompt {

class DocumentView : public QWidget {
public:
    explicit DocumentView(QWidget* parent);

    /// `sheet` outlives the view.
    void show_sheet(Sheet const& sheet);

private:
    void fill_list(Sheet const& sheet);
    void show_document(Sheet const& sheet, std::size_t index);

    QListWidget* m_list;
    QPlainTextEdit* m_text;
    QLabel* m_warning;
    QLabel* m_cut;
};

} // namespace tamga::prompt

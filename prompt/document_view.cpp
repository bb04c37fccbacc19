#include "prompt/document_view.hpp"

#include "prompt/banner.hpp"
#include "prompt/larger_view.hpp"
#include "prompt/picture_pane.hpp"
#include "prompt/visible.hpp"
#include "prompt/words.hpp"

#include <QFontDatabase>
#include <QLabel>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QVBoxLayout>

namespace tamga::prompt {

DocumentView::DocumentView(QWidget* parent)
    : QWidget{parent},
      m_splitter{new QSplitter{Qt::Horizontal}},
      m_list{new QListWidget},
      m_text{new QPlainTextEdit},
      m_picture{new PicturePane{PicturePane::Place::in_window, this}},
      m_larger{new LargerView{this}},
      m_warning{new QLabel},
      m_cut{new QLabel} {
    m_text->setReadOnly(true);
    m_text->setTabChangesFocus(true);
    m_text->setUndoRedoEnabled(false);
    m_text->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    m_text->setMinimumHeight(m_text->fontMetrics().lineSpacing() * 4);
    m_list->setUniformItemSizes(true);
    m_list->setTextElideMode(Qt::ElideRight);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    dress(*m_warning, Weight::caution);
    m_cut->setTextFormat(Qt::PlainText);
    m_cut->setWordWrap(true);

    auto* right = new QWidget;
    auto* column = new QVBoxLayout{right};
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_warning);
    column->addWidget(m_text, 1);
    column->addWidget(m_picture, 1);
    column->addWidget(m_cut);

    m_splitter->addWidget(m_list);
    m_splitter->addWidget(right);
    m_splitter->setStretchFactor(0, 2);
    m_splitter->setStretchFactor(1, 3);
    m_splitter->setChildrenCollapsible(false);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_splitter);
}

void DocumentView::show_sheet(Sheet const& sheet) {
    auto const language = sheet.request.language;
    auto const name = [language](char const* message) {
        auto const words = text(language, message);
        return QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size()));
    };
    m_list->setAccessibleName(name(message_id("Documents")));
    m_list->setVisible(sheet.documents.count() > 1);
    connect(m_list, &QListWidget::currentRowChanged, this, [this, &sheet](int row) {
        if (row >= 0) show_document(sheet, static_cast<std::size_t>(row));
    });
    if (sheet.documents.count() > 1)
        fill_list(sheet);
    else
        show_document(sheet, 0);
}

void DocumentView::fill_list(Sheet const& sheet) {
    for (std::size_t i = 0; i < sheet.documents.count(); ++i) {
        auto line = std::to_string(i + 1) + ".  " + size_words(sheet.request.language, sheet.documents.size(i));
        if (auto const title = visible_line(sheet.documents.title(i)); !title.empty()) line += "  ·  " + title;
        if (auto const first = sheet.documents.first_line(i)) line += "  ·  " + *first;
        m_list->addItem(QString::fromStdString(line));
    }
    m_list->setCurrentRow(0);
}

void DocumentView::show_document(Sheet const& sheet, std::size_t index) {
    leave_larger();
    m_picture->leave();
    auto const shown = sheet.documents.shown(index);
    m_picture->setVisible(shown == Shown::picture);
    m_text->setVisible(shown != Shown::picture);
    m_cut->setVisible(shown == Shown::text && sheet.documents.is_cut(index));
    m_cut->setText(QString::fromStdString(cut_words(sheet.request.language)));
    switch (shown) {
    case Shown::text: show_words(sheet, sheet.documents.text(index).value_or(std::string{}), {}); break;
    case Shown::picture: show_picture(sheet, index); break;
    case Shown::unseen: show_words(sheet, unseen_words(sheet, index), unseen_warning(sheet)); break;
    }
    // Between a layout and what it holds stands a splitter, which does not pass on that something else is shown.
    m_splitter->updateGeometry();
    updateGeometry();
}

void DocumentView::show_words(Sheet const& sheet, std::string const& words, std::string const& warning) {
    m_text->setPlainText(QString::fromStdString(words));
    m_text->setAccessibleName(QString::fromStdString(
        std::string{warning.empty() ? text(sheet.request.language, "Text of the document")
                                    : text(sheet.request.language, "What is known of the document")}));
    m_warning->setText(QString::fromStdString(warning));
    m_warning->setVisible(!warning.empty());
}

/// Where no picture can be had, what stands for the document is what can be said of it.
void DocumentView::show_picture(Sheet const& sheet, std::size_t index) {
    m_warning->setVisible(false);
    m_picture->failed = [this, &sheet, index] {
        leave_larger();
        m_picture->leave();
        m_picture->setVisible(false);
        m_text->setVisible(true);
        show_words(sheet, unseen_words(sheet, index), no_preview_warning(sheet));
    };
    m_picture->larger_wanted = [this, &sheet, index] { m_larger->open_page(sheet, index, m_picture->page()); };
    m_picture->show_document(sheet, index);
}

void DocumentView::mark_signed(std::uint32_t count) {
    for (; m_marked < count && static_cast<int>(m_marked) < m_list->count(); ++m_marked) {
        auto* item = m_list->item(static_cast<int>(m_marked));
        item->setText(QStringLiteral("✓ ") + item->text());
    }
    if (count != 0) m_list->scrollToItem(m_list->item(static_cast<int>(m_marked) - 1));
}

void DocumentView::leave_larger() {
    if (m_larger->isVisible()) m_larger->reject();
}

} // namespace tamga::prompt

#include "prompt/document_view.hpp"

#include "prompt/banner.hpp"
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
    : QWidget{parent}, m_list{new QListWidget}, m_text{new QPlainTextEdit}, m_warning{new QLabel}, m_cut{new QLabel} {
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
    column->addWidget(m_cut);

    auto* splitter = new QSplitter{Qt::Horizontal};
    splitter->addWidget(m_list);
    splitter->addWidget(right);
    splitter->setStretchFactor(0, 2);
    splitter->setStretchFactor(1, 3);
    splitter->setChildrenCollapsible(false);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(splitter);
}

void DocumentView::show_sheet(Sheet const& sheet) {
    auto const language = sheet.request.language;
    auto const name = [language](char const* message) {
        auto const words = text(language, message);
        return QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size()));
    };
    m_list->setAccessibleName(name(message_id("Documents")));
    m_text->setAccessibleName(name(message_id("Text of the document")));
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
    auto const text = sheet.documents.text(index);
    if (text)
        m_text->setPlainText(QString::fromStdString(*text));
    else
        m_text->setPlainText(QString::fromStdString(unseen_words(sheet, index)));
    m_warning->setVisible(!text);
    m_warning->setText(QString::fromStdString(unseen_warning(sheet)));
    m_cut->setVisible(text && sheet.documents.is_cut(index));
    m_cut->setText(QString::fromStdString(cut_words(sheet.request.language)));
}

} // namespace tamga::prompt

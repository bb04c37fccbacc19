#include "prompt/larger_view.hpp"

#include "prompt/picture_pane.hpp"

#include <QHBoxLayout>
#include <QPushButton>
#include <QScreen>
#include <QVBoxLayout>

namespace tamga::prompt {

LargerView::LargerView(QWidget* parent)
    : QDialog{parent}, m_pane{new PicturePane{PicturePane::Place::by_itself, this}}, m_close{new QPushButton} {
    setWindowModality(Qt::WindowModal);
    setWindowTitle(QStringLiteral("Tamga: document"));
    m_close->setAutoDefault(false);
    connect(m_close, &QPushButton::clicked, this, [this] { reject(); });
    auto* column = new QVBoxLayout{this};
    column->addWidget(m_pane, 1);
    auto* row = new QHBoxLayout;
    row->addStretch(1);
    row->addWidget(m_close);
    column->addLayout(row);
}

void LargerView::open_page(Sheet const& sheet, std::size_t index, std::uint32_t page) {
    auto const words = text(sheet.request.language, "C&lose");
    m_close->setText(QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size())));
    auto const room = screen()->availableSize();
    resize(room.width() * 9 / 10, room.height() * 9 / 10);
    m_pane->show_document(sheet, index, page);
    open();
}

void LargerView::done(int result) {
    m_pane->leave();
    QDialog::done(result);
}

} // namespace tamga::prompt

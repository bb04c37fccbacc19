#include "prompt/key_list.hpp"

#include "prompt/words.hpp"

#include <QApplication>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QTextLayout>

#include <QtMath>

#include <algorithm>

namespace tamga::prompt {

namespace {

/// `remark_role`: why it cannot be chosen, or what is not known of it.
enum ItemRole : int { details_role = Qt::UserRole, remark_role };

constexpr int padding = 6;

QString joined(std::vector<std::string> const& parts) {
    QStringList list;
    for (auto const& part : parts)
        list << QString::fromStdString(part);
    return list.join(QStringLiteral("  ·  "));
}

QFont bold(QFont font) {
    font.setBold(true);
    return font;
}

/// Plain text only, painted by hand: nothing in a certificate is ever read as markup.
class ChoicePainter : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(QStyleOptionViewItem const& option, QModelIndex const& index) const override {
        auto const* list = qobject_cast<QListWidget const*>(option.widget);
        auto const width = (list != nullptr ? list->viewport()->width() : option.rect.width()) - 2 * padding;
        int height = 2 * padding;
        for (auto const& line : lines_of(option, index)) {
            QTextLayout layout{line.text, line.font};
            height += lay_out(layout, width);
        }
        return {width, height};
    }

    void paint(QPainter* painter, QStyleOptionViewItem const& option, QModelIndex const& index) const override {
        auto background = option;
        initStyleOption(&background, index);
        background.text.clear();
        QApplication::style()->drawControl(QStyle::CE_ItemViewItem, &background, painter, option.widget);

        auto place = option.rect.adjusted(padding, padding, -padding, -padding);
        for (auto const& line : lines_of(option, index)) {
            QTextLayout layout{line.text, line.font};
            auto const height = lay_out(layout, place.width());
            painter->setPen(line.colour);
            layout.draw(painter, place.topLeft());
            place.setTop(place.top() + height);
        }
    }

private:
    struct Line {
        QString text;
        QFont font;
        QColor colour;
    };

    static std::vector<Line> lines_of(QStyleOptionViewItem const& option, QModelIndex const& index) {
        auto const selected = (option.state & QStyle::State_Selected) != 0;
        auto const group = (option.state & QStyle::State_Enabled) != 0 ? QPalette::Normal : QPalette::Disabled;
        auto const colour = option.palette.color(group, selected ? QPalette::HighlightedText : QPalette::Text);
        std::vector<Line> lines{{index.data(Qt::DisplayRole).toString(), bold(option.font), colour}};
        for (int const role : {int{details_role}, int{remark_role}}) {
            auto const text = index.data(role).toString();
            if (!text.isEmpty()) lines.push_back({text, option.font, colour});
        }
        // The reason must be easy to read although its line is grey.
        if (group == QPalette::Disabled) lines.back().colour = option.palette.color(QPalette::Normal, QPalette::Text);
        return lines;
    }

    /// Breaks between words, and inside those that are too long. @return the height.
    static int lay_out(QTextLayout& layout, int width) {
        QTextOption option;
        option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
        layout.setTextOption(option);
        layout.beginLayout();
        qreal height = 0;
        for (auto line = layout.createLine(); line.isValid(); line = layout.createLine()) {
            line.setLineWidth(width);
            line.setPosition({0, height});
            height += line.height();
        }
        layout.endLayout();
        return qCeil(height);
    }
};

} // namespace

KeyList::KeyList(QWidget* parent) : QListWidget{parent} {
    setItemDelegate(new ChoicePainter{this});
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    setTabKeyNavigation(false);
}

void KeyList::show_choices(Language language, Question const& question) {
    auto const scrolled = question.goes_on ? verticalScrollBar()->value() : 0;
    clear();
    for (auto const& choice : question.choices) {
        auto const title = QString::fromStdString(choice_title(language, choice));
        auto const details = joined(choice_details(language, choice));
        auto* item = new QListWidgetItem{title, this};
        item->setData(details_role, details);
        auto spoken = title + QStringLiteral(", ") + details;
        if (choice.obstacle) item->setFlags(Qt::NoItemFlags);
        auto const remark = QString::fromStdString(choice.obstacle ? choice.obstacle->words : choice.warning);
        if (!remark.isEmpty()) {
            item->setData(remark_role, remark);
            spoken += QStringLiteral(", ") + remark;
        }
        item->setData(Qt::AccessibleTextRole, spoken);
    }
    if (question.chosen) setCurrentRow(static_cast<int>(*question.chosen));
    if (question.goes_on) verticalScrollBar()->setValue(scrolled);
    updateGeometry();
}

std::optional<std::size_t> KeyList::chosen() const {
    auto const rows = selectionModel()->selectedRows();
    if (rows.size() != 1) return std::nullopt;
    return static_cast<std::size_t>(rows.front().row());
}

int KeyList::height_of_rows(int rows) const {
    int height = 2 * frameWidth();
    for (int i = 0; i < std::min(rows, count()); ++i)
        height += sizeHintForRow(i);
    return height;
}

QSize KeyList::sizeHint() const {
    return {QListWidget::sizeHint().width(), height_of_rows(4)};
}

QSize KeyList::minimumSizeHint() const {
    return {100, height_of_rows(1)};
}

void KeyList::keyPressEvent(QKeyEvent* event) {
    // With the focus the list gets a current row, which is not selected: the first press of an arrow must not leave it.
    auto const moves = event->key() == Qt::Key_Down || event->key() == Qt::Key_Up;
    auto* const current = currentItem();
    if (moves && selectedItems().isEmpty() && current != nullptr && (current->flags() & Qt::ItemIsSelectable) != 0) {
        current->setSelected(true);
        return;
    }
    QListWidget::keyPressEvent(event);
}

void KeyList::resizeEvent(QResizeEvent* event) {
    QListWidget::resizeEvent(event);
    // Rows wrap: their heights follow the width.
    scheduleDelayedItemsLayout();
    updateGeometry();
}

} // namespace tamga::prompt

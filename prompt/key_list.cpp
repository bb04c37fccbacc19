#include "prompt/key_list.hpp"

#include "prompt/choices.hpp"
#include "prompt/words.hpp"

#include <QApplication>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QTextLayout>

#include <QtMath>

#include <algorithm>
#include <functional>

namespace tamga::prompt {

namespace {

/// `group_role`: whose keys begin here. `remark_role`: why it cannot be chosen, or what is not known of it.
enum ItemRole : int { group_role = Qt::UserRole, details_role, remark_role };

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

QFont small(QFont font) {
    font.setPointSizeF(font.pointSizeF() * 0.9);
    font.setItalic(true);
    return font;
}

/// Plain text only, painted by hand: nothing in a certificate is ever read as markup.
class ChoicePainter : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(QStyleOptionViewItem const& option, QModelIndex const& index) const override {
        auto const* list = qobject_cast<QListWidget const*>(option.widget);
        auto const width = (list != nullptr ? list->viewport()->width() : option.rect.width()) - 2 * padding;
        int height = 2 * padding + heading_height(option, index, width);
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
        // What only has the focus, or the mouse over it, must not look chosen.
        if ((option.state & QStyle::State_Selected) == 0)
            background.state &= ~(QStyle::State_HasFocus | QStyle::State_MouseOver);
        // The heading is no part of what is chosen.
        auto const width = option.rect.width() - 2 * padding;
        auto const heading = heading_height(option, index, width);
        if (heading != 0) {
            QTextLayout layout{index.data(group_role).toString(), small(option.font)};
            lay_out(layout, width);
            painter->setPen(option.palette.color(QPalette::Normal, QPalette::Text));
            layout.draw(painter, option.rect.topLeft() + QPoint{padding, padding});
        }
        background.rect.setTop(background.rect.top() + heading);
        QApplication::style()->drawControl(QStyle::CE_ItemViewItem, &background, painter, option.widget);

        auto place = background.rect.adjusted(padding, padding, -padding, -padding);
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

    /// 0 where none stands above.
    static int heading_height(QStyleOptionViewItem const& option, QModelIndex const& index, int width) {
        auto const words = index.data(group_role).toString();
        if (words.isEmpty()) return 0;
        QTextLayout layout{words, small(option.font)};
        return lay_out(layout, width) + 2 * padding;
    }

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
    auto const common = common_warning(question);
    auto const& choices = question.choices;
    bool const grouped = std::ranges::adjacent_find(choices, std::not_fn(same_group)) != choices.end();
    clear();
    for (auto const& choice : choices) {
        auto const title = QString::fromStdString(choice_title(language, choice));
        auto const details = joined(choice_details(language, choice));
        auto* item = new QListWidgetItem{title, this};
        bool const begins = grouped && (&choice == choices.data() || !same_group(*std::prev(&choice), choice));
        if (begins) item->setData(group_role, QString::fromStdString(group_words(language, choice)));
        item->setData(details_role, details);
        auto spoken = title + QStringLiteral(", ") + details;
        if (begins) spoken.prepend(item->data(group_role).toString() + QStringLiteral(": "));
        if (choice.obstacle) item->setFlags(Qt::NoItemFlags);
        auto const warning = choice.warning == common ? std::string{} : choice.warning;
        auto const remark = QString::fromStdString(choice.obstacle ? choice.obstacle->words : warning);
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

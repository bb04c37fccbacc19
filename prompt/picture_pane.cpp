#include "prompt/picture_pane.hpp"

#include "prompt/banner.hpp"
#include "prompt/words.hpp"

#include "base/log.hpp"

#include <QHBoxLayout>
#include <QPainter>
#include <QScrollArea>
#include <QScrollBar>
#include <QShortcut>
#include <QSocketNotifier>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cstring>

namespace tamga::prompt {

namespace {

constexpr int settled_ms = 120;
constexpr int retry_ms = 100;
/// Longer than tamga-preview takes before it gives up by itself (preview/sandbox.hpp).
constexpr int patience_ms = 11'000;
constexpr std::uint32_t narrowest = 64;
constexpr double most_zoom = 8;

QString in(Language language, char const* message) {
    auto const words = text(language, message);
    return QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size()));
}

QImage image_of(Picture const& picture) {
    QImage image{static_cast<int>(picture.width), static_cast<int>(picture.height), QImage::Format_RGB32};
    auto const row = std::size_t{picture.width} * 4;
    for (std::uint32_t y = 0; y < picture.height && !image.isNull(); ++y) {
        auto* line = image.scanLine(static_cast<int>(y));
        std::memcpy(line, picture.pixels().data() + y * row, row);
        for (std::size_t at = 3; at < row; at += 4)
            line[at] = 0xFF; // what Qt expects there
    }
    return image;
}

} // namespace

class PicturePane::Canvas : public QWidget {
public:
    using QWidget::QWidget;

    QImage image;

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter{this};
        painter.setRenderHint(QPainter::SmoothPixmapTransform);
        painter.drawImage(rect(), image);
    }
};

PicturePane::PicturePane(Place place, QWidget* parent)
    : QWidget{parent}, m_place{place}, m_area{new QScrollArea}, m_canvas{new Canvas}, m_state{new QLabel} {
    m_bar = bar();
    m_area->setWidget(m_canvas);
    m_area->setAlignment(Qt::AlignHCenter | Qt::AlignTop);
    // Always there: a bar that comes and goes would change the width it is drawn for.
    m_area->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
    dress(*m_state, Weight::notice);
    auto* column = new QVBoxLayout{this};
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_bar);
    column->addWidget(m_state);
    column->addWidget(m_area, 1);

    m_soon.setSingleShot(true);
    connect(&m_soon, &QTimer::timeout, this, [this] { ask(); });
    m_deadline.setSingleShot(true);
    m_deadline.setInterval(patience_ms);
    connect(&m_deadline, &QTimer::timeout, this, [this] { fail(); });
    connect(new QShortcut{Qt::CTRL | Qt::Key_PageDown, this}, &QShortcut::activated, this, [this] { turn(1); });
    connect(new QShortcut{Qt::CTRL | Qt::Key_PageUp, this}, &QShortcut::activated, this, [this] { turn(-1); });
}

PicturePane::~PicturePane() = default;

QToolButton* PicturePane::button(QString const& sign, std::function<void()> pressed) {
    auto* made = new QToolButton;
    made->setText(sign);
    made->setFocusPolicy(Qt::StrongFocus);
    connect(made, &QToolButton::clicked, this, std::move(pressed));
    return made;
}

QWidget* PicturePane::bar() {
    constexpr double step = 1.25;
    m_previous = button(QStringLiteral("◀"), [this] { turn(-1); });
    m_next = button(QStringLiteral("▶"), [this] { turn(1); });
    m_smaller = button(QStringLiteral("−"), [this] { zoom(m_zoom / step); });
    m_bigger = button(QStringLiteral("+"), [this] { zoom(m_zoom * step); });
    m_width = button({}, [this] { zoom(1); });
    m_larger = button({}, [this] {
        if (larger_wanted) larger_wanted();
    });
    m_number = new QLabel;
    m_number->setTextFormat(Qt::PlainText);
    // Only hidden: what is shown before it has a parent is a window of its own.
    if (m_place == Place::in_window) {
        for (auto* each : {m_smaller, m_width, m_bigger})
            each->hide();
    } else {
        m_larger->hide();
    }

    auto* bar = new QWidget;
    auto* row = new QHBoxLayout{bar};
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_previous);
    row->addWidget(m_number);
    row->addWidget(m_next);
    row->addStretch(1);
    for (auto* each : {m_smaller, m_width, m_bigger, m_larger})
        row->addWidget(each);
    return bar;
}

void PicturePane::name_buttons(Language language) {
    auto const name = [language](QToolButton& which, char const* message) {
        which.setAccessibleName(in(language, message));
        which.setToolTip(in(language, message));
    };
    name(*m_previous, message_id("Previous page (Ctrl+Page Up)"));
    name(*m_next, message_id("Next page (Ctrl+Page Down)"));
    name(*m_smaller, message_id("Smaller"));
    name(*m_bigger, message_id("Larger"));
    m_width->setText(in(language, message_id("&Whole width")));
    m_larger->setText(in(language, message_id("View lar&ger ...")));
    m_area->setAccessibleName(in(language, message_id("Picture of the document")));
}

void PicturePane::show_document(Sheet const& sheet, std::size_t index, std::uint32_t page) {
    leave();
    m_sheet = &sheet;
    m_page = page;
    m_pages = 0;
    m_zoom = 1;
    m_unseen = false;
    m_canvas->image = QImage{};
    m_canvas->resize(0, 0);
    name_buttons(sheet.request.language);
    auto document = seal_items({sheet.documents.octets(index)});
    m_document = document ? std::move(*document) : UniqueFd{};
    show_state();
    m_soon.start(0);
}

void PicturePane::leave() {
    end_talk();
    m_soon.stop();
    m_asked.reset();
    m_document.reset();
    m_sheet = nullptr;
}

void PicturePane::end_talk() {
    m_deadline.stop();
    m_notifier.reset();
    m_talk.reset();
}

void PicturePane::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_soon.start(0);
}

void PicturePane::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fit();
    m_soon.start(settled_ms);
}

void PicturePane::turn(int pages) {
    auto const wanted = static_cast<std::int64_t>(m_page) + pages;
    if (wanted < 0 || wanted >= pages_shown()) return;
    m_page = static_cast<std::uint32_t>(wanted);
    m_unseen = false;
    m_canvas->image = QImage{}; // what is in sight is the page whose number stands above it, or nothing
    m_canvas->resize(0, 0);
    show_state();
    m_soon.start(0);
}

void PicturePane::zoom(double factor) {
    m_zoom = std::clamp(factor, 1.0, most_zoom);
    fit();
    m_soon.start(settled_ms);
}

std::uint32_t PicturePane::pages_shown() const {
    return std::min(m_pages, ipc::max_picture_pages);
}

std::uint32_t PicturePane::wanted_width() const {
    auto const width = m_area->viewport()->width() * m_zoom * devicePixelRatioF();
    return std::clamp(static_cast<std::uint32_t>(std::max(width, 0.0)), narrowest, ipc::max_picture_side);
}

/// For the page that is wanted, as wide as it will be drawn; nothing where that is shown or under way.
void PicturePane::ask() {
    if (!isVisible() || m_sheet == nullptr) return;
    ipc::PictureWanted const wanted{m_page, wanted_width()};
    if (m_asked && m_asked->page == wanted.page && m_asked->width == wanted.width) return;
    if (m_asked && m_asked->page == wanted.page && m_unseen) return; // it would fail again
    end_talk();
    if (!m_document || !m_sheet->start_preview) return fail();
    auto channel = m_sheet->start_preview();
    if (!channel && channel.error().code == Errc::busy) return m_soon.start(retry_ms);
    m_asked = wanted;
    if (!channel) return fail();
    auto talk = PictureTalk::begin(std::move(*channel), m_document, wanted);
    if (!talk) return fail();
    m_talk.emplace(std::move(*talk));
    m_notifier = std::make_unique<QSocketNotifier>(m_talk->fd(), QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] { hear(); });
    m_deadline.start();
    show_state();
}

void PicturePane::hear() {
    auto const picture = m_talk->hear();
    if (picture && !*picture) return;
    m_notifier->setEnabled(false);
    // Not here: the notifier that speaks would be destroyed while it does.
    m_notifier.release()->deleteLater();
    if (!picture) {
        log::info("no preview", {{"code", wire_name(picture.error().code)}, {"detail", picture.error().detail}});
        return fail();
    }
    take(**picture);
    end_talk();
}

void PicturePane::take(Picture const& picture) {
    if (m_canvas->image.isNull()) m_area->verticalScrollBar()->setValue(0);
    m_pages = picture.pages;
    m_unseen = false;
    m_canvas->image = image_of(picture);
    fit();
    show_state();
}

/// The picture at hand stays where only a sharper one cannot be had; where one page fails the others may not.
void PicturePane::fail() {
    end_talk();
    if (!m_canvas->image.isNull()) return;
    if (m_pages == 0 && failed) return failed();
    m_unseen = true;
    show_state();
}

/// A small image stays as small as it is.
void PicturePane::fit() {
    auto const& image = m_canvas->image;
    if (image.isNull() || !m_asked) return;
    auto const ratio = devicePixelRatioF();
    bool const is_small = static_cast<std::uint32_t>(image.width()) < m_asked->width;
    auto const width = is_small ? image.width() / ratio * m_zoom : m_area->viewport()->width() * m_zoom;
    m_canvas->resize(static_cast<int>(width), static_cast<int>(width * image.height() / image.width()));
    m_canvas->update();
}

void PicturePane::show_state() {
    if (m_sheet == nullptr) return;
    auto const language = m_sheet->request.language;
    m_number->setText(QString::fromStdString(page_words(language, m_page, m_pages)));
    for (auto* each : {m_previous, m_next})
        each->setVisible(m_pages > 1);
    m_previous->setEnabled(m_page > 0);
    m_next->setEnabled(m_page + 1 < pages_shown());
    m_bar->setVisible(m_pages != 0);
    bool const waits = !m_unseen && m_canvas->image.isNull();
    m_state->setVisible(waits || m_unseen || m_pages > ipc::max_picture_pages);
    m_state->setText(QString::fromStdString(
        waits      ? std::string{text(language, "The picture of the document is being made ...")}
        : m_unseen ? std::string{text(language, "This page cannot be shown.")}
                   : text(language, "Only the first %1 pages are shown; the whole document is signed.",
                          {std::to_string(ipc::max_picture_pages)})));
}

} // namespace tamga::prompt

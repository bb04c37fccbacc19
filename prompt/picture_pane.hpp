// The pages of one document as pictures: one at a time, to be scrolled, turned and, in a place of its own, enlarged.
#pragma once

#include "prompt/pictures.hpp"
#include "prompt/sheet.hpp"

#include <QImage>
#include <QTimer>
#include <QWidget>

#include <optional>

class QLabel;
class QScrollArea;
class QSocketNotifier;
class QToolButton;

namespace tamga::prompt {

/// Where it stands decides what it offers: in the window a way to the larger view, there the zoom.
class PicturePane : public QWidget {
public:
    enum class Place : std::uint8_t { in_window, by_itself };

    PicturePane(Place place, QWidget* parent);
    ~PicturePane() override;

    /// Begins with `page` (from 0). `sheet` outlives the view; Shown::picture is how it shows that document.
    void show_document(Sheet const& sheet, std::size_t index, std::uint32_t page = 0);
    /// Nothing is asked for any more.
    void leave();
    [[nodiscard]] std::uint32_t page() const noexcept { return m_page; }

    /// A page is scrolled: its height is not asked for by its width, though a line above it wraps.
    [[nodiscard]] bool hasHeightForWidth() const override { return false; }
    [[nodiscard]] QSize sizeHint() const override { return {600, 420}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {200, 150}; }

    std::function<void()> failed;        ///< there is no picture of this document
    std::function<void()> larger_wanted; ///< of the page that is shown

protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    class Canvas;

    [[nodiscard]] QWidget* bar();
    QToolButton* button(QString const& sign, std::function<void()> pressed);
    void name_buttons(Language language);
    void turn(int pages);
    void zoom(double factor);
    void ask();
    void hear();
    void take(Picture const& picture);
    void fail();
    void end_talk();
    void fit();
    void show_state();
    [[nodiscard]] std::uint32_t pages_shown() const;
    [[nodiscard]] std::uint32_t wanted_width() const;

    Place m_place;
    Sheet const* m_sheet = nullptr;
    UniqueFd m_document; ///< sealed
    std::uint32_t m_page = 0;
    std::uint32_t m_pages = 0; ///< 0: not known yet
    double m_zoom = 1;
    std::optional<ipc::PictureWanted> m_asked; ///< what is shown, or under way
    std::optional<PictureTalk> m_talk;
    std::unique_ptr<QSocketNotifier> m_notifier;
    QTimer m_soon;     ///< asks once the window has its size
    QTimer m_deadline; ///< of the picture that is under way
    bool m_unseen = false;

    QWidget* m_bar;
    QToolButton* m_previous;
    QLabel* m_number;
    QToolButton* m_next;
    QToolButton* m_smaller;
    QToolButton* m_width;
    QToolButton* m_bigger;
    QToolButton* m_larger;
    QScrollArea* m_area;
    Canvas* m_canvas;
    QLabel* m_state;
};

} // namespace tamga::prompt

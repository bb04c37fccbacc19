// A line of the window that must not be overlooked.
#pragma once

#include <QLabel>

namespace tamga::prompt {

enum class Weight : std::uint8_t { notice, caution };

/// Gives `label` a coloured ground (with its own text colour, so that it is readable in dark themes too), plain text
/// and wrapping.
inline void dress(QLabel& label, Weight weight) {
    auto palette = label.palette();
    palette.setColor(QPalette::Window, weight == Weight::notice ? QColor{0xFF, 0xF4, 0xCE} : QColor{0xFD, 0xE0, 0xDC});
    palette.setColor(QPalette::WindowText,
                     weight == Weight::notice ? QColor{0x4A, 0x38, 0x00} : QColor{0x6B, 0x0F, 0x0F});
    label.setPalette(palette);
    label.setAutoFillBackground(true);
    label.setTextFormat(Qt::PlainText);
    label.setWordWrap(true);
    label.setMargin(8);
}

} // namespace tamga::prompt

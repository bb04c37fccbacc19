// A line under the PIN's field: what may be wrong with the keyboard, before an attempt is spent on it.
#pragma once

#include "base/text.hpp"

#include <QLabel>

class QLineEdit;

namespace tamga::prompt {

/// Hidden where there is nothing to say. Whether Caps Lock is on the X server knows; elsewhere the letters that are
/// typed tell. That another layout is on shows in letters that are not Latin.
class TypingHint : public QLabel {
public:
    /// `field` outlives it.
    explicit TypingHint(QLineEdit& field);

    void speak(Language language) { m_language = language; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void learn_from(QEvent const& event);
    void show_words();

    QLineEdit& m_field;
    Language m_language{};
    bool m_caps_lock = false;
};

} // namespace tamga::prompt

#include "prompt/typing_hint.hpp"

#include "prompt/words.hpp"

#include <QGuiApplication>
#include <QKeyEvent>
#include <QLineEdit>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <xcb/xcb.h>

namespace tamga::prompt {

namespace {

/// Nothing where there is no X server to ask.
std::optional<bool> caps_lock_of_x() {
    auto* const native = qApp->nativeInterface<QNativeInterface::QX11Application>();
    auto* const connection = native != nullptr ? native->connection() : nullptr;
    if (connection == nullptr) return std::nullopt; // Qt without a screen has that interface too
    auto const root = ::xcb_setup_roots_iterator(::xcb_get_setup(connection)).data->root;
    std::unique_ptr<::xcb_query_pointer_reply_t, decltype(&std::free)> const reply{
        ::xcb_query_pointer_reply(connection, ::xcb_query_pointer(connection, root), nullptr), &std::free};
    if (!reply) return std::nullopt;
    return (reply->mask & XCB_MOD_MASK_LOCK) != 0;
}

/// A capital without Shift, or a small letter with it.
std::optional<bool> caps_lock_of_letter(QKeyEvent const& event) {
    auto const text = event.text();
    if (text.size() != 1 || !text.front().isLetter() || text.toLower() == text.toUpper()) return std::nullopt;
    bool const shifted = (event.modifiers() & Qt::ShiftModifier) != 0;
    return text.front().isUpper() != shifted;
}

} // namespace

TypingHint::TypingHint(QLineEdit& field) : m_field{field} {
    setTextFormat(Qt::PlainText);
    setWordWrap(true);
    hide();
    field.installEventFilter(this);
    connect(&field, &QLineEdit::textChanged, this, [this] { show_words(); });
}

bool TypingHint::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
    case QEvent::FocusIn:
    case QEvent::KeyPress:
    case QEvent::KeyRelease:
    case QEvent::Hide:
    case QEvent::Show:
        learn_from(*event);
        show_words();
        break;
    default: break;
    }
    return QLabel::eventFilter(watched, event);
}

void TypingHint::learn_from(QEvent const& event) {
    auto known = caps_lock_of_x();
    if (!known && event.type() == QEvent::KeyPress) known = caps_lock_of_letter(static_cast<QKeyEvent const&>(event));
    m_caps_lock = known.value_or(m_caps_lock);
}

void TypingHint::show_words() {
    auto const typed = m_field.text();
    bool const not_latin =
        std::any_of(typed.begin(), typed.end(), [](QChar each) { return each.isLetter() && each.unicode() > 0x7F; });
    auto const words = typing_words(m_language, m_caps_lock && m_field.hasFocus(), not_latin);
    setText(QString::fromStdString(words));
    setVisible(!words.empty() && m_field.isVisible());
}

} // namespace tamga::prompt

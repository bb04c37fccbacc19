// The list of keys (or of tokens) in the window.
#pragma once

#include "prompt/sheet.hpp"

#include <QListWidget>

namespace tamga::prompt {

/// Each choice with its owner in bold and what else is known below; what cannot be chosen is grey, with the reason.
class KeyList : public QListWidget {
public:
    explicit KeyList(QWidget* parent);

    void show_choices(Language language, Question const& question);
    /// The row that is selected; nothing is until the person points at one.
    [[nodiscard]] std::optional<std::size_t> chosen() const;

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    [[nodiscard]] int height_of_rows(int rows) const;
};

} // namespace tamga::prompt

// A document in a window of its own, as large as the screen lets it be. While it is open the window that decides is not
// active, so nothing can be decided by mistake.
#pragma once

#include "prompt/sheet.hpp"

#include <QDialog>

class QPushButton;

namespace tamga::prompt {

class PicturePane;

class LargerView : public QDialog {
public:
    explicit LargerView(QWidget* parent);

    /// Opens with `page` (from 0); does not block. `sheet` outlives the view.
    void open_page(Sheet const& sheet, std::size_t index, std::uint32_t page);

protected:
    void done(int result) override;

private:
    PicturePane* m_pane;
    QPushButton* m_close;
};

} // namespace tamga::prompt

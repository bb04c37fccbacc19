#include "prompt/file_list.hpp"

#include "prompt/visible.hpp"
#include "prompt/words.hpp"

#include <QStyle>

#include <algorithm>

namespace tamga::prompt {

FileList::FileList(QWidget* parent) : QListWidget{parent} {
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setTextElideMode(Qt::ElideMiddle);
    setTabKeyNavigation(false);
    connect(this, &QListWidget::itemActivated, this, [this] { open_selected(); });
}

void FileList::show_files(Language language, FileQuestion const& question) {
    m_language = language;
    m_recent = question.recent;
    m_use = question.use;
    if (m_folder.empty()) m_folder = m_recent.empty() ? home_folder() : m_recent.front().parent_path();
    fill();
}

void FileList::fill() {
    clear();
    m_rows.clear();
    for (auto const& path : m_recent) {
        add({path, false}, visible_line(path.filename().string()), visible_line(path.parent_path().string()),
            QStyle::SP_FileIcon);
    }
    if (m_folder.has_relative_path()) {
        add({m_folder.parent_path(), true}, std::string{text(m_language, "One folder up")}, {},
            QStyle::SP_FileDialogToParent);
    }
    for (auto const& [path, is_folder, size] : entries_of(m_folder, m_use)) {
        if (std::ranges::find(m_recent, path) != m_recent.end()) continue; // it stands above
        auto const name = visible_line(path.filename().string());
        add({path, is_folder}, name, is_folder ? std::string{} : size_words(m_language, size),
            is_folder ? QStyle::SP_DirIcon : QStyle::SP_FileIcon);
    }
    if (count() != 0) setCurrentRow(0);
    if (moved) moved();
}

void FileList::add(Row row, std::string const& title, std::string const& details, int icon) {
    auto words = QString::fromStdString(title);
    if (!details.empty()) words += QStringLiteral("   ·   ") + QString::fromStdString(details);
    new QListWidgetItem{style()->standardIcon(static_cast<QStyle::StandardPixmap>(icon)), words, this};
    m_rows.push_back(std::move(row));
}

FileList::Row const* FileList::selected() const {
    auto const row = currentRow();
    return row >= 0 && static_cast<std::size_t>(row) < m_rows.size() ? &m_rows[static_cast<std::size_t>(row)] : nullptr;
}

std::filesystem::path FileList::selected_file() const {
    auto const* row = selected();
    return row != nullptr && !row->is_folder ? row->path : std::filesystem::path{};
}

void FileList::open_selected() {
    auto const* row = selected();
    if (row == nullptr) return;
    if (!row->is_folder) {
        if (chosen) chosen();
        return;
    }
    m_folder = row->path;
    m_recent.clear(); // they were no help
    fill();
}

QSize FileList::sizeHint() const {
    constexpr int rows = 9;
    auto const row = std::max(sizeHintForRow(0), fontMetrics().height() + 4);
    return {QListWidget::sizeHint().width(), rows * row + 2 * frameWidth()};
}

} // namespace tamga::prompt

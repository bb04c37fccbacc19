// The chooser in the window: recent key files, then a folder to walk through.
#pragma once

#include "prompt/sheet.hpp"

#include <QListWidget>

#include <functional>

namespace tamga::prompt {

/// Names are plain text with whatever could deceive made visible. Return or a double click opens a folder, or chooses a
/// file.
class FileList : public QListWidget {
public:
    explicit FileList(QWidget* parent);

    /// Called when a file was chosen, and when another folder is shown.
    std::function<void()> chosen;
    std::function<void()> moved;

    /// Begins in the folder shown last, else in that of the newest recent file, else at home.
    void show_files(Language language, FileQuestion const& question);
    [[nodiscard]] std::filesystem::path const& folder() const noexcept { return m_folder; }
    /// The file that is selected; empty where none is.
    [[nodiscard]] std::filesystem::path selected_file() const;
    /// Goes into the folder that is selected, or calls `chosen` for a file.
    void open_selected();

    [[nodiscard]] QSize sizeHint() const override;

private:
    struct Row {
        std::filesystem::path path;
        bool is_folder = false;
    };
    void fill();
    void add(Row row, std::string const& title, std::string const& details, int icon);
    [[nodiscard]] Row const* selected() const;

    Language m_language{};
    FileUse m_use{};
    std::vector<std::filesystem::path> m_recent;
    std::filesystem::path m_folder;
    std::vector<Row> m_rows;
};

} // namespace tamga::prompt

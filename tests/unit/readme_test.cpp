// README.md tells the way of one sign request; the code has the list of its steps. They must agree.
#include "base/error.hpp"
#include "daemon/flow_steps.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tamga {
namespace {

using Row = std::vector<std::string>;

std::string without_decoration(std::string_view cell) {
    auto const first = cell.find_first_not_of(" `*");
    if (first == std::string_view::npos) return {};
    return std::string{cell.substr(first, cell.find_last_not_of(" `*") - first + 1)};
}

Row cells_of(std::string_view line) {
    Row cells;
    line.remove_prefix(1);
    for (auto bar = line.find('|'); bar != std::string_view::npos; bar = line.find('|')) {
        cells.push_back(without_decoration(line.substr(0, bar)));
        line.remove_prefix(bar + 1);
    }
    return cells;
}

/// The rows of the first table under the heading, without its head; empty where there is none.
std::vector<Row> table_under(std::string_view heading) {
    std::ifstream readme{TAMGA_SOURCE_DIR "/README.md"};
    std::string line;
    while (std::getline(readme, line) && line != heading) {
    }
    while (std::getline(readme, line) && !line.starts_with('|')) {
    }
    std::vector<Row> rows;
    for (; line.starts_with('|'); line.clear(), std::getline(readme, line))
        rows.push_back(cells_of(line));
    if (rows.size() < 2) return {};
    rows.erase(rows.begin(), rows.begin() + 2);
    return rows;
}

std::vector<Row> steps_of_the_code() {
    std::vector<Row> rows;
    for (auto const& step : daemon::flow_steps) {
        rows.push_back({std::string{step.id}, std::string{step.name}, std::string{step.where}});
    }
    return rows;
}

TEST(Readme, TellsTheWayOfOneRequestAsTheCodeGoesIt) {
    auto table = table_under("## The way of one sign request");
    for (auto& row : table)
        row.resize(3);

    EXPECT_EQ(table, steps_of_the_code());
}

/// The errors among the ways a hop can end: what is neither a status nor the closing of a socket.
std::vector<std::string> errors_of(std::string const& cell) {
    std::vector<std::string> words;
    std::istringstream list{cell};
    for (std::string item; std::getline(list, item, ',');) {
        auto const word = without_decoration(item);
        if (word.find_first_of("0123456789") == std::string::npos && word != "close") words.push_back(word);
    }
    return words;
}

TEST(Readme, NamesErrorsThatExist) {
    std::set<std::string_view> known;
    for (std::size_t i = 0; i < errc_count; ++i)
        known.insert(wire_name(static_cast<Errc>(i)));
    std::size_t named = 0;

    for (auto const& row : table_under("## The way of one sign request")) {
        for (auto const& word : errors_of(row.back())) {
            EXPECT_TRUE(known.contains(word)) << row.front() << ": " << word;
            ++named;
        }
    }

    EXPECT_GT(named, 20U);
}

std::string content_of(std::filesystem::path const& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

/// The sources that a row names with a path: a file and its header, or every source of a folder.
std::string sources_of(Row const& row) {
    std::filesystem::path const root{TAMGA_SOURCE_DIR};
    std::string sources;
    std::istringstream words{row[2] + ' ' + row[3]};
    for (std::string word; words >> word;) {
        auto const first = word.find_first_not_of("`(");
        auto const last = word.find_last_not_of("`),;.");
        if (word.find('/') == std::string::npos || first == std::string::npos || last < first) continue;
        auto const place = root / word.substr(first, last - first + 1);
        EXPECT_TRUE(std::filesystem::exists(place)) << place;
        if (!std::filesystem::is_directory(place)) {
            sources += content_of(place) + content_of(std::filesystem::path{place}.replace_extension(".hpp"));
            continue;
        }
        for (auto const& entry : std::filesystem::recursive_directory_iterator{place})
            if (entry.is_regular_file()) sources += content_of(entry.path());
    }
    return sources;
}

bool has_word(std::string_view text, std::string_view word) {
    auto const is_part = [&](std::size_t at) {
        return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
    };
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1))
        if ((at == 0 || !is_part(at - 1)) && !is_part(at + word.size())) return true;
    return false;
}

TEST(Readme, NamesErrorsWhereTheyAreRaised) {
    for (auto const& row : table_under("## The way of one sign request")) {
        auto const sources = sources_of(row);
        for (auto const& word : errors_of(row.back())) {
            EXPECT_TRUE(has_word(sources, word)) << row.front() << ": " << word;
        }
    }
}

TEST(Readme, NamesPlacesThatExist) {
    for (auto const& step : daemon::flow_steps) {
        EXPECT_TRUE(std::filesystem::exists(std::filesystem::path{TAMGA_SOURCE_DIR} / step.where)) << step.where;
    }
}

} // namespace
} // namespace tamga

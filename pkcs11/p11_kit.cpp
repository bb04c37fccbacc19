#include "pkcs11/p11_kit.hpp"

#include "base/trusted_file.hpp"

#include <map>
#include <sstream>

namespace tamga::pkcs11 {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr char const* blanks = " \t\r";
    auto const first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The value of `module:`, the last one where there are several; empty where there is none.
std::string module_of(std::string const& content) {
    std::string module;
    std::istringstream lines{content};
    for (std::string text; std::getline(lines, text);) {
        auto const line = trimmed(text);
        auto const colon = line.find(':');
        if (line.starts_with('#') || colon == line.npos || trimmed(line.substr(0, colon)) != "module") continue;
        module = trimmed(line.substr(colon + 1));
    }
    return module;
}

/// File name to the files of that name, in the order of the folders.
std::map<std::string, std::vector<std::filesystem::path>>
module_files(std::vector<std::filesystem::path> const& folders) {
    std::map<std::string, std::vector<std::filesystem::path>> files;
    for (auto const& folder : folders) {
        std::error_code failure;
        for (auto entry = std::filesystem::directory_iterator{folder, failure};
             !failure && entry != std::filesystem::directory_iterator{}; entry.increment(failure)) {
            if (entry->path().extension() == ".module") files[entry->path().filename()].push_back(entry->path());
        }
    }
    return files;
}

} // namespace

P11KitEntries read_p11_kit(std::vector<std::filesystem::path> const& folders, std::filesystem::path const& libraries) {
    P11KitEntries found;
    for (auto const& [name, paths] : module_files(folders)) {
        for (auto const& path : paths) {
            auto const content = read_trusted_file(path);
            if (!content) {
                found.refused.push_back({content.error().code, path.string() + ": " + content.error().detail});
                continue;
            }
            auto const module = module_of(*content);
            if (module.empty()) continue;
            found.entries.push_back({path, libraries / module}); // an absolute path replaces the folder
            break;
        }
    }
    return found;
}

} // namespace tamga::pkcs11

#include "policy/publishers.hpp"

#include "base/log.hpp"
#include "base/toml.hpp"
#include "base/trusted_file.hpp"
#include "policy/state_file.hpp"
#include "signing/trust_set.hpp"

#include <algorithm>
#include <cstdlib>

namespace tamga::policy {

namespace {

constexpr std::size_t most_files = 256;

Result<std::string> text_of(toml::table const& table, std::string_view key) {
    auto const* node = table.get(key);
    auto value = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
    if (!value || value->empty()) return Error{Errc::config_invalid, std::string{key} + ": a text required"};
    return *std::move(value);
}

Result<void> only(toml::table const& table, std::initializer_list<std::string_view> known) {
    for (auto const& [key, node] : table) {
        if (std::ranges::find(known, key.str()) == known.end())
            return Error{Errc::config_invalid, std::string{key.str()} + ": unknown"};
    }
    return ok();
}

Result<Names> names_of(toml::table const& row) {
    auto const* node = row.get("name");
    if (node == nullptr || !node->is_table()) return Error{Errc::config_invalid, "name: a table required"};
    auto const& table = *node->as_table();
    if (auto known = only(table, {"kk", "ru", "en"}); !known) return known.error();
    Names names;
    for (auto const& [key, target] :
         {std::pair{"kk", &names.kk}, std::pair{"ru", &names.ru}, std::pair{"en", &names.en}}) {
        auto text = text_of(table, key);
        if (!text) return text.error();
        *target = *std::move(text);
    }
    return names;
}

/// The certificate lies beside the file that names it.
Result<signing::Certificate> certificate_of(toml::table const& row, std::filesystem::path const& folder) {
    auto const name = text_of(row, "certificate");
    if (!name) return name.error();
    if (name->find('/') != std::string::npos)
        return Error{Errc::config_invalid, "certificate: a file of the same folder required"};
    auto const octets = read_trusted_file(folder / *name);
    if (!octets) return octets.error();
    auto file = signing::read_certificates(as_view(*octets));
    if (!file || file->certificates.size() != 1 || !file->left_out.empty())
        return Error{Errc::config_invalid, *name + " is not one certificate"};
    return std::move(file->certificates.front());
}

Result<Publisher> publisher_of(toml::table const& row, std::filesystem::path const& folder) {
    if (auto known = only(row, {"body", "name", "certificate"}); !known) return known.error();
    auto body = text_of(row, "body");
    if (!body) return body.error();
    if (!is_name(*body)) return Error{Errc::config_invalid, "body: a to z, 0 to 9 and '-' required"};
    auto names = names_of(row);
    if (!names) return names.error();
    auto certificate = certificate_of(row, folder);
    if (!certificate) return certificate.error();
    return Publisher{*std::move(body), *std::move(names), *std::move(certificate)};
}

Result<std::vector<Publisher>> read_file(std::filesystem::path const& path) {
    auto const text = read_trusted_file(path);
    if (!text) return text.error();
    auto const parsed = toml::parse(*text);
    if (!parsed) return Error{Errc::config_invalid, std::string{parsed.error().description()}};
    if (auto known = only(parsed.table(), {"publisher"}); !known) return known.error();
    auto const* rows = parsed.table().get_as<toml::array>("publisher");
    if (rows == nullptr || !rows->is_array_of_tables())
        return Error{Errc::config_invalid, "publisher: tables required"};
    std::vector<Publisher> publishers;
    for (auto const& row : *rows) {
        auto publisher = publisher_of(*row.as_table(), path.parent_path());
        if (!publisher) return publisher.error();
        publishers.push_back(*std::move(publisher));
    }
    return publishers;
}

} // namespace

ServiceFolders ServiceFolders::here() {
    ServiceFolders folders{TAMGA_SHIPPED_SERVICES, "/etc/tamga", {}, {}};
    char const* config = std::getenv("XDG_CONFIG_HOME");
    char const* home = std::getenv("HOME");
    if (config != nullptr && *config == '/')
        folders.person = std::filesystem::path{config} / "tamga";
    else if (home != nullptr && *home == '/')
        folders.person = std::filesystem::path{home} / ".config/tamga";
    if (auto const state = state_folder(); !state.empty()) folders.memory = state / "services";
    return folders;
}

std::vector<std::filesystem::path> files_in(std::filesystem::path const& folder, std::string_view suffix) {
    std::vector<std::filesystem::path> files;
    if (folder.empty()) return files;
    std::error_code failure;
    std::filesystem::directory_iterator at{folder, failure};
    for (; !failure && at != std::filesystem::directory_iterator{}; at.increment(failure)) {
        if (at->path().extension() == suffix && files.size() < most_files) files.push_back(at->path());
    }
    std::ranges::sort(files);
    return files;
}

std::vector<Publisher> load_publishers(ServiceFolders const& folders, UserCatalogues user) {
    std::vector<Publisher> publishers;
    for (auto const* folder : {&folders.shipped, &folders.computer, &folders.person}) {
        if (folder->empty() || (folder == &folders.person && user == UserCatalogues::left_out)) continue;
        for (auto const& path : files_in(*folder / "publishers.d", ".toml")) {
            auto read = read_file(path);
            if (!read) {
                log::warning("publishers_refused", {{"file", path.string()},
                                                    {"error", wire_name(read.error().code)},
                                                    {"detail", read.error().detail}});
                continue;
            }
            std::ranges::move(*read, std::back_inserter(publishers));
        }
    }
    return publishers;
}

} // namespace tamga::policy

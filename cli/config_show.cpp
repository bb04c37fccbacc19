#include "cli/config_show.hpp"

#include "base/explain.hpp"
#include "cli/daemon_talk.hpp"
#include "cli/doctor/token_facts.hpp"
#include "cli/printable.hpp"
#include "policy/config_sources.hpp"
#include "policy/publishers.hpp"
#include "protocol/tamga/tamga.hpp"

#include <algorithm>

namespace tamga::cli {

namespace {

using namespace std::chrono_literals;
using policy::SourcedValue;
using Values = std::vector<SourcedValue>;

constexpr auto patience = 10s;

Result<Values> module_values(Surroundings const& here) {
    auto const program = (here.programs / "tamga-token").string();
    auto const ran = here.run({program, "--settings"}, patience);
    auto const parsed = toml::parse(ran.output);
    if (!ran.succeeded() || !parsed) return Error{Errc::system, "tamga-token: " + ran.how()};
    auto const& said = parsed.table();
    if (auto const* fault = said["fault"].as_table()) {
        auto const untrusted = text_in(*fault, "code") == wire_name(Errc::file_untrusted);
        return Error{untrusted ? Errc::file_untrusted : Errc::config_invalid, text_in(*fault, "detail")};
    }
    Values values;
    for (auto const* setting : tables_in(said, "settings"))
        values.push_back({text_in(*setting, "key"), text_in(*setting, "value"), text_in(*setting, "file")});
    return values;
}

/// Whose catalogues of services are believed, and which authorities were added: a value for each file.
void add_files(Values& values, std::string const& key, std::filesystem::path const& folder, std::string_view suffix) {
    for (auto const& file : policy::files_in(folder, suffix))
        values.push_back({key, file.filename().string(), file.string()});
}

Result<Values> everything(Surroundings const& here) {
    auto values = policy::sourced_values(policy::config_files());
    if (!values) return values;
    auto const modules = module_values(here);
    if (!modules) return modules.error();
    values->insert(values->end(), modules->begin(), modules->end());
    values->push_back({"batch.documents", std::to_string(protocol::v1::max_documents), {}});
    auto const folders = policy::ServiceFolders::here();
    for (auto const& folder : {folders.shipped, folders.computer, folders.person})
        add_files(*values, "publishers", folder / "publishers.d", ".toml");
    for (auto const& folder : {here.authorities.computer, here.authorities.person}) {
        for (auto const* suffix : {".pem", ".cer", ".crt", ".der"})
            add_files(*values, "authorities", folder, suffix);
    }
    return values;
}

void print(Language language, Values const& values, std::ostream& out) {
    for (auto const& [key, value, file] : values) {
        out << key << " = " << (value.empty() ? "-" : printable(value)) << "   ("
            << (file.empty() ? std::string{text(language, "built in")} : printable(file)) << ")\n";
    }
}

Tree tree_of(Values const& values) {
    Tree::List list;
    for (auto const& [key, value, file] : values)
        list.push_back(Tree{}.add("key", key).add("value", value).add_unless_empty("file", file));
    return Tree{}.add("values", Tree{std::move(list)});
}

} // namespace

int show_config(Surroundings const& here, ReportForm form, std::ostream& out, std::ostream& complaints) {
    auto const values = everything(here);
    if (!values) return complain(here.language, values.error(), complaints);
    if (form == ReportForm::json)
        out << printable_json(tree_of(*values)) << '\n';
    else
        print(here.language, *values, out);
    return 0;
}

} // namespace tamga::cli

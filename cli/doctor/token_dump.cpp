#include "cli/doctor/doctor.hpp"
#include "cli/doctor/token_facts.hpp"

#include <sstream>

namespace tamga::cli {

namespace {

/// As many stars as it has letters: the form is a fact about the device, what is written there is not.
void mask(toml::table& table, std::string_view key) {
    auto* const text = table[key].as_string();
    if (text != nullptr) **text = std::string(text->get().size(), '*');
}

void redact_token(toml::table& token) {
    mask(token, "label");
    mask(token, "serial");
    auto* const objects = token["objects"].as_array();
    for (std::size_t i = 0; objects != nullptr && i < objects->size(); ++i) {
        auto* const object = objects->get(i)->as_table();
        if (object == nullptr || !object->contains("der")) continue;
        auto const octets = static_cast<std::int64_t>((*object)["der"].value_or(std::string{}).size() / 2);
        object->erase("der");
        object->insert_or_assign("der_octets", octets);
    }
}

void redact(toml::table& said) {
    auto* const tokens = said["tokens"].as_array();
    for (std::size_t i = 0; tokens != nullptr && i < tokens->size(); ++i) {
        if (auto* token = tokens->get(i)->as_table()) redact_token(*token);
    }
}

/// Paths tell who somebody is.
std::string without_home(std::string text, std::string const& home) {
    for (auto at = text.find(home); home.size() > 1 && at != std::string::npos; at = text.find(home, at))
        text.replace(at, home.size(), "~");
    return text;
}

} // namespace

int dump_tokens(Surroundings const& here, std::ostream& out, std::ostream& complaints) {
    auto facts = ask_tokens(here);
    if (!facts.unasked.empty()) {
        complaints << facts.unasked << '\n';
        return exit_bad;
    }
    std::ostringstream dump;
    dump << "# tamga doctor --token-dump, " << here.version
         << "\n# Stars stand for letters of labels and serial numbers; certificates are left out.\n\n"
         << facts.computer << "\n\n";
    toml::array modules;
    for (auto& module : facts.modules) {
        redact(module.said);
        module.said.insert_or_assign("path", module.path);
        module.said.insert_or_assign("ended", module.ran.how());
        modules.push_back(std::move(module.said));
    }
    dump << toml::table{{"loaded", std::move(modules)}} << '\n';
    out << without_home(dump.str(), here.home.native());
    return 0;
}

} // namespace tamga::cli

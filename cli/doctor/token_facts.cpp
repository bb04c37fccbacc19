#include "cli/doctor/token_facts.hpp"

#include "cli/log_words.hpp"

#include <charconv>
#include <sstream>

namespace tamga::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;

std::optional<toml::table> parsed(Ran const& ran) {
    if (!ran.succeeded()) return std::nullopt;
    auto table = toml::parse(ran.output);
    if (!table) return std::nullopt;
    return std::move(table).table();
}

/// The same module, loaded by libp11 and without our sandbox.
std::string second_opinion(Surroundings const& here, toml::table const& module) {
    std::vector<std::string> command{"env"};
    auto const* const environment = module["environment"].as_array();
    for (std::size_t i = 0; environment != nullptr && i < environment->size(); ++i)
        command.push_back(environment->get(i)->value_or(std::string{}));
    command.push_back((here.programs / "tamga-p11check").string());
    command.push_back(text_in(module, "path"));
    auto const ran = here.run(std::move(command), patience);
    if (ran.succeeded()) return "another program (libp11) can use it: " + ran.output.substr(0, ran.output.find('\n'));
    if (ran.end == Ran::End::not_started) return {};
    return "it fails another program (libp11) too: " + ran.how();
}

ModuleFacts ask_module(Surroundings const& here, std::string const& program, toml::table const& module,
                       std::size_t number) {
    ModuleFacts facts;
    facts.name = text_in(module, "name");
    facts.path = text_in(module, "path");
    facts.fault = text_in(module, "code");
    facts.detail = text_in(module, "detail");
    if (!facts.fault.empty()) return facts;
    facts.ran = here.run({program, "--facts", std::to_string(number)}, patience);
    if (auto said = parsed(facts.ran)) facts.said = std::move(*said);
    if (facts.said.empty() || !text_in(facts.said, "code").empty()) facts.second_opinion = second_opinion(here, module);
    return facts;
}

/// Adds what systemd's journal has of the modules' processes. tamgad names a module by its place in the order of the
/// configuration, which is that of `modules` as long as nobody has edited it since.
void add_crashes(Surroundings const& here, std::vector<ModuleFacts>& modules) {
    auto const ran = here.run({"journalctl", "--user", "--user-unit=tamga.service", "--since=-7days", "--priority=4",
                               "--output=cat", "--no-pager", "--quiet"},
                              patience);
    std::istringstream lines{ran.output};
    for (std::string text; std::getline(lines, text);) {
        auto const line = parse_log_line(text);
        if (!line || line->event != "ended" || line->field("program") != "tamga-token") continue;
        auto const place = line->field("module");
        std::size_t number = modules.size();
        std::from_chars(place.data(), place.data() + place.size(), number);
        if (number >= modules.size()) continue;
        ++modules[number].crashes;
        modules[number].last_crash = line->field("how");
    }
}

} // namespace

TokenFacts ask_tokens(Surroundings const& here) {
    TokenFacts facts;
    facts.language = here.language;
    auto const program = (here.programs / "tamga-token").string();
    auto const ran = here.run({program, "--facts"}, patience);
    auto computer = parsed(ran);
    if (!computer) {
        facts.unasked = "tamga-token: " + ran.how();
        return facts;
    }
    facts.computer = std::move(*computer);
    std::size_t number = 0;
    for (auto const* module : tables_in(facts.computer, "modules"))
        facts.modules.push_back(ask_module(here, program, *module, number++));
    add_crashes(here, facts.modules);
    return facts;
}

std::string text_in(toml::table const& table, std::string_view key) {
    return table[key].value_or(std::string{});
}

std::int64_t number_in(toml::table const& table, std::string_view key, std::int64_t otherwise) {
    return table[key].value_or(otherwise);
}

bool flag_in(toml::table const& table, std::string_view key) {
    return table[key].value_or(false);
}

std::string name_in(toml::table const& table, Language language) {
    auto const* const names = table["names"].as_table();
    if (names == nullptr) return {};
    switch (language) {
    case Language::kk: return text_in(*names, "kk");
    case Language::ru: return text_in(*names, "ru");
    case Language::en: return text_in(*names, "en");
    }
    return {};
}

std::vector<toml::table const*> tables_in(toml::table const& table, std::string_view key) {
    std::vector<toml::table const*> tables;
    auto const* const array = table[key].as_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        if (auto const* element = array->get(i)->as_table()) tables.push_back(element);
    }
    return tables;
}

} // namespace tamga::cli

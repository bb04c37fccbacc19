#include "pkcs11/facts.hpp"

#include "base/toml.hpp"
#include "pkcs11/cryptoki_error.hpp"
#include "pkcs11/families_file.hpp"
#include "pkcs11/pcsc.hpp"
#include "pkcs11/session.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

namespace tamga::pkcs11 {

namespace {

constexpr CK_ULONG most_mechanisms = 4096;

std::string written(toml::table const& table) {
    std::ostringstream text;
    text << table << '\n';
    return text.str();
}

std::int64_t number(CK_ULONG value) {
    return static_cast<std::int64_t>(value);
}

void add_fault(toml::table& table, Error const& error) {
    table.insert("code", wire_name(error.code));
    table.insert("detail", error.detail);
}

// ---- the card service ----

/// Every reader as it is at this moment. Error: card_service_lost.
Result<std::vector<::SCARD_READERSTATE>> look(CardContext const& context, std::vector<std::string> const& names) {
    std::vector<::SCARD_READERSTATE> states;
    for (auto const& name : names) {
        auto& state = states.emplace_back();
        state.szReader = name.c_str();
        state.dwCurrentState = SCARD_STATE_UNAWARE;
    }
    if (states.empty()) return states;
    if (auto const looked = context.await_change(states, 0); !looked) return looked.error();
    return states;
}

View atr_of(::SCARD_READERSTATE const& state) {
    return {state.rgbAtr, std::min<std::size_t>(state.cbAtr, sizeof state.rgbAtr)};
}

/// In the three languages, for words that a person reads.
toml::table names_of(ipc::FamilyName const& name) {
    return toml::table{{"kk", name.kk}, {"ru", name.ru}, {"en", name.en}};
}

/// Without a table that can be read, of no card is said which family it belongs to.
toml::table reader_facts(::SCARD_READERSTATE const& state, Families const* families) {
    toml::table reader;
    auto const has = [&](DWORD flag) { return (state.dwEventState & flag) != 0; };
    auto const atr = atr_of(state);
    reader.insert("name", state.szReader);
    reader.insert("card", has(SCARD_STATE_PRESENT));
    reader.insert("mute", has(SCARD_STATE_MUTE));
    reader.insert("exclusive", has(SCARD_STATE_EXCLUSIVE));
    reader.insert("atr", to_hex(atr));
    if (atr.empty() || families == nullptr) return reader;
    auto const& row = families->classify({to_bytes(atr), state.szReader, {}, {}});
    reader.insert("family", row.id);
    reader.insert("names", names_of(row.name));
    return reader;
}

/// What the card service says; its readers go into `readers`.
toml::table card_service_facts(Families const* families, toml::array& readers) {
    toml::table service;
    auto const context = CardContext::establish();
    auto const names = context ? (*context)->readers() : Result<std::vector<std::string>>{context.error()};
    auto const states = names ? look(**context, *names) : Result<std::vector<::SCARD_READERSTATE>>{names.error()};
    if (!states) {
        add_fault(service, states.error());
        return service;
    }
    for (auto const& state : *states)
        readers.push_back(reader_facts(state, families));
    return service;
}

// ---- the modules' files ----

toml::array modules_facts(Modules const& found) {
    toml::array modules;
    for (auto const& config : found.modules) {
        toml::table module;
        module.insert("name", config.name);
        module.insert("path", config.path.string());
        toml::array environment;
        for (auto const& [name, value] : config.environment)
            environment.push_back(name + '=' + value);
        module.insert("environment", std::move(environment));
        if (auto const usable = usable_library(config.path); !usable) add_fault(module, usable.error());
        modules.push_back(std::move(module));
    }
    return modules;
}

toml::array families_facts(Modules const& found) {
    toml::array families;
    for (auto const& row : found.families.rows()) {
        toml::table family;
        toml::array passed_over;
        family.insert("id", row.id);
        family.insert("names", names_of(row.name));
        family.insert("program", row.program);
        for (auto const& candidate : found.candidates) {
            if (candidate.family != row.id) continue;
            if (candidate.passed_over.empty())
                family.insert("module", candidate.path.string());
            else
                passed_over.push_back(candidate.path.string() + ": " + candidate.passed_over);
        }
        family.insert("passed_over", std::move(passed_over));
        toml::array usb;
        for (auto const& id : row.usb)
            usb.push_back(id);
        family.insert("usb", std::move(usb));
        families.push_back(std::move(family));
    }
    return families;
}

// ---- what is on a token ----

toml::table library_facts(Module const& module) {
    toml::table library;
    CK_INFO info{};
    auto const get = module.functions().C_GetInfo;
    if (get == nullptr || !check(get(&info), "C_GetInfo")) return library;
    auto const dotted = [](CK_VERSION version) {
        return std::to_string(version.major) + '.' + std::to_string(version.minor);
    };
    library.insert("manufacturer", padded_text(info.manufacturerID));
    library.insert("description", padded_text(info.libraryDescription));
    library.insert("version", dotted(info.libraryVersion));
    library.insert("cryptoki", dotted(info.cryptokiVersion));
    return library;
}

/// In ascending order, as hexadecimal numbers: vendors have their own.
toml::array mechanisms(Module const& module, ipc::SlotId slot) {
    toml::array listed;
    auto const get = module.functions().C_GetMechanismList;
    CK_ULONG count = 0;
    if (get == nullptr || !check(get(slot.value(), nullptr, &count), "C_GetMechanismList")) return listed;
    std::vector<CK_MECHANISM_TYPE> types(std::min(count, most_mechanisms));
    count = types.size();
    if (types.empty() || !check(get(slot.value(), types.data(), &count), "C_GetMechanismList")) return listed;
    types.resize(std::min<std::size_t>(types.size(), count));
    std::ranges::sort(types);
    for (auto const type : types) {
        std::ostringstream hexadecimal;
        hexadecimal << std::hex << type;
        listed.push_back(hexadecimal.str());
    }
    return listed;
}

toml::table object_facts(Session const& session, ObjectHandle object, CK_OBJECT_CLASS object_class) {
    toml::table facts;
    auto const absent = CK_UNAVAILABLE_INFORMATION;
    facts.insert("class", number(object_class));
    facts.insert("private", session.number<CK_BBOOL>(object, CKA_PRIVATE, CK_FALSE) != CK_FALSE);
    facts.insert("id_octets", number(session.attribute(object, CKA_ID).size()));
    facts.insert("label_octets", number(session.attribute(object, CKA_LABEL).size()));
    if (auto const type = session.number<CK_KEY_TYPE>(object, CKA_KEY_TYPE, absent); type != absent)
        facts.insert("key_type", number(type));
    if (auto const bits = session.number<CK_ULONG>(object, CKA_MODULUS_BITS, absent); bits != absent)
        facts.insert("modulus_bits", number(bits));
    if (object_class == CKO_CERTIFICATE) facts.insert("der", to_hex(session.attribute(object, CKA_VALUE)));
    return facts;
}

/// Errors: those of a session.
Result<toml::array> objects(Module const& module, ipc::SlotId slot) {
    toml::array listed;
    auto const session = Session::open(module, slot);
    if (!session) return session.error();
    for (auto const object_class : {CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_DATA}) {
        auto const found = (*session)->find(object_class);
        if (!found) return found.error();
        for (auto const object : *found)
            listed.push_back(object_facts(**session, object, object_class));
    }
    return listed;
}

/// The numbers that ipc::TokenInfo has no place for.
void add_numbers(Module const& module, ipc::SlotId slot, toml::table& token) {
    CK_TOKEN_INFO info{};
    if (!check(module.functions().C_GetTokenInfo(slot.value(), &info), "C_GetTokenInfo")) return;
    token.insert("flags", number(info.flags));
    token.insert("min_pin", number(info.ulMinPinLen));
    token.insert("max_pin", number(info.ulMaxPinLen));
    std::array<std::pair<char const*, CK_ULONG>, 4> const memory{{{"public_total", info.ulTotalPublicMemory},
                                                                  {"public_free", info.ulFreePublicMemory},
                                                                  {"private_total", info.ulTotalPrivateMemory},
                                                                  {"private_free", info.ulFreePrivateMemory}}};
    for (auto const& [name, octets] : memory) {
        if (octets != CK_UNAVAILABLE_INFORMATION) token.insert(name, number(octets));
    }
}

toml::table token_facts(Module const& module, ipc::SlotId slot, ipc::TokenInfo const& info) {
    toml::table token;
    token.insert("reader", module.slot_description(slot));
    token.insert("family", info.family);
    token.insert("names", names_of(info.family_name));
    token.insert("unblocking", name_of(info.unblocking));
    token.insert("storage", info.storage);
    token.insert("label", info.label);
    token.insert("manufacturer", info.manufacturer);
    token.insert("model", info.model);
    token.insert("serial", info.serial);
    token.insert("pin_locked", info.pin_locked);
    token.insert("pin_final_try", info.pin_final_try);
    token.insert("pin_count_low", info.pin_count_low);
    token.insert("pin_initialized", info.pin_initialized);
    add_numbers(module, slot, token);
    token.insert("mechanisms", mechanisms(module, slot));
    if (auto listed = objects(module, slot))
        token.insert("objects", std::move(*listed));
    else
        add_fault(token, listed.error());
    return token;
}

Result<toml::array> tokens_facts(Module const& module) {
    toml::array tokens;
    auto const slots = module.slots();
    if (!slots) return slots.error();
    for (auto const slot : *slots) {
        if (auto const info = module.token_info(slot)) tokens.push_back(token_facts(module, slot, *info));
    }
    return tokens;
}

} // namespace

std::string facts_of_computer(Result<Modules> const& found) {
    toml::table facts;
    toml::array readers;
    facts.insert("card_service", card_service_facts(found ? &found->families : nullptr, readers));
    facts.insert("readers", std::move(readers));
    if (!found) {
        toml::table fault;
        add_fault(fault, found.error());
        facts.insert("fault", std::move(fault));
        return written(facts);
    }
    facts.insert("modules", modules_facts(*found));
    facts.insert("families", families_facts(*found));
    toml::array refused;
    for (auto const& error : found->refused)
        refused.push_back(error.detail);
    facts.insert("refused", std::move(refused));
    toml::array left_out;
    for (auto const& file : found->left_out)
        left_out.push_back(file.string());
    facts.insert("left_out", std::move(left_out));
    return written(facts);
}

namespace {

// ---- what the files say ----

struct Setting {
    std::string key;
    std::string value;
    std::string file; ///< empty: built in
};
using Settings = std::vector<Setting>;

Result<Settings> module_settings(ConfigFiles const& files) {
    auto const both = read_module_files(files.computer_modules, files.person_modules);
    if (!both) return both.error();
    auto const computers = read_module_files(files.computer_modules, {});
    if (!computers) return computers.error();
    Settings settings;
    auto const computer = files.computer_modules.string();
    auto const person = files.person_modules.string();
    for (std::size_t i = 0; i < both->modules.size(); ++i) // the computer's come first
        settings.push_back(
            {"modules.module", both->modules[i].path.string(), i < computers->modules.size() ? computer : person});
    settings.push_back({"modules.user_modules", both->user_modules.value_or(true) ? "true" : "false",
                        both->user_modules ? computer : ""});
    // The most that can be is what counts where nobody says less.
    auto const remembered = [&](std::string const& key, std::uint32_t seconds, std::uint32_t of_computer,
                                std::int64_t most) {
        auto const file = seconds == 60 * most ? std::string{} : seconds == of_computer ? computer : person;
        settings.push_back({"modules." + key, std::to_string(seconds / 60), file});
    };
    remembered("remember_minutes", both->remembering.lifetime_s(), computers->remembering.lifetime_s(),
               Remembering::most_minutes);
    remembered("remember_unused_minutes", both->remembering.unused_s(), computers->remembering.unused_s(),
               Remembering::most_unused_minutes);
    return settings;
}

/// The rows of every table in the order in which they count, and for each the driver that was found.
Result<Settings> family_settings(ConfigFiles const& files) {
    auto const found = find_modules(files);
    if (!found) return found.error();
    Settings settings;
    std::set<std::string> known;
    for (auto const& file : {files.person_families, files.computer_families, files.shipped_families}) {
        if (std::ranges::find(found->left_out, file) != found->left_out.end()) continue;
        auto const table = read_families({file});
        if (!table) return table.error();
        for (auto const& row : table->rows()) {
            auto const counts = known.insert(row.id).second;
            settings.push_back({counts ? "families.row" : "families.replaced_row", row.id, file.string()});
            auto const of_row = [&](Candidate const& each) {
                return each.family == row.id && each.passed_over.empty();
            };
            auto const taken = std::ranges::find_if(found->candidates, of_row);
            if (counts && taken != found->candidates.end() && taken->source != Source::modules_toml)
                settings.push_back({"families.module." + row.id, taken->path.string(), file.string()});
        }
    }
    for (auto const& file : found->left_out)
        settings.push_back({file == files.person_modules ? "modules.left_out" : "families.left_out",
                            "user_modules = false", file.string()});
    return settings;
}

} // namespace

std::string settings_of(ConfigFiles const& files) {
    auto settings = module_settings(files);
    auto const families = family_settings(files);
    if (!settings || !families) {
        toml::table fault;
        add_fault(fault, settings ? families.error() : settings.error());
        return written(toml::table{{"fault", std::move(fault)}});
    }
    settings->insert(settings->end(), families->begin(), families->end());
    toml::array listed;
    for (auto const& [key, value, file] : *settings)
        listed.push_back(toml::table{{"key", key}, {"value", value}, {"file", file}});
    return written(toml::table{{"settings", std::move(listed)}});
}

void look_into_readers(Readers& readers) {
    auto const context = CardContext::establish();
    if (!context) return;
    auto const names = (*context)->readers();
    if (!names) return;
    auto const states = look(**context, *names);
    if (!states) return;
    for (auto const& state : *states) {
        bool const present = (state.dwEventState & SCARD_STATE_PRESENT) != 0;
        readers.update({state.szReader, present, to_bytes(atr_of(state))});
    }
}

std::string facts_of_module(ModuleConfig const& config, Readers const& readers) {
    toml::table facts;
    auto const module = Module::load(config, readers);
    auto tokens = module ? tokens_facts(**module) : Result<toml::array>{module.error()};
    if (module) facts.insert("library", library_facts(**module));
    if (tokens)
        facts.insert("tokens", std::move(*tokens));
    else
        add_fault(facts, tokens.error());
    return written(facts);
}

} // namespace tamga::pkcs11

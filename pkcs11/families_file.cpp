#include "pkcs11/families_file.hpp"

#include "pkcs11/toml_file.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

constexpr std::int64_t most_pin_tries = 255;

struct Layer {
    std::vector<Family> rows;
    std::optional<std::vector<std::filesystem::path>> opensc_modules;
    std::optional<std::string> other_storage;
};

bool is_list(std::string_view key) {
    return key == "atrs" || key == "tokens" || key == "usb" || key == "modules" || key == "default_pins" ||
           key == "quirks";
}

bool is_text(std::string_view key) {
    return key == "id" || key == "storage" || key == "program" || key == "unblocking";
}

std::string family_key(std::string_view key) {
    return "family." + std::string{key};
}

/// Reads one file key by key; the first fault ends it.
class LayerReader {
public:
    explicit LayerReader(TomlFile const& file) : m_file{file} {}

    Result<Layer> read() {
        Layer layer;
        for (auto const& [key, node] : m_file.table()) {
            auto taken = top_level(layer, key.str(), node);
            if (!taken) return taken.error();
        }
        return layer;
    }

private:
    Result<void> top_level(Layer& layer, std::string_view key, toml::node const& node) {
        if (key == "other_storage") return take_other_storage(layer, node);
        if (key == "opensc") return take_opensc(layer, node);
        if (key != "family") return m_file.unknown_key(node, key, {"other_storage", "opensc", "family"});
        if (!node.is_array_of_tables()) return m_file.fault(node, key, "rows are needed: [[family]]");
        for (auto const& entry : *node.as_array()) {
            auto row = family(*entry.as_table());
            if (!row) return row.error();
            auto const known = std::any_of(layer.rows.begin(), layer.rows.end(),
                                           [&](auto const& other) { return other.id == row->id; });
            if (known) return m_file.fault(entry, "family.id", "a second row of this id");
            layer.rows.push_back(std::move(*row));
        }
        return ok();
    }

    Result<void> take_other_storage(Layer& layer, toml::node const& node) {
        auto const storage = m_file.text_of(node, "other_storage");
        if (!storage) return storage.error();
        if (!storage->empty() && !is_token_storage(*storage)) return unknown_storage(node, "other_storage");
        layer.other_storage = *storage;
        return ok();
    }

    Result<void> take_opensc(Layer& layer, toml::node const& node) {
        auto const* const table = node.as_table();
        if (table == nullptr) return m_file.fault(node, "opensc", "a table is needed");
        for (auto const& [key, member] : *table) {
            if (key != "modules") return m_file.unknown_key(member, "opensc." + std::string{key.str()}, {"modules"});
            auto const modules = paths(member, "opensc.modules");
            if (!modules) return modules.error();
            layer.opensc_modules = *modules;
        }
        return ok();
    }

    Result<Family> family(toml::table const& table) {
        Family row;
        for (auto const& [key, node] : table) {
            auto taken = member(row, key.str(), node);
            if (!taken) return taken.error();
        }
        if (row.id.empty() || row.id == other_family) return m_file.fault(table, "family.id", "a name is needed");
        if (row.storage.empty()) return m_file.fault(table, "family.storage", "missing");
        if (row.name.en.empty()) return m_file.fault(table, "family.name", "missing");
        return row;
    }

    /// The keys whose value is a text; the others are in `lists`.
    Result<void> member(Family& row, std::string_view key, toml::node const& node) {
        if (key == "name") return name(row, node);
        if (key == "opensc") return driver(row, node);
        if (key == "pin_tries") return pin_tries(row, node);
        if (is_list(key)) return lists(row, key, node);
        if (!is_text(key)) {
            return m_file.unknown_key(node, family_key(key),
                                      {"id", "storage", "name", "atrs", "tokens", "usb", "modules", "program", "opensc",
                                       "default_pins", "unblocking", "pin_tries", "quirks"});
        }
        auto const text = m_file.text_of(node, family_key(key));
        if (!text) return text.error();
        if (key == "id")
            row.id = *text;
        else if (key == "storage" && is_token_storage(*text))
            row.storage = *text;
        else if (key == "storage")
            return unknown_storage(node, "family.storage");
        else if (key == "program")
            row.program = *text;
        else
            return unblocking(row, node, *text);
        return ok();
    }

    Result<void> lists(Family& row, std::string_view key, toml::node const& node) {
        if (!node.is_array()) return m_file.fault(node, family_key(key), "a list is needed");
        if (key == "tokens") return tokens(row, node);
        if (key == "modules") {
            auto const modules = paths(node, "family.modules");
            if (!modules) return modules.error();
            row.modules = *modules;
            return ok();
        }
        auto const texts = m_file.texts_of(node, family_key(key));
        if (!texts) return texts.error();
        if (key == "atrs") return atrs(row, node, *texts);
        if (key == "usb") return usb(row, node, *texts);
        if (key == "quirks") return quirks(row, node, *texts);
        row.default_pins = *texts;
        return ok();
    }

    Result<void> name(Family& row, toml::node const& node) {
        auto const* const table = node.as_table();
        auto const in = [&](char const* language) {
            return table == nullptr ? std::string{} : (*table)[language].value_or(std::string{});
        };
        row.name = {in("kk"), in("ru"), in("en")};
        if (table == nullptr || table->size() != 3 || row.name.kk.empty() || row.name.ru.empty() ||
            row.name.en.empty()) {
            return m_file.fault(node, "family.name", "a text for each of kk, ru and en is needed");
        }
        return ok();
    }

    Result<void> driver(Family& row, toml::node const& node) {
        auto const* const table = node.as_table();
        if (table == nullptr) return m_file.fault(node, "family.opensc", "a table is needed");
        OpenScDriver driver;
        for (auto const& [key, value] : *table) {
            if (key == "driver") {
                auto const text = m_file.text_of(value, "family.opensc.driver");
                if (!text) return text.error();
                driver.driver = *text;
            } else if (key == "type") {
                auto const type = m_file.number_of(value, "family.opensc.type", 1, 1'000'000);
                if (!type) return type.error();
                driver.type = *type;
            } else {
                return m_file.unknown_key(value, "family.opensc." + std::string{key.str()}, {"driver", "type"});
            }
        }
        if (!is_word(driver.driver)) return m_file.fault(node, "family.opensc.driver", "a driver's name is needed");
        row.opensc = std::move(driver);
        return ok();
    }

    Result<void> pin_tries(Family& row, toml::node const& node) {
        auto const tries = m_file.number_of(node, "family.pin_tries", 1, most_pin_tries);
        if (!tries) return tries.error();
        row.pin_tries = static_cast<std::uint8_t>(*tries);
        return ok();
    }

    Result<void> unblocking(Family& row, toml::node const& node, std::string_view text) {
        for (std::size_t i = 0; i < enumerator_count(Unblocking{}); ++i) {
            row.unblocking = static_cast<Unblocking>(i);
            if (name_of(row.unblocking) == text) return ok();
        }
        return m_file.fault(node, "family.unblocking",
                            "not a way that is known: so_pin, administrator_password, puk, issuer, unknown");
    }

    Result<void> tokens(Family& row, toml::node const& node) {
        for (auto const& element : *node.as_array()) {
            auto const* const table = element.as_table();
            if (table == nullptr || table->empty()) {
                return m_file.fault(element, "family.tokens", "manufacturer, model or reader is needed");
            }
            TokenPattern pattern;
            for (auto const& [key, value] : *table) {
                auto const full_key = "family.tokens." + std::string{key.str()};
                auto const text = m_file.text_of(value, full_key);
                if (!text) return text.error();
                if (text->empty()) return m_file.fault(value, full_key, "empty: it would match everything");
                if (key == "manufacturer")
                    pattern.manufacturer = *text;
                else if (key == "model")
                    pattern.model = *text;
                else if (key == "reader")
                    pattern.reader = *text;
                else
                    return m_file.unknown_key(value, full_key, {"manufacturer", "model", "reader"});
            }
            row.tokens.push_back(std::move(pattern));
        }
        return ok();
    }

    Result<void> atrs(Family& row, toml::node const& node, std::vector<std::string> const& texts) {
        for (auto const& text : texts) {
            auto pattern = AtrPattern::parse(text);
            if (!pattern) return m_file.fault(node, "family.atrs", '"' + text + "\" is no ATR");
            row.atrs.push_back(std::move(*pattern));
        }
        return ok();
    }

    Result<void> usb(Family& row, toml::node const& node, std::vector<std::string> const& texts) {
        for (auto const& text : texts) {
            auto const digits = text.find_first_not_of("0123456789ABCDEF:") == text.npos;
            if (!digits || text.size() != 9 || text.find(':') != 4 || text.rfind(':') != 4) {
                return m_file.fault(node, "family.usb", '"' + text + "\" is not of the form 0529:0620");
            }
        }
        row.usb = texts;
        return ok();
    }

    Result<void> quirks(Family& row, toml::node const& node, std::vector<std::string> const& texts) {
        for (auto const& text : texts) {
            auto const allow = text.starts_with("allow_") ? permit_of(std::string_view{text}.substr(6)) : std::nullopt;
            if (text == "single_threaded")
                row.quirks.single_threaded = true;
            else if (allow && !row.quirks.allow)
                row.quirks.allow = allow;
            else
                return m_file.fault(node, "family.quirks", text + " is none that is known, or one too many");
        }
        return ok();
    }

    Result<std::vector<std::filesystem::path>> paths(toml::node const& node, std::string_view key) {
        auto const texts = m_file.texts_of(node, key);
        if (!texts) return texts.error();
        std::vector<std::filesystem::path> paths{texts->begin(), texts->end()};
        auto const absolute =
            std::all_of(paths.begin(), paths.end(), [](auto const& path) { return path.is_absolute(); });
        if (!absolute) return m_file.fault(node, key, "absolute paths are needed");
        return paths;
    }

    Error unknown_storage(toml::node const& node, std::string_view key) {
        return m_file.fault(node, key, "not a known storage name: " + token_storages());
    }

    /// The text stands in opensc.conf, so it must not be able to say more there.
    static bool is_word(std::string_view text) {
        return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == text.npos;
    }

    TomlFile const& m_file;
};

} // namespace

Result<Families> read_families(std::vector<std::filesystem::path> const& files) {
    Layer all;
    for (auto const& path : files) {
        auto const file = TomlFile::read(path);
        if (!file) return file.error();
        if (!*file) continue;
        auto layer = LayerReader{**file}.read();
        if (!layer) return layer.error();
        for (auto& row : layer->rows) {
            auto const known =
                std::any_of(all.rows.begin(), all.rows.end(), [&](auto const& other) { return other.id == row.id; });
            if (!known) all.rows.push_back(std::move(row));
        }
        if (!all.opensc_modules) all.opensc_modules = std::move(layer->opensc_modules);
        if (!all.other_storage) all.other_storage = std::move(layer->other_storage);
    }
    return Families{std::move(all.rows), std::move(all.opensc_modules).value_or(std::vector<std::filesystem::path>{}),
                    std::move(all.other_storage).value_or("")};
}

} // namespace tamga::pkcs11

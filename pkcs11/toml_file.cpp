#include "pkcs11/toml_file.hpp"

#include "base/trusted_file.hpp"

namespace tamga::pkcs11 {

namespace {

std::string at_line(std::filesystem::path const& path, std::uint32_t line) {
    return path.string() + ": line " + std::to_string(line) + ": ";
}

} // namespace

std::string listed(std::initializer_list<std::string_view> words) {
    std::string text;
    for (auto const word : words)
        text.append(text.empty() ? "" : ", ").append(word);
    return text;
}

Result<std::optional<TomlFile>> TomlFile::read(std::filesystem::path const& path) {
    std::error_code failure;
    // What cannot even be looked at (a folder without permission) is not the same as nothing there.
    if (!std::filesystem::exists(path, failure) && !failure) return std::optional<TomlFile>{};
    auto const text = read_trusted_file(path);
    if (!text) return text.error();
    auto parsed = toml::parse(*text);
    if (!parsed) {
        auto const& error = parsed.error();
        return Error{Errc::config_invalid, at_line(path, error.source().begin.line) + std::string{error.description()}};
    }
    return std::optional<TomlFile>{TomlFile{path, std::move(parsed).table()}};
}

Error TomlFile::fault(toml::node const& where, std::string_view key, std::string_view why) const {
    auto const line = where.source().begin.line;
    return {Errc::config_invalid, at_line(m_path, line) + std::string{key} + ": " + std::string{why}};
}

Error TomlFile::unknown_key(toml::node const& where, std::string_view key,
                            std::initializer_list<std::string_view> known) const {
    return fault(where, key, "unknown key; here may stand: " + listed(known));
}

Result<std::string> TomlFile::text_of(toml::node const& node, std::string_view key) const {
    auto value = node.value_exact<std::string>();
    if (!value) return fault(node, key, "text is needed");
    return std::move(*value);
}

Result<bool> TomlFile::flag_of(toml::node const& node, std::string_view key) const {
    auto const value = node.value_exact<bool>();
    if (!value) return fault(node, key, "true or false is needed");
    return *value;
}

Result<std::int64_t> TomlFile::number_of(toml::node const& node, std::string_view key, std::int64_t least,
                                         std::int64_t most) const {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
        return fault(node, key,
                     "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is needed");
    }
    return *value;
}

Result<std::vector<std::string>> TomlFile::texts_of(toml::node const& node, std::string_view key) const {
    if (!node.is_array()) return fault(node, key, "a list of texts is needed");
    std::vector<std::string> texts;
    for (auto const& element : *node.as_array()) {
        auto one = text_of(element, key);
        if (!one) return one.error();
        texts.push_back(std::move(*one));
    }
    return texts;
}

} // namespace tamga::pkcs11

// Reading a TOML file of ours: trusted, parsed, and every complaint names file, line and key.
#pragma once

#include "base/result.hpp"
#include "base/toml.hpp"

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::pkcs11 {

/// "one, two, three".
[[nodiscard]] std::string listed(std::initializer_list<std::string_view> words);

class TomlFile {
public:
    /// Nothing where the file does not exist. Blocking.
    /// Errors: file_untrusted (base/trusted_file.hpp), system, too_large, config_invalid with file and line.
    static Result<std::optional<TomlFile>> read(std::filesystem::path const& path);

    [[nodiscard]] toml::table const& table() const noexcept { return m_table; }

    /// config_invalid with "FILE: line N: KEY: WHY".
    [[nodiscard]] Error fault(toml::node const& where, std::string_view key, std::string_view why) const;

    /// The same for a key that nobody knows, with those that may stand there.
    [[nodiscard]] Error unknown_key(toml::node const& where, std::string_view key,
                                    std::initializer_list<std::string_view> known) const;

    /// The value of the type that is wanted, or a fault.
    [[nodiscard]] Result<std::string> text_of(toml::node const& node, std::string_view key) const;
    [[nodiscard]] Result<bool> flag_of(toml::node const& node, std::string_view key) const;
    [[nodiscard]] Result<std::int64_t> number_of(toml::node const& node, std::string_view key, std::int64_t least,
                                                 std::int64_t most) const;
    [[nodiscard]] Result<std::vector<std::string>> texts_of(toml::node const& node, std::string_view key) const;

private:
    TomlFile(std::filesystem::path path, toml::table table) : m_path{std::move(path)}, m_table{std::move(table)} {}

    std::filesystem::path m_path;
    toml::table m_table;
};

} // namespace tamga::pkcs11

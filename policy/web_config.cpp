#include "policy/web_config.hpp"

#include "base/toml.hpp"
#include "base/trusted_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

namespace tamga::policy {

namespace {

/// One file, as far as it speaks.
struct Layer {
    std::set<std::string> allow;
    std::set<std::string> deny;
    std::optional<bool> strict;
    std::optional<bool> development;
    std::optional<bool> user_origins;
    std::optional<std::uint64_t> frame_bytes;
    std::optional<std::uint64_t> buffered_bytes;
    std::optional<std::uint64_t> prompt_seconds;
    std::optional<HttpUrl> timestamp_url;
    std::optional<std::string> timestamp_policy;
    std::optional<std::uint64_t> timestamp_seconds;
    std::optional<bool> strict_certificates;
    std::optional<bool> user_authorities;
    std::optional<bool> strict_services;
    std::optional<bool> user_catalogues;
    std::optional<HttpUrl> ocsp_url;
    std::optional<std::vector<HttpUrl>> crl_urls;
    std::optional<HttpUrl> proxy;
    std::optional<std::uint64_t> journal_entries;
    std::optional<std::uint64_t> grant_days;
    std::optional<std::set<std::string>> key_origins;
    std::map<std::string, std::string> key_stores;
};

/// Reads one file key by key; the first fault stays.
class LayerReader {
public:
    explicit LayerReader(std::filesystem::path const& path) : m_path{path} {}

    Result<Layer> read(toml::table const& file) && {
        for (auto const& [key, value] : file) {
            auto const* table = value.as_table();
            auto const name = std::string{key.str()};
            auto const* known = std::ranges::find(tables, name, &Table::name);
            if (table == nullptr || known == std::end(tables)) return fault(name, "unknown");
            for (auto const& [member, node] : *table) {
                auto const member_name = std::string{member.str()};
                auto const taken = (this->*known->take)(member_name, node);
                if (!taken) return fault(name + '.' + member_name, taken.error().detail);
            }
        }
        return std::move(m_layer);
    }

private:
    static Result<void> flag(std::optional<bool>& target, toml::node const& node) {
        target = node.value_exact<bool>();
        return target ? ok() : Result<void>{Error{Errc::config_invalid, "true or false required"}};
    }

    static Result<void> number(std::optional<std::uint64_t>& target, toml::node const& node, std::int64_t least,
                               std::int64_t most) {
        auto const value = node.value_exact<std::int64_t>();
        if (!value || *value < least || *value > most) {
            return Error{Errc::config_invalid,
                         "a number from " + std::to_string(least) + " to " + std::to_string(most) + " required"};
        }
        target = static_cast<std::uint64_t>(*value);
        return ok();
    }

    static Result<void> hosts(std::set<std::string>& target, toml::node const& node) {
        Error const wrong{Errc::config_invalid,
                          "a list of exact hosts required, as \"egov.kz\" or \"esf.gov.kz:8443\""};
        auto const* array = node.as_array();
        if (array == nullptr) return wrong;
        for (auto const& element : *array) {
            auto const host = element.value_exact<std::string>();
            if (!host || !is_list_entry(*host)) return wrong;
            target.insert(*host);
        }
        return ok();
    }

    Result<void> take_origins(std::string const& key, toml::node const& node) {
        if (key == "allow") return hosts(m_layer.allow, node);
        if (key == "deny") return hosts(m_layer.deny, node);
        if (key == "strict") return flag(m_layer.strict, node);
        if (key == "development") return flag(m_layer.development, node);
        if (key == "user_origins") return flag(m_layer.user_origins, node);
        if (key == "grant_days") return number(m_layer.grant_days, node, 1, 3650);
        return Error{Errc::config_invalid, "unknown"};
    }

    Result<void> take_limits(std::string const& key, toml::node const& node) {
        constexpr std::int64_t mebibyte = 1 << 20;
        if (key == "frame_bytes") return number(m_layer.frame_bytes, node, mebibyte / 16, 1024 * mebibyte);
        if (key == "buffered_bytes") return number(m_layer.buffered_bytes, node, mebibyte, 4096 * mebibyte);
        if (key == "prompt_seconds") return number(m_layer.prompt_seconds, node, 10, 600);
        return Error{Errc::config_invalid, "unknown"};
    }

    static Result<void> address(std::optional<HttpUrl>& target, toml::node const& node) {
        auto url = parse_http_url(node.value_exact<std::string>().value_or(""));
        if (!url) return url.error();
        target = std::move(*url);
        return ok();
    }

    static Result<void> addresses(std::optional<std::vector<HttpUrl>>& target, toml::node const& node) {
        constexpr std::size_t most = 32;
        auto const* array = node.as_array();
        if (array == nullptr || array->size() > most)
            return Error{Errc::config_invalid, "a list of addresses required"};
        target.emplace();
        for (auto const& element : *array) {
            std::optional<HttpUrl> url;
            if (auto taken = address(url, element); !taken) return taken.error();
            target->push_back(std::move(*url));
        }
        return ok();
    }

    static Result<void> identifier(std::optional<std::string>& target, toml::node const& node) {
        target = node.value_exact<std::string>();
        auto const is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
        bool const is_dotted = target && target->size() <= 100 && std::ranges::all_of(*target, is_part) &&
                               target->find("..") == std::string::npos && !target->starts_with('.') &&
                               !target->ends_with('.') && (target->empty() || target->find('.') != std::string::npos);
        return is_dotted ? ok()
                         : Result<void>{Error{Errc::config_invalid, "an object identifier as \"1.2.3\" required"}};
    }

    Result<void> take_timestamp(std::string const& key, toml::node const& node) {
        if (key == "url") return address(m_layer.timestamp_url, node);
        if (key == "policy") return identifier(m_layer.timestamp_policy, node);
        if (key == "seconds") return number(m_layer.timestamp_seconds, node, 1, 120);
        return Error{Errc::config_invalid, "unknown"};
    }

    Result<void> take_certificates(std::string const& key, toml::node const& node) {
        if (key == "strict") return flag(m_layer.strict_certificates, node);
        if (key == "user_authorities") return flag(m_layer.user_authorities, node);
        if (key == "ocsp") return address(m_layer.ocsp_url, node);
        if (key == "crls") return addresses(m_layer.crl_urls, node);
        return Error{Errc::config_invalid, "unknown"};
    }

    Result<void> take_services(std::string const& key, toml::node const& node) {
        if (key == "strict") return flag(m_layer.strict_services, node);
        if (key == "user_catalogues") return flag(m_layer.user_catalogues, node);
        return Error{Errc::config_invalid, "unknown"};
    }

    Result<void> take_journal(std::string const& key, toml::node const& node) {
        if (key == "entries") return number(m_layer.journal_entries, node, 0, 1'000'000);
        return Error{Errc::config_invalid, "unknown"};
    }

    Result<void> take_keys(std::string const& key, toml::node const& node) {
        if (key == "allow") {
            m_layer.key_origins.emplace();
            return hosts(*m_layer.key_origins, node);
        }
        if (key == "stores") return stores(node);
        return Error{Errc::config_invalid, "unknown"};
    }

    Result<void> stores(toml::node const& node) {
        auto const* table = node.as_table();
        if (table == nullptr) return Error{Errc::config_invalid, "a table of storages and identifiers required"};
        for (auto const& [storage, value] : *table) {
            std::optional<std::string> dotted;
            if (auto taken = identifier(dotted, value); !taken) return taken;
            m_layer.key_stores[std::string{storage.str()}] = std::move(*dotted);
        }
        return ok();
    }

    Result<void> take_network(std::string const& key, toml::node const& node) {
        if (key == "proxy") return address(m_layer.proxy, node);
        return Error{Errc::config_invalid, "unknown"};
    }

    struct Table {
        std::string_view name;
        Result<void> (LayerReader::*take)(std::string const&, toml::node const&);
    };
    static const Table tables[8];

    [[nodiscard]] Error fault(std::string const& key, std::string const& what) const {
        return {Errc::config_invalid, m_path.string() + ": " + key + ": " + what};
    }

    std::filesystem::path const& m_path;
    Layer m_layer;
};

LayerReader::Table const LayerReader::tables[8] = {
    {"origins", &LayerReader::take_origins},     {"limits", &LayerReader::take_limits},
    {"timestamp", &LayerReader::take_timestamp}, {"certificates", &LayerReader::take_certificates},
    {"services", &LayerReader::take_services},   {"network", &LayerReader::take_network},
    {"journal", &LayerReader::take_journal},     {"keys", &LayerReader::take_keys}};

Result<Layer> read_layer(std::filesystem::path const& path) {
    std::error_code failure;
    if (path.empty() || !std::filesystem::exists(path, failure)) {
        // What cannot even be looked at (a folder without permission) is not the same as nothing there.
        if (failure) return Error{Errc::system, path.string() + ": " + failure.message()};
        return Layer{};
    }
    auto const text = read_trusted_file(path);
    if (!text) return text.error();
    auto const parsed = toml::parse(*text);
    if (!parsed) {
        auto const line = std::to_string(parsed.error().source().begin.line);
        return Error{Errc::config_invalid,
                     path.string() + ": line " + line + ": " + std::string{parsed.error().description()}};
    }
    return LayerReader{path}.read(parsed.table());
}

std::uint64_t smaller(std::optional<std::uint64_t> computer, std::optional<std::uint64_t> person,
                      std::uint64_t otherwise) {
    if (computer && person) return std::min(*computer, *person);
    return person.value_or(computer.value_or(otherwise));
}

/// The computer's word, else the person's, else what `into` holds already.
template <class T, class U>
void settle(T& into, std::optional<U> const& computer, std::optional<U> const& person) {
    if (computer)
        into = *computer;
    else if (person)
        into = *person;
}

void merge_services(WebConfig& config, Layer const& computer, Layer const& person) {
    settle(config.timestamp_url, computer.timestamp_url, person.timestamp_url);
    settle(config.timestamp_policy, computer.timestamp_policy, person.timestamp_policy);
    config.timestamp_seconds = static_cast<std::uint32_t>(
        smaller(computer.timestamp_seconds, person.timestamp_seconds, config.timestamp_seconds));
    config.strict_certificates =
        computer.strict_certificates.value_or(false) || person.strict_certificates.value_or(false);
    config.user_authorities = computer.user_authorities.value_or(true);
    config.strict_services = computer.strict_services.value_or(false) || person.strict_services.value_or(false);
    config.user_catalogues = computer.user_catalogues.value_or(true);
    settle(config.ocsp_url, computer.ocsp_url, person.ocsp_url);
    settle(config.crl_urls, computer.crl_urls, person.crl_urls);
    settle(config.proxy, computer.proxy, person.proxy);
}

WebConfig merged(Layer const& shipped, Layer const& computer, Layer const& person) {
    WebConfig config;
    auto& rules = config.origins;
    rules.allow = shipped.allow;
    rules.allow.insert(computer.allow.begin(), computer.allow.end());
    if (computer.user_origins.value_or(true)) rules.allow.insert(person.allow.begin(), person.allow.end());
    rules.deny = computer.deny;
    rules.deny.insert(person.deny.begin(), person.deny.end());
    rules.strict = computer.strict.value_or(false) || person.strict.value_or(false);
    rules.development = computer.development.value_or(person.development.value_or(false));
    config.frame_bytes = smaller(computer.frame_bytes, person.frame_bytes, config.frame_bytes);
    config.buffered_bytes = smaller(computer.buffered_bytes, person.buffered_bytes, config.buffered_bytes);
    config.prompt_seconds =
        static_cast<std::uint32_t>(smaller(computer.prompt_seconds, person.prompt_seconds, config.prompt_seconds));
    config.grant_days = static_cast<std::int64_t>(
        smaller(computer.grant_days, person.grant_days, static_cast<std::uint64_t>(config.grant_days)));
    if (auto const entries = computer.journal_entries ? computer.journal_entries : person.journal_entries)
        config.journal_entries = static_cast<std::int64_t>(*entries);
    config.key_origins = computer.key_origins.value_or(std::set<std::string>{});
    config.key_stores = computer.key_stores;
    config.key_stores.insert(person.key_stores.begin(), person.key_stores.end());
    merge_services(config, computer, person);
    return config;
}

bool is_of_root(std::filesystem::path const& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && info.st_uid == 0;
}

std::filesystem::path person_file() {
    if (char const* folder = std::getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder == '/') {
        return std::filesystem::path{folder} / "tamga/tamga.toml";
    }
    char const* home = std::getenv("HOME");
    return home == nullptr || *home != '/' ? std::filesystem::path{}
                                           : std::filesystem::path{home} / ".config/tamga/tamga.toml";
}

} // namespace

ConfigFiles config_files() {
    return {TAMGA_SHIPPED_ORIGINS, "/etc/tamga/tamga.toml", person_file()};
}

Result<WebConfig> load_web_config(ConfigFiles const& files) {
    auto const shipped = read_layer(files.shipped);
    if (!shipped) return shipped.error();
    auto const computer = read_layer(files.computer);
    if (!computer) return computer.error();
    auto const person = read_layer(files.person);
    if (!person) return person.error();
    auto const names_sites = person->key_origins ? std::optional{true} : std::nullopt;
    for (auto const& [said, key] :
         {std::pair{names_sites, "keys.allow"}, std::pair{person->user_origins, "origins.user_origins"},
          std::pair{person->user_authorities, "certificates.user_authorities"},
          std::pair{person->user_catalogues, "services.user_catalogues"}}) {
        if (!said) continue;
        return Error{Errc::config_invalid,
                     files.person.string() + ": " + key + ": belongs into " + files.computer.string()};
    }
    if (computer->key_origins && !is_of_root(files.computer)) {
        return Error{Errc::file_untrusted,
                     files.computer.string() + ": keys.allow counts in a file that belongs to root alone"};
    }
    auto config = merged(*shipped, *computer, *person);
    if (config.buffered_bytes < config.frame_bytes) {
        return Error{Errc::config_invalid,
                     "limits.buffered_bytes is smaller than limits.frame_bytes: no large frame could arrive"};
    }
    return config;
}

} // namespace tamga::policy

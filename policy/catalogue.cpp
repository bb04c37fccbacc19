#include "policy/catalogue.hpp"

#include "base/toml.hpp"
#include "base/utf8.hpp"
#include "policy/origin.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

namespace tamga::policy {

namespace {

constexpr std::size_t most_services = 5000;
constexpr std::size_t most_elements = 64;
constexpr std::size_t most_characters = 200;
constexpr std::int64_t most_minutes = 10'000'000;
constexpr std::int64_t format = 1;
constexpr std::int64_t seconds_a_day = 86'400;

bool is_dotted(std::string_view text) {
    auto const is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
    return text.size() <= 64 && std::ranges::all_of(text, is_part) && text.find('.') != std::string_view::npos &&
           text.find("..") == std::string_view::npos && text.front() != '.' && text.back() != '.';
}

/// Nothing that is unseen, turns the words around it, or is no character; nor a backslash, which only a string
/// without escapes could hold here (in_ascii).
bool is_plain(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        auto const character = first_character(text);
        if (!character.valid || is_deceptive(character.code) || character.code == '\\' || ++count > most_characters)
            return false;
        text.remove_prefix(character.size);
    }
    return true;
}

/// The same text with an escape for each character outside ASCII, which means the same inside "..." and nothing
/// anywhere else. toml++ 3.3 has undefined behaviour for such characters between strings (Cyrillic ones among them),
/// and this text is a stranger's. Nothing where it is no UTF-8.
std::optional<std::string> in_ascii(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string ascii;
    ascii.reserve(text.size());
    while (!text.empty()) {
        auto const character = first_character(text);
        if (!character.valid) return std::nullopt;
        if (character.code < 0x80) {
            ascii += text.front();
        } else {
            ascii += "\\U";
            for (int shift = 28; shift >= 0; shift -= 4)
                ascii += digits[character.code >> shift & 15];
        }
        text.remove_prefix(character.size);
    }
    return ascii;
}

/// A table, taken member by member. The first fault stays, and what follows it is of no use; `finish` finds what
/// nobody took.
class Members {
public:
    Members(toml::table const& table, std::string where, std::optional<Error>& fault)
        : m_table{table}, m_where{std::move(where)}, m_fault{fault} {}

    std::string text(std::string_view key) {
        auto const* node = take(key);
        auto value = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
        if (!value || value->empty() || !is_plain(*value))
            complain(key, node, "a text of 1 to 200 visible characters without '\\' required");
        return value.value_or("");
    }
    std::string name(std::string_view key) {
        auto value = text(key);
        if (!is_name(value)) complain(key, m_table.get(key), "a to z, 0 to 9 and '-' required, at most 64");
        return value;
    }
    Names names(std::string_view key) {
        Names names;
        if (auto languages = table(key)) {
            names = {languages->text("kk"), languages->text("ru"), languages->text("en")};
            languages->finish();
        }
        return names;
    }
    bool flag(std::string_view key) {
        auto const* node = take(key);
        auto const value = node != nullptr ? node->value_exact<bool>() : std::nullopt;
        if (value) return *value;
        complain(key, node, "true or false required");
        return false;
    }
    bool optional_flag(std::string_view key) { return has(key) && flag(key); }
    std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most) {
        auto const* node = take(key);
        auto const value = node != nullptr ? node->value_exact<std::int64_t>() : std::nullopt;
        if (value && *value >= least && *value <= most) return *value;
        complain(key, node, "a number from " + std::to_string(least) + " to " + std::to_string(most) + " required");
        return 0;
    }
    /// Its first second, since 1970.
    std::int64_t day(std::string_view key) {
        auto const* node = take(key);
        auto const value = node != nullptr ? node->value_exact<toml::date>() : std::nullopt;
        std::chrono::year_month_day const day{std::chrono::year{value ? value->year : 0},
                                              std::chrono::month{value ? value->month : 0U},
                                              std::chrono::day{value ? value->day : 0U}};
        if (value && day.ok()) return std::chrono::sys_days{day}.time_since_epoch().count() * seconds_a_day;
        complain(key, node, "a day as 2026-11-23 required");
        return 0;
    }
    std::vector<std::string> list(std::string_view key) {
        auto const* node = take(key);
        auto const* array = node != nullptr ? node->as_array() : nullptr;
        std::vector<std::string> values;
        if (array != nullptr && array->size() <= most_elements) {
            for (auto const& element : *array)
                values.push_back(element.value_exact<std::string>().value_or(""));
        }
        if (values.empty()) complain(key, node, "a list of 1 to 64 texts required");
        return values;
    }
    std::optional<Members> table(std::string_view key) {
        auto const* node = take(key);
        if (node != nullptr && node->is_table()) return Members{*node->as_table(), m_where + key_text(key), m_fault};
        complain(key, node, "a table required");
        return std::nullopt;
    }

    [[nodiscard]] bool has(std::string_view key) const { return m_table.contains(key); }
    void complain(std::string_view key, toml::node const* node, std::string const& what) {
        if (m_fault) return;
        auto const& source = node != nullptr ? node->source() : m_table.source();
        m_fault = Error{Errc::config_invalid,
                        "line " + std::to_string(source.begin.line) + ": " + m_where + std::string{key} + ": " + what};
    }
    void finish() {
        for (auto const& [key, node] : m_table) {
            if (std::ranges::find(m_taken, key.str()) == m_taken.end()) complain(key.str(), &node, "unknown");
        }
    }
    toml::node const* take(std::string_view key) {
        m_taken.emplace_back(key);
        return m_table.get(key);
    }

private:
    static std::string key_text(std::string_view key) { return std::string{key} + '.'; }

    toml::table const& m_table;
    std::string m_where;
    std::optional<Error>& m_fault;
    std::vector<std::string> m_taken;
};

class Reader {
public:
    Result<Catalogue> read(toml::table const& file) {
        Members top{file, {}, m_fault};
        top.number("format", format, format);
        if (auto head = top.table("catalogue")) take_head(*head);
        take_services(top);
        top.finish();
        if (m_fault) return *m_fault;
        return std::move(m_catalogue);
    }

private:
    void take_head(Members& head) {
        m_catalogue.body = head.name("body");
        m_catalogue.id = m_catalogue.body + '/' + head.name("name");
        m_catalogue.version =
            static_cast<std::uint64_t>(head.number("version", 1, std::numeric_limits<std::int64_t>::max()));
        m_catalogue.valid_from = head.day("valid_from");
        m_catalogue.valid_until = head.day("valid_until") + seconds_a_day - 1;
        if (m_catalogue.valid_until < m_catalogue.valid_from)
            head.complain("valid_until", nullptr, "before valid_from");
        // What the body counted by other rules cannot be repeated here.
        if (head.text("edition") != rules_edition)
            head.complain("edition", nullptr, "only \"" + std::string{rules_edition} + "\" is known");
        if (head.has("note")) m_catalogue.note = head.text("note");
        head.finish();
    }

    void take_services(Members& top) {
        auto const* node = top.take("service");
        auto const* rows = node != nullptr ? node->as_array() : nullptr;
        if (rows == nullptr || !rows->is_array_of_tables() || rows->size() > most_services)
            return top.complain("service", node, "1 to 5000 tables required");
        std::set<std::string> ids;
        for (auto const& row : *rows) {
            Members members{*row.as_table(), "service.", m_fault};
            auto service = take_service(members);
            members.finish();
            if (!ids.insert(service.id).second) members.complain("id", nullptr, "a second service of this name");
            if (m_fault) return;
            m_catalogue.services.push_back(std::move(service));
        }
    }

    Service take_service(Members& row) {
        Service service;
        service.id = m_catalogue.body + '/' + row.name("id");
        service.name = row.names("name");
        service.provider = row.names("provider");
        service.recipients = recipients(row);
        service.criteria = criteria(row);
        service.flags = {row.optional_flag("permit"), row.optional_flag("composite")};
        service.channel = channel(row);
        service.classified_on = day_text(row.day("classified_on"));
        for (auto& host : row.list("origins")) {
            if (!is_list_entry(host)) row.complain("origins", nullptr, "exact hosts required, as in tamga.toml");
            service.origins.insert(std::move(host));
        }
        service.roles = roles(row, service.recipients);
        return service;
    }

    static Recipients recipients(Members& row) {
        Recipients recipients;
        for (auto const& word : row.list("recipients")) {
            if (word != "people" && word != "organisations")
                row.complain("recipients", nullptr, "\"people\", \"organisations\" or both required");
            recipients.people |= word == "people";
            recipients.organisations |= word == "organisations";
        }
        return recipients;
    }

    static Criteria criteria(Members& row) {
        Criteria criteria;
        if (auto members = row.table("criteria")) {
            criteria.risk = members->flag("risk");
            criteria.changes_database = members->flag("changes_database");
            criteria.minutes = static_cast<std::uint32_t>(members->number("minutes", 0, most_minutes));
            criteria.paid = members->flag("paid");
            members->finish();
        }
        return criteria;
    }

    static Channel channel(Members& row) {
        auto const word = row.text("channel");
        auto const* known = std::ranges::find_if(channels, [&](Channel each) { return name_of(each) == word; });
        if (known != std::end(channels)) return *known;
        row.complain("channel", nullptr, "\"portal\", \"mobile_application\", \"instant_message\" or \"sms\" required");
        return Channel::portal;
    }

    /// What is for organisations alone is asked for by somebody whose certificate names one.
    static std::vector<std::string> roles(Members& row, Recipients recipients) {
        std::vector<std::string> words;
        if (row.has("roles"))
            words = row.list("roles");
        else if (!recipients.people)
            words = {"organisation"};
        std::vector<std::string> oids;
        for (auto const& word : words) {
            auto const* known = std::ranges::find(known_roles, word, &Role::name);
            if (known == std::end(known_roles) && (word.empty() || !is_dotted(word)))
                row.complain("roles", nullptr, "a known role or an object identifier as \"1.2.3\" required");
            oids.emplace_back(known == std::end(known_roles) ? word : known->oid);
        }
        return oids;
    }

    static std::string day_text(std::int64_t seconds) {
        std::chrono::year_month_day const day{std::chrono::sys_days{std::chrono::days{seconds / seconds_a_day}}};
        auto const two = [](unsigned number) { return (number < 10 ? "-0" : "-") + std::to_string(number); };
        return std::to_string(static_cast<int>(day.year())) + two(static_cast<unsigned>(day.month())) +
               two(static_cast<unsigned>(day.day()));
    }

    std::optional<Error> m_fault;
    Catalogue m_catalogue;
};

} // namespace

bool is_name(std::string_view text) noexcept {
    auto const is_part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, is_part);
}

Result<Catalogue> parse_catalogue(std::string_view toml) {
    auto const ascii = in_ascii(toml);
    if (!ascii) return Error{Errc::config_invalid, "line 1: no UTF-8"};
    auto const parsed = toml::parse(*ascii);
    if (!parsed) {
        auto const line = std::to_string(parsed.error().source().begin.line);
        return Error{Errc::config_invalid, "line " + line + ": " + std::string{parsed.error().description()}};
    }
    return Reader{}.read(parsed.table());
}

} // namespace tamga::policy

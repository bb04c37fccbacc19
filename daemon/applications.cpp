#include "daemon/applications.hpp"

#include "base/base64.hpp"
#include "base/date.hpp"
#include "base/toml.hpp"
#include "base/trusted_file.hpp"
#include "policy/state_file.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <sstream>

namespace tamga::daemon {

namespace {

constexpr std::string_view ending = ".toml";
/// Last in every file: TOML that was cut off may well be TOML.
constexpr std::string_view last_line = "# the end\n";
constexpr std::size_t longest_number = 32;
constexpr std::size_t most_keys = 8;

constexpr std::array states{
    std::pair{ApplicationState::begun, std::string_view{"begun"}},
    std::pair{ApplicationState::keys_generated, std::string_view{"keys_generated"}},
    std::pair{ApplicationState::request_built, std::string_view{"request_built"}},
    std::pair{ApplicationState::signed_, std::string_view{"signed"}},
    std::pair{ApplicationState::submitted, std::string_view{"submitted"}},
    std::pair{ApplicationState::issued, std::string_view{"issued"}},
    std::pair{ApplicationState::installed, std::string_view{"installed"}},
};
constexpr std::array uses{
    std::pair{KeyUse::authentication, std::string_view{"authentication"}},
    std::pair{KeyUse::signature, std::string_view{"signature"}},
    std::pair{KeyUse::both, std::string_view{"both"}},
};

template <class Words>
auto value_of(Words const& words, std::string_view word) {
    auto const found = std::ranges::find(words, word, [](auto const& each) { return each.second; });
    return found == words.end() ? std::nullopt : std::optional{found->first};
}

/// It becomes the name of a file: nothing but capital letters, digits and hyphens inside.
bool is_number(std::string_view text) {
    auto const fits = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= longest_number && text.front() != '-' && std::ranges::all_of(text, fits);
}

/// Reads members one after the other; the first that is missing or wrong is remembered.
class Reader {
public:
    explicit Reader(toml::table const& table) : m_table{table} {}

    std::string text(std::string_view name) {
        auto const value = m_table[name].value_exact<std::string>();
        if (!value) fault(name);
        return value.value_or("");
    }
    std::string text_or_nothing(std::string_view name) { return m_table.contains(name) ? text(name) : std::string{}; }
    std::int64_t time(std::string_view name) {
        auto const value = m_table[name].value_exact<std::int64_t>();
        if (!value || *value < 0) fault(name);
        return value.value_or(0);
    }
    /// Base64; empty where it is absent.
    Bytes octets(std::string_view name) {
        auto read = from_base64(text_or_nothing(name));
        if (!read) fault(name);
        return read ? std::move(*read) : Bytes{};
    }
    template <class Words>
    auto word(std::string_view name, Words const& words) {
        auto const value = value_of(words, text(name));
        if (!value) fault(name);
        return value.value_or(words.front().first);
    }
    void fault(std::string_view name) {
        if (m_fault.empty()) m_fault = name;
    }
    [[nodiscard]] std::string const& first_fault() const noexcept { return m_fault; }

private:
    toml::table const& m_table;
    std::string m_fault;
};

std::optional<signing::KeyAlgorithm> algorithm_called(std::string_view name) {
    auto const all = signing::algorithms();
    auto const found = std::ranges::find(all, name, &signing::Algorithm::name);
    return found == all.end() ? std::nullopt : std::optional{found->key};
}

ApplicationKey key_of(Reader& reader) {
    ApplicationKey key;
    key.use = reader.word("use", uses);
    auto const algorithm = algorithm_called(reader.text("algorithm"));
    if (!algorithm) reader.fault("algorithm");
    key.algorithm = algorithm.value_or(signing::KeyAlgorithm::rsa);
    key.present = reader.octets("present");
    key.id = reader.octets("id");
    key.public_key = reader.octets("public_key");
    key.request = reader.octets("request");
    key.certificate = reader.octets("certificate");
    return key;
}

/// Whether every pair has what its state says.
bool is_consistent(Application const& application) {
    auto const every = [&](auto member) {
        return std::ranges::none_of(application.keys, [&](auto const& key) { return (key.*member).empty(); });
    };
    auto const has_come_to = [&](ApplicationState state) { return application.state >= state; };
    if (application.keys.empty() || application.keys.size() > most_keys) return false;
    if (has_come_to(ApplicationState::keys_generated) &&
        !(every(&ApplicationKey::public_key) && every(&ApplicationKey::id)))
        return false;
    if (has_come_to(ApplicationState::request_built) && !every(&ApplicationKey::request)) return false;
    if (has_come_to(ApplicationState::signed_) && application.signed_application.empty()) return false;
    return !has_come_to(ApplicationState::issued) || every(&ApplicationKey::certificate);
}

Result<Application> application_of(toml::table const& file) {
    Reader reader{file};
    Application application;
    application.number = reader.text("number");
    application.portal_number = reader.text_or_nothing("portal_number");
    application.state = reader.word("state", states);
    application.created = reader.time("created");
    application.changed = reader.time("changed");
    application.email = reader.text_or_nothing("email");
    application.signed_application = reader.octets("signed_application");
    if (!reader.first_fault().empty()) return Error{Errc::application_damaged, reader.first_fault()};

    auto const* token = file["token"].as_table();
    auto const* keys = file["key"].as_array();
    if (token == nullptr || keys == nullptr) return Error{Errc::application_damaged, "token or key is missing"};
    Reader token_reader{*token};
    application.token = {token_reader.text("storage"), token_reader.text("family"), token_reader.text("label"),
                         token_reader.text("serial")};
    if (!token_reader.first_fault().empty())
        return Error{Errc::application_damaged, "token." + token_reader.first_fault()};
    for (auto const& each : *keys) {
        if (!each.is_table()) return Error{Errc::application_damaged, "key"};
        Reader key_reader{*each.as_table()};
        application.keys.push_back(key_of(key_reader));
        if (!key_reader.first_fault().empty())
            return Error{Errc::application_damaged, "key." + key_reader.first_fault()};
    }
    if (!is_consistent(application)) return Error{Errc::application_damaged, "state: something it needs is missing"};
    return application;
}

void put(toml::table& table, std::string_view name, View octets) {
    if (!octets.empty()) table.insert(name, to_base64(octets));
}

toml::table table_of(ApplicationKey const& key) {
    toml::table table{{"use", name_of(key.use)}, {"algorithm", signing::algorithm(key.algorithm).name}};
    put(table, "present", key.present);
    put(table, "id", key.id);
    put(table, "public_key", key.public_key);
    put(table, "request", key.request);
    put(table, "certificate", key.certificate);
    return table;
}

toml::table table_of(Application const& application) {
    toml::table file{{"number", application.number},
                     {"state", name_of(application.state)},
                     {"created", application.created},
                     {"changed", application.changed}};
    if (!application.portal_number.empty()) file.insert("portal_number", application.portal_number);
    if (!application.email.empty()) file.insert("email", application.email);
    put(file, "signed_application", application.signed_application);
    auto const& token = application.token;
    file.insert("token", toml::table{{"storage", token.storage},
                                     {"family", token.family},
                                     {"label", token.label},
                                     {"serial", token.serial}});
    toml::array keys;
    for (auto const& key : application.keys)
        keys.push_back(table_of(key));
    file.insert("key", std::move(keys));
    return file;
}

} // namespace

std::string_view name_of(ApplicationState state) noexcept {
    return states[static_cast<std::size_t>(state)].second;
}

std::string_view name_of(KeyUse use) noexcept {
    return uses[static_cast<std::size_t>(use)].second;
}

std::filesystem::path Applications::default_folder() {
    auto const folder = policy::state_folder();
    return folder.empty() ? folder : folder / "applications";
}

std::filesystem::path Applications::file_of(std::string_view number) const {
    return m_folder / (std::string{number} + std::string{ending});
}

std::string Applications::new_number(std::int64_t now) const {
    static constexpr std::string_view letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    auto const begin = format_utc(now, "%Y%m%d-");
    while (true) {
        auto number = begin;
        std::array<unsigned char, 6> drawn{};
        if (::getrandom(drawn.data(), drawn.size(), 0) != static_cast<::ssize_t>(drawn.size())) continue;
        for (auto const octet : drawn)
            number += letters[octet % letters.size()];
        std::error_code failure;
        if (!std::filesystem::exists(file_of(number), failure)) return number;
    }
}

Result<void> Applications::save(Application const& application) const {
    if (m_folder.empty()) return Error{Errc::system, "no home folder to keep applications in"};
    if (!is_number(application.number)) return Error{Errc::internal, "number of the application"};
    for (auto const& folder : {m_folder.parent_path(), m_folder}) {
        if (auto made = policy::make_private_folder(folder); !made) return made;
    }
    auto const lock = policy::lock_folder(m_folder);
    if (!lock) return lock.error();
    std::ostringstream text;
    text << "# An application for new certificates, written by tamga. No key and no PIN is in it.\n"
         << table_of(application) << '\n'
         << last_line;
    return policy::replace_file(file_of(application.number), text.str());
}

Result<Application> Applications::load(std::string_view number) const {
    if (m_folder.empty() || !is_number(number)) return Errc::application_unknown;
    auto const path = file_of(number);
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return Errc::application_unknown;
    auto const text = read_trusted_file(path);
    if (!text) return text.error();
    if (!text->ends_with(last_line)) return Error{Errc::application_damaged, path.string() + ": its end is missing"};
    auto const parsed = toml::parse(*text);
    if (!parsed) {
        auto const line = std::to_string(parsed.error().source().begin.line);
        return Error{Errc::application_damaged, path.string() + ": line " + line};
    }
    auto application = application_of(parsed.table());
    if (application && application->number != number) application = Error{Errc::application_damaged, "number"};
    if (!application && application.error().code == Errc::application_damaged)
        return Error{Errc::application_damaged, path.string() + ": " + application.error().detail};
    return application;
}

Result<void> Applications::forget(std::string_view number) const {
    if (m_folder.empty() || !is_number(number)) return Errc::application_unknown;
    if (::unlink(file_of(number).c_str()) == 0) return ok();
    return errno == ENOENT ? Result<void>{Errc::application_unknown} : system_error("application", errno);
}

Applications::Listing Applications::list() const {
    Listing listing;
    std::error_code failure;
    for (auto const& entry : std::filesystem::directory_iterator{m_folder, failure}) {
        auto const name = entry.path().filename().string();
        if (!name.ends_with(ending)) continue;
        auto const number = name.substr(0, name.size() - ending.size());
        auto application = load(number);
        if (application)
            listing.applications.push_back(std::move(*application));
        else
            listing.unreadable.push_back({number, application.error()});
    }
    auto const later = [](Application const& one, Application const& other) {
        return std::pair{other.created, other.number} < std::pair{one.created, one.number};
    };
    std::ranges::sort(listing.applications, later);
    std::ranges::sort(listing.unreadable, {}, &Unreadable::number);
    return listing;
}

Result<Application> Applications::waiting_for(signing::PublicKey const& key) const {
    for (auto& application : list().applications) {
        if (key_for(application, key) != nullptr) return std::move(application);
    }
    return Errc::application_unknown;
}

ApplicationKey* key_for(Application& application, signing::PublicKey const& key) {
    auto const found = std::ranges::find(application.keys, key.der, &ApplicationKey::public_key);
    return found == application.keys.end() ? nullptr : &*found;
}

} // namespace tamga::daemon

#include "base/date.hpp"
#include "base/explain.hpp"
#include "base/trusted_file.hpp"
#include "base/unblocking.hpp"
#include "cli/doctor/checks.hpp"
#include "signing/certificate.hpp"
#include "signing/digest.hpp"
#include "signing/judge.hpp"

#include <algorithm>
#include <fstream>
#include <set>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;
using signing::Certificate;

constexpr std::string_view other_family = "other";
constexpr std::int64_t little_memory = 4096;
constexpr std::int64_t soon_s = 30LL * 24 * 3600;
constexpr std::int64_t class_certificate = 1; // CKO_CERTIFICATE
constexpr int patience_s = 10;

Bytes from_hex(std::string_view digits) {
    Bytes octets;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        auto const value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
        octets.push_back(static_cast<unsigned char>(value(digits[i]) * 16 + value(digits[i + 1])));
    }
    return octets;
}

/// "3B 88 01": as the table of families has it.
std::string spaced(std::string_view hexadecimal) {
    std::string text;
    for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2) {
        if (!text.empty()) text += ' ';
        text += static_cast<char>(std::toupper(static_cast<unsigned char>(hexadecimal[i])));
        text += static_cast<char>(std::toupper(static_cast<unsigned char>(hexadecimal[i + 1])));
    }
    return text;
}

// ---- readers ----

/// USB devices whose id a family has, as "0A89:0030".
std::vector<std::string> known_usb_devices(Surroundings const& here, TokenFacts const& facts) {
    std::set<std::string> ids;
    for (auto const* family : tables_in(facts.computer, "families")) {
        auto const* const usb = (*family)["usb"].as_array();
        for (std::size_t i = 0; usb != nullptr && i < usb->size(); ++i)
            ids.insert(usb->get(i)->value_or(std::string{}));
    }
    auto const word = [](fs::path const& path) {
        std::ifstream file{path};
        std::string text;
        file >> text;
        std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
        return text;
    };
    std::vector<std::string> found;
    std::error_code failed;
    for (auto it = fs::directory_iterator{here.usb_devices, failed}; !failed && it != fs::directory_iterator{};
         it.increment(failed)) {
        auto const id = word(it->path() / "idVendor") + ':' + word(it->path() / "idProduct");
        if (ids.contains(id)) found.push_back(id);
    }
    return found;
}

/// The path of the module that shows a token in this reader; empty where none does.
std::string shown_by(TokenFacts const& facts, std::string const& reader) {
    for (auto const& module : facts.modules) {
        for (auto const* token : tables_in(module.said, "tokens")) {
            auto const slot = text_in(*token, "reader"); // cut to 64 octets, as Cryptoki's slots are
            if (!slot.empty() && reader.starts_with(slot)) return module.path;
        }
    }
    return {};
}

Finding judge_reader(TokenFacts const& facts, toml::table const& reader) {
    auto const name = text_in(reader, "name");
    auto const atr = spaced(text_in(reader, "atr"));
    if (!flag_in(reader, "card")) return {Cause::readers_empty, name};
    if (flag_in(reader, "mute") || atr.empty()) return {Cause::readers_mute, name};
    if (text_in(reader, "family") == other_family) {
        auto const module = shown_by(facts, name);
        return {module.empty() ? Cause::readers_unknown_atr : Cause::readers_other_kind, name, atr, {}, module};
    }
    auto const kind = name_in(reader, facts.language);
    return {Cause::readers_good, name, (kind.empty() ? "" : kind + ", ") + "ATR " + atr};
}

// ---- modules ----

std::string described(ModuleFacts const& module) {
    return module.name + " (" + module.path + ')';
}

Finding judge_fault(ModuleFacts const& module, std::string const& word, std::string const& detail) {
    if (word == wire_name(Errc::system)) return {Cause::modules_missing, module.name, module.path};
    if (word == wire_name(Errc::file_untrusted)) {
        auto const fault = FileFault::from(detail);
        return {Cause::modules_untrusted, module.name, fault.path, fault.why, fault.command};
    }
    if (word == wire_name(Errc::module_unloadable)) return {Cause::modules_unloadable, module.name, detail};
    return {Cause::modules_fails, described(module), detail};
}

Finding judge_module(Language language, ModuleFacts const& module) {
    if (!module.fault.empty()) return judge_fault(module, module.fault, module.detail);
    switch (module.ran.end) {
    case Ran::End::timed_out: return {Cause::modules_hangs, described(module), std::to_string(patience_s)};
    case Ran::End::not_started: return {Cause::modules_not_looked, module.ran.how()};
    case Ran::End::signalled: return {Cause::modules_crashes, described(module), module.ran.how()};
    case Ran::End::exited: break;
    }
    if (!module.ran.succeeded() || module.said.empty())
        return {Cause::modules_crashes, described(module), module.ran.how()};
    if (auto const word = text_in(module.said, "code"); !word.empty())
        return judge_fault(module, word, text_in(module.said, "detail"));
    auto const count = tables_in(module.said, "tokens").size();
    return {Cause::modules_good, described(module), text(language, "tokens: %1", {std::to_string(count)})};
}

/// What was looked for: a library that is there and was refused, with the reason; else the names of the files.
Finding missing_module(Language language, toml::table const& family) {
    constexpr std::string_view not_there = ": not there";
    std::vector<std::string> refused;
    std::vector<std::string> names;
    std::string all;
    auto const* const passed_over = family["passed_over"].as_array();
    for (std::size_t i = 0; passed_over != nullptr && i < passed_over->size(); ++i) {
        auto const candidate = passed_over->get(i)->value_or(std::string{});
        all += (all.empty() ? "" : "; ") + candidate;
        auto const absent = candidate.ends_with(not_there);
        auto const name = fs::path{candidate.substr(0, candidate.size() - not_there.size())}.filename().string();
        if (!absent)
            refused.push_back(candidate);
        else if (std::ranges::find(names, name) == names.end())
            names.push_back(name);
    }
    std::string looked_for;
    for (auto const& candidate : refused.empty() ? names : refused)
        looked_for += (looked_for.empty() ? "" : ", ") + candidate;
    auto program = text_in(family, "program");
    if (program.empty()) program = text(language, "the vendor's program for this token");
    if (looked_for.empty()) looked_for = text(language, "no driver is known for it");
    return {Cause::modules_none_for_family, name_in(family, language), looked_for, all, program};
}

/// Cards that are there, of a kind for which no module was found.
void add_missing_modules(TokenFacts const& facts, Findings& findings) {
    std::set<std::string> plugged;
    for (auto const* reader : tables_in(facts.computer, "readers"))
        plugged.insert(text_in(*reader, "family"));
    for (auto const* family : tables_in(facts.computer, "families")) {
        if (!plugged.contains(text_in(*family, "id")) || !text_in(*family, "module").empty()) continue;
        findings.push_back(missing_module(facts.language, *family));
    }
}

// ---- tokens ----

/// Its label, and of its number the end alone.
std::string name_of(Language language, toml::table const& token) {
    auto const label = text_in(token, "label");
    auto const serial = text_in(token, "serial");
    constexpr std::size_t shown = 4;
    auto const tail = serial.size() <= shown ? serial : "..." + serial.substr(serial.size() - shown);
    return (label.empty() ? name_in(token, language) : label) + (tail.empty() ? "" : " (" + tail + ')');
}

std::vector<toml::table const*> all_tokens(TokenFacts const& facts) {
    std::vector<toml::table const*> tokens;
    for (auto const& module : facts.modules) {
        auto const of_module = tables_in(module.said, "tokens");
        tokens.insert(tokens.end(), of_module.begin(), of_module.end());
    }
    return tokens;
}

/// The octets of its certificates.
std::vector<Bytes> certificates_on(toml::table const& token) {
    std::vector<Bytes> certificates;
    for (auto const* object : tables_in(token, "objects")) {
        if (number_in(*object, "class") == class_certificate) certificates.push_back(from_hex(text_in(*object, "der")));
    }
    return certificates;
}

std::string memory_of(Language language, toml::table const& token) {
    auto const free = number_in(token, "private_free", -1);
    return free < 0 ? std::string{} : ", " + text(language, "octets free: %1", {std::to_string(free)});
}

/// How its PIN is unlocked, by what its family says.
std::string unblocking_of(Language language, toml::table const& token) {
    auto const way = text_in(token, "unblocking");
    for (std::size_t i = 0; i < enumerator_count(Unblocking{}); ++i) {
        if (name_of(static_cast<Unblocking>(i)) == way)
            return std::string{unblocking_words(static_cast<Unblocking>(i), language)};
    }
    return std::string{unblocking_words(Unblocking::unknown, language)};
}

void judge_token(Language language, toml::table const& token, Findings& findings) {
    auto const name = name_of(language, token);
    auto const count = certificates_on(token).size();
    auto const before = findings.size();
    if (flag_in(token, "pin_locked")) {
        findings.push_back({Cause::tokens_pin_locked, name, unblocking_of(language, token)});
    } else if (flag_in(token, "pin_final_try")) {
        findings.push_back({Cause::tokens_pin_final_try, name});
    } else if (flag_in(token, "pin_count_low")) {
        findings.push_back({Cause::tokens_pin_count_low, name});
    } else if (!flag_in(token, "pin_initialized")) {
        findings.push_back({Cause::tokens_pin_not_set, name});
    }
    if (count == 0) findings.push_back({Cause::tokens_no_keys, name, {}, text_in(token, "detail")});
    // Where a driver says 0 of both it does not know.
    auto const free = number_in(token, "private_free", little_memory);
    if (free < little_memory && number_in(token, "private_total") > 0)
        findings.push_back({Cause::tokens_memory_low, name, std::to_string(free)});
    if (findings.size() == before) {
        auto const what = name_in(token, language) + ", " + text(language, "certificates: %1", {std::to_string(count)});
        findings.push_back({Cause::tokens_good, name, what + memory_of(language, token)});
    }
}

// ---- certificates ----

Finding judge_certificate(Language language, Certificate const& certificate, signing::TrustSet const& trusted,
                          signing::RevocationCache const& cache, std::int64_t now) {
    auto const name = certificate.log_name();
    if (now > certificate.not_after()) return {Cause::keys_expired, name, local_date(certificate.not_after())};
    if (now < certificate.not_before()) return {Cause::keys_not_yet, name, local_date(certificate.not_before())};
    auto const judged = signing::judge(certificate, {}, trusted, cache, signing::Strictness::lenient, now);
    if (judged.refusal == Errc::certificate_revoked) return {Cause::keys_revoked, name};
    if (judged.refusal) return {Cause::keys_untrusted, name, std::string{explain(language, *judged.refusal)}};
    if (certificate.not_after() - now < soon_s)
        return {Cause::keys_expiring, name, local_date(certificate.not_after())};
    if (judged.doubt == Errc::issuer_missing) return {Cause::keys_issuer_missing, name};
    return {Cause::keys_good, name, local_date(certificate.not_after())};
}

Finding unreadable(Language language, Bytes const& der, Error const& error) {
    auto const name = to_hex(signing::sha256(der)).substr(0, 8);
    return {Cause::keys_untrusted, name, std::string{explain(language, error.code)}, error.detail};
}

/// After a renewal the old certificate mostly stays on the token: nothing is the matter then.
void forgive_old_ones(Findings& of_token) {
    auto const usable = [](Finding const& finding) { return row_of(finding.cause).state != State::bad; };
    if (std::ranges::any_of(of_token, usable))
        std::erase_if(of_token, [](Finding const& finding) { return finding.cause == Cause::keys_expired; });
}

} // namespace

std::string family_row_for(std::string const& atr, std::string const& module) {
    return "[[family]]\nid = \"newtoken\"\nstorage = \"AKKaztokenStore\"\n"
           "name = { kk = \"NewToken\", ru = \"NewToken\", en = \"NewToken\" }\natrs = [\"" +
           atr + "\"]\nmodules = [\"" + (module.empty() ? "/usr/lib/libnewtoken.so" : module) +
           "\"]\nopensc = {} # the last one to be tried\n";
}

Findings check_card_service(TokenFacts const& facts) {
    if (!facts.unasked.empty()) return {};
    auto const* const service = facts.computer["card_service"].as_table();
    auto const word = service == nullptr ? std::string{} : text_in(*service, "code");
    auto const detail = service == nullptr ? std::string{} : text_in(*service, "detail");
    if (word.empty()) return {{Cause::card_service_good}};
    if (word == wire_name(Errc::system)) return {{Cause::card_service_no_library, {}, {}, detail}};
    auto const refuses = detail.find("refuses this user") != std::string::npos;
    return {{refuses ? Cause::card_service_refuses : Cause::card_service_absent, {}, {}, detail}};
}

Findings check_readers(Surroundings const& here, TokenFacts const& facts) {
    auto const service = check_card_service(facts);
    if (service.empty() || service.front().cause != Cause::card_service_good) return {};
    Findings findings;
    for (auto const* reader : tables_in(facts.computer, "readers"))
        findings.push_back(judge_reader(facts, *reader));
    if (!findings.empty()) return findings;
    for (auto const& device : known_usb_devices(here, facts))
        findings.push_back({Cause::readers_unlisted, device});
    if (findings.empty()) findings.push_back({Cause::readers_none});
    return findings;
}

Findings check_modules(TokenFacts const& facts) {
    if (!facts.unasked.empty()) return {{Cause::modules_not_looked, facts.unasked}};
    Findings findings;
    for (auto const& module : facts.modules) {
        findings.push_back(judge_module(facts.language, module));
        findings.back().detail = module.second_opinion;
        auto const works = findings.back().cause == Cause::modules_good;
        if (works && module.crashes > 0) {
            findings.push_back(
                {Cause::modules_crashed, described(module), std::to_string(module.crashes), module.last_crash});
        }
    }
    add_missing_modules(facts, findings);
    if (findings.empty() && facts.computer["fault"].as_table() == nullptr) findings.push_back({Cause::modules_none});
    return findings;
}

Findings check_tokens(TokenFacts const& facts, DaemonFacts const& daemon) {
    Findings findings;
    auto const tokens = all_tokens(facts);
    for (auto const* token : tokens)
        judge_token(facts.language, *token, findings);
    // Where the configuration cannot be read nobody was asked.
    auto const asked = facts.computer["fault"].as_table() == nullptr;
    if (tokens.empty() && asked) findings.push_back({Cause::tokens_none});
    if (daemon.tokens && daemon.tokens->size() < tokens.size())
        findings.push_back(
            {Cause::tokens_not_shown, std::to_string(daemon.tokens->size()), std::to_string(tokens.size())});
    return findings;
}

Findings check_keys(Surroundings const& here, TokenFacts const& facts) {
    auto const user = !here.configuration || here.configuration->user_authorities ? signing::UserAuthorities::counted
                                                                                  : signing::UserAuthorities::left_out;
    auto const trusted = signing::TrustSet::load(here.authorities, user);
    signing::RevocationCache const cache{signing::RevocationCache::default_folder()};
    Findings findings;
    for (auto const* token : all_tokens(facts)) {
        Findings of_token;
        for (auto const& der : certificates_on(*token)) {
            auto const certificate = Certificate::parse(der);
            of_token.push_back(certificate
                                   ? judge_certificate(here.language, *certificate, trusted, cache, here.seconds())
                                   : unreadable(here.language, der, certificate.error()));
        }
        forgive_old_ones(of_token);
        findings.insert(findings.end(), of_token.begin(), of_token.end());
    }
    return findings;
}

Findings why_no_token(Surroundings const& here) {
    auto const facts = ask_tokens(here);
    auto findings = check_configuration(here, facts);
    for (auto const& hop : {check_card_service(facts), check_readers(here, facts), check_modules(facts)})
        findings.insert(findings.end(), hop.begin(), hop.end());
    std::erase_if(findings, [](Finding const& finding) { return row_of(finding.cause).state == State::good; });
    return findings;
}

} // namespace tamga::cli

#include "daemon/server/status_page.hpp"

#include "base/build_id.hpp"
#include "base/date.hpp"
#include "daemon/server/status_assets.hpp"
#include "daemon/status_links.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tamga::daemon {

namespace {

// ---- HTML ----
// Words of the catalogue hold no markup; everything else is escaped.

std::string escaped(std::string_view words) {
    std::string out;
    for (char const c : words) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        default: out += c;
        }
    }
    return out;
}

/// `tag` may bring attributes: element("p class=\"x\"", ...).
std::string element(std::string_view tag, std::string_view content) {
    std::string out = "<";
    return out.append(tag).append(">").append(content).append("</").append(tag.substr(0, tag.find(' '))).append(">\n");
}

std::string code(std::string_view words) {
    auto out = element("code", words);
    out.pop_back(); // within a sentence
    return out;
}

std::string attribute(std::string_view name, std::string_view value) {
    return std::string{" "}.append(name).append("=\"").append(escaped(value)).append("\"");
}

struct Named {
    Language language;
    std::string_view tag;
    std::string_view name; ///< in itself
};
constexpr std::array<Named, 3> languages{
    {{Language::kk, "kk", "Қазақша"}, {Language::ru, "ru", "Русский"}, {Language::en, "en", "English"}}};

std::string_view tag_of(Language language) {
    return std::ranges::find(languages, language, &Named::language)->tag;
}

std::string language_links(Language language) {
    std::string items;
    for (auto const& [each, tag, name] : languages) {
        auto link = "a" + attribute("href", "/?language=" + std::string{tag}) + attribute("lang", tag) +
                    attribute("hreflang", tag);
        if (each == language) link += attribute("aria-current", "true");
        items += element("li", element(link, name));
    }
    return element("nav" + attribute("aria-label", text(language, "Languages")), element("ul", items));
}

std::string document(Language language, std::string_view title, std::string_view head, std::string_view header,
                     std::string_view main) {
    std::string html = "<!DOCTYPE html>\n<html lang=\"";
    html.append(tag_of(language)).append("\">\n<head>\n<meta charset=\"utf-8\">\n");
    html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    html += "<link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/status.css\">\n";
    html += element("title", title);
    html.append(head).append("</head>\n<body>\n").append(header);
    return html.append(element("main", element("h1", title) + std::string{main})).append("</body>\n</html>\n");
}

// ---- what runs here ----

enum class Shown : std::uint8_t { day, minute };

/// In the time of this computer.
std::string time_element(std::time_t time, Shown shown) {
    auto const words = format_local(time, shown == Shown::day ? "%d.%m.%Y" : "%d.%m.%Y %H:%M");
    auto out = element("time" + attribute("datetime", utc_time(time)), words);
    out.pop_back(); // within a sentence
    return out;
}

std::string fact(std::string_view name, std::string_view value) {
    return element("dt", name) + element("dd", value);
}

std::string facts_section(Language language, StatusFacts const& facts) {
    auto const up = std::to_string(facts.modules_up);
    auto const all = std::to_string(facts.modules);
    auto const modules = facts.modules == 0 ? std::string{text(language, "none is set up")}
                                            : text(language, "%1 of %2 are running", {up, all});
    std::string list = fact(text(language, "Version"), escaped(version));
    list += fact(text(language, "Running since"), time_element(facts.since, Shown::minute));
    list += fact(text(language, "The certificate of this connection ends on"),
                 time_element(facts.certificate_until, Shown::day));
    list += fact(text(language, "Programs that talk to tokens"), modules);
    std::string section = element("h2", text(language, "What runs here")) + element("dl", list);
    section += element("p", text(language,
                                 "Which tokens are plugged in is not said here, where every program of this "
                                 "computer can read it. Type %1 in a terminal to see them.",
                                 {code("tamga status --open")}));
    return element("section", section);
}

// ---- the test ----

std::string test_section(Language language, std::uint16_t port) {
    auto result = "p id=\"result\" role=\"status\"" +
                  attribute("data-url", "wss://127.0.0.1:" + std::to_string(port) + "/") +
                  attribute("data-trying", text(language, "Trying…")) +
                  attribute("data-good", text(language, "It works: this browser trusts the certificate and reaches "
                                                        "Tamga as portals do.")) +
                  attribute("data-bad", text(language, "It does not work: this browser does not trust the certificate "
                                                       "of Tamga. See “The certificate” below."));
    std::string section = element("h2", text(language, "Does this browser reach Tamga?"));
    section += element(result, text(language, "Without JavaScript nothing can be tried. If the address of this page "
                                              "begins with https and it opened without a warning, the browser trusts "
                                              "the certificate."));
    section += element("p", element("button id=\"again\" type=\"button\" hidden", text(language, "Try again")));
    section += element("p class=\"note\"",
                       text(language, "This page comes from this computer itself, so the browser's rule about the "
                                      "local network does not apply to it. A portal can be blocked by that rule even "
                                      "where this test succeeds: see “The permission of the browser”."));
    return element("section aria-live=\"off\"", section);
}

// ---- what to do ----

std::string picture(std::string_view file, std::string_view size, std::string_view seen, std::string_view caption) {
    auto image = "<img" + attribute("src", file) + std::string{size} + attribute("alt", seen) + ">";
    return element("figure", image + element("figcaption", caption));
}

std::string permission_section(Language language) {
    std::string section = element("h3", text(language, "The permission of the browser"));
    section += element("p", text(language, "The first time a portal looks for Tamga, the browser asks whether the "
                                           "portal may reach programs on this computer. Choose Allow. Until then "
                                           "nothing of the portal reaches Tamga, and the portal says that the program "
                                           "is not running."));
    section += picture("/chromium.png", status_assets::chromium_size,
                       text(language, "Chromium's question, below the address: portal.test wants to access other apps "
                                      "and services on this device. Two buttons: Block and Allow."),
                       text(language, "Chromium and Chrome: press Allow."));
    section += picture("/firefox.png", status_assets::firefox_size,
                       text(language, "Firefox's question, below the address: portal.test wants to access other apps "
                                      "and services on this device. A box to remember the choice, and two buttons: "
                                      "Block and Allow."),
                       text(language, "Firefox, where it asks: tick the box and press Allow."));
    section += element("h4", text(language, "If Block was pressed"));
    section += element("p", text(language, "Chromium and Chrome: open the portal, press the sign to the left of its "
                                           "address, and switch “Apps on device” on. Then load the page again."));
    section += element("p", text(language, "Firefox: open the portal, press the crossed-out sign to the left of its "
                                           "address, and take the block away with the cross beside it. Then load the "
                                           "page again and press Allow."));
    return section;
}

std::string advice_section(Language language) {
    std::string section = element("h2", text(language, "If a portal says that the program is not running"));
    section += element("p", text(language, "Tamga is running: this page comes from it. What is left is between the "
                                           "portal and the browser."));
    section += permission_section(language);
    section += element("h3", text(language, "The certificate"));
    section += element("p", text(language,
                                 "If the test above fails, or this page opened with a warning: type %1 in a "
                                 "terminal, close the browser completely and open it again.",
                                 {code("tamga trust --install")}));
    section += element("h3", text(language, "The address of the portal"));
    section += element("p", text(language, "It has to begin with https: other pages are neither let through by the "
                                           "browser nor answered by Tamga."));
    section += element("h3", text(language, "An answer of yours"));
    section += element("p", text(language,
                                 "If you once chose “never” for the portal in Tamga's window, it stays "
                                 "refused. Type %1 in a terminal to see what you answered, and %2 with the "
                                 "portal's address to be asked again.",
                                 {code("tamga sites list"), code("tamga sites forget")}));
    section += element("h3", text(language, "If none of this helps"));
    section += element("p", text(language,
                                 "Type %1 in a terminal: it walks the way of a request, hop by hop, and says "
                                 "what is wrong and what to do.",
                                 {code("tamga doctor")}));
    return element("section", section);
}

// ---- tokens ----

std::string pin_state(Language language, ipc::TokenInfo const& token) {
    if (token.pin_locked) return std::string{text(language, "the PIN is locked")};
    if (token.attempts_left) return text(language, "attempts left: %1", {std::to_string(*token.attempts_left)});
    if (token.pin_final_try) return std::string{text(language, "one attempt is left")};
    if (token.pin_count_low) return std::string{text(language, "a wrong PIN was typed")};
    if (token.login_required && !token.pin_initialized) return std::string{text(language, "no PIN is set")};
    return std::string{text(language, "nothing is wrong")};
}

/// The end of a number is enough to tell two tokens apart.
std::string_view end_of(std::string_view serial) {
    constexpr std::size_t shown = 4;
    return serial.size() <= shown ? serial : serial.substr(serial.size() - shown);
}

std::string token_section(Language language, ipc::TokenInfo const& token) {
    std::string list = fact(text(language, "Label"), escaped(token.label));
    list += fact(text(language, "The end of its serial number"), escaped(end_of(token.serial)));
    list += fact(text(language, "PIN"), pin_state(language, token));
    auto const family = token.family_name.in(language);
    auto const name = escaped(family.empty() ? token.storage : family);
    return element("section", element("h2", name) + element("dl", list));
}

/// Whose end is near; the page is for its owner alone, so it may name them.
std::string ending_section(Language language, std::vector<policy::Reminder> const& ending) {
    if (ending.empty()) return {};
    std::string items;
    for (auto const& [certificate, stage, days_left] : ending) {
        items += element("li", text(language, "%1: valid until %2, days left: %3",
                                    {escaped(certificate.common_name()),
                                     time_element(certificate.not_after(), Shown::day), std::to_string(days_left)}));
    }
    auto const advice =
        text(language, "Renew them now: later they can be renewed at a registration centre alone. The command is %1.",
             {code("tamga keys renew")});
    return element("section", element("h2", text(language, "Certificates that end soon")) + element("ul", items) +
                                  element("p", advice));
}

std::string way_back(Language language) {
    auto const page = "a" + attribute("href", "/?language=" + std::string{tag_of(language)});
    return element("p", element(page, text(language, "What runs here, and what to do if a portal does not find it")));
}

} // namespace

std::optional<StatusTarget> status_target(std::string_view target) {
    using Kind = StatusTarget::Kind;
    constexpr std::string_view wish = "/?language=";
    if (target == "/") return StatusTarget{Kind::page, {}, {}};
    if (target.starts_with(wish)) {
        auto const tag = target.substr(wish.size());
        auto const named = std::ranges::find(languages, tag, &Named::tag);
        if (named == languages.end()) return std::nullopt;
        return StatusTarget{Kind::page, named->language, {}};
    }
    if (target.starts_with(status_link_path))
        return StatusTarget{Kind::tokens, {}, target.substr(status_link_path.size())};
    auto const name = target.substr(std::min<std::size_t>(1, target.size()));
    auto const files = status_assets::all();
    if (std::ranges::find(files, name, &status_assets::File::name) == files.end()) return std::nullopt;
    return StatusTarget{Kind::asset, {}, name};
}

std::optional<Language> accepted_language(std::string_view header) {
    std::optional<Language> best;
    double best_weight = 0;
    while (!header.empty()) {
        auto const comma = std::min(header.find(','), header.size());
        auto range = header.substr(0, comma);
        header.remove_prefix(std::min(comma + 1, header.size()));
        range.remove_prefix(std::min(range.find_first_not_of(" \t"), range.size()));
        double weight = 1;
        if (auto const quality = range.find("q="); quality != std::string_view::npos) {
            auto const number = range.substr(quality + 2);
            weight = 0;
            std::from_chars(number.data(), number.data() + number.size(), weight);
        }
        auto const language = language_from_tag(range.substr(0, range.find_first_of("; \t")));
        if (!language || !(weight > best_weight)) continue;
        best = language;
        best_weight = weight;
    }
    return best;
}

StatusAsset status_asset(std::string_view name) {
    auto const files = status_assets::all();
    auto const file = std::ranges::find(files, name, &status_assets::File::name);
    return file == files.end() ? StatusAsset{} : StatusAsset{file->type, file->octets};
}

std::string status_page(Language language, StatusFacts const& facts) {
    return document(language, text(language, "Tamga is running on this computer"),
                    "<script src=\"/status.js\" defer></script>\n", element("header", language_links(language)),
                    test_section(language, facts.port) + facts_section(language, facts) + advice_section(language));
}

std::string tokens_page(Language language, std::vector<ipc::TokenInfo> const& tokens,
                        std::vector<policy::Reminder> const& ending) {
    std::string main = ending_section(language, ending);
    if (tokens.empty()) main += element("p", text(language, "No token is plugged in."));
    for (auto const& token : tokens)
        main += token_section(language, token);
    main += element("p class=\"note\"", text(language, "The address of this page was good once: loading it again shows "
                                                       "nothing. The command makes another one."));
    return document(language, text(language, "Tokens of this computer"), {}, {}, main + way_back(language));
}

std::string dead_link_page(Language language) {
    return document(language, text(language, "This link leads nowhere any more"), {}, {},
                    element("p", text(language, "It is good once, and for a minute. Type %1 in a terminal for another.",
                                      {code("tamga status --open")})) +
                        way_back(language));
}

std::string content_security_policy(std::uint16_t port) {
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
           "connect-src wss://127.0.0.1:" +
           std::to_string(port) + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
}

} // namespace tamga::daemon

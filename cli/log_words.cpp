#include "cli/log_words.hpp"

#include "base/explain.hpp"

#include <algorithm>
#include <array>

namespace tamga::cli {

namespace {

/// A value up to the blank behind it; of a quoted one the quotes go, and what they escaped comes back.
std::string take_value(std::string_view& rest) {
    std::string value;
    if (!rest.starts_with('"')) {
        auto const end = std::min(rest.find(' '), rest.size());
        value = rest.substr(0, end);
        rest.remove_prefix(end);
        return value;
    }
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\' && rest.size() > 1 && (rest[1] == '"' || rest[1] == '\\')) rest.remove_prefix(1);
        value += rest.front();
        rest.remove_prefix(1);
    }
    if (!rest.empty()) rest.remove_prefix(1);
    return value;
}

std::optional<Errc> error_named(std::string_view word) {
    for (std::size_t i = 0; i < errc_count; ++i) {
        if (wire_name(static_cast<Errc>(i)) == word) return static_cast<Errc>(i);
    }
    return std::nullopt;
}

std::string asker(Language language, LogLine const& line) {
    auto const origin = line.field("origin");
    if (origin == "local") return std::string{text(language, "a command of this computer")};
    return std::string{origin};
}

/// Of a request: who, what, and how it ended.
std::string request_words(Language language, LogLine const& line) {
    auto const outcome = line.field("outcome");
    auto const who = asker(language, line);
    if (outcome == "ok")
        return text(language, "%1 asked for %2: done in %3 ms.", {who, line.field("asked"), line.field("ms")});
    auto const error = error_named(outcome);
    return text(language, "%1 asked for %2: %3",
                {who, line.field("asked"), error ? explain(language, *error) : outcome});
}

/// Events whose sentence needs one field at most.
struct Said {
    std::string_view event;
    std::string_view field;
    char const* sentence;
};
constexpr std::array sentences{
    Said{"listening", "port", message_id("Tamga listens on port %1.")},
    Said{"port_taken", "owner", message_id("Another program holds Tamga's port: %1")},
    Said{"not_listening", "reason", message_id("Tamga cannot listen: %1")},
    Said{"modules", "count", message_id("Drivers of tokens that were found: %1")},
    Said{"module_unusable", "path", message_id("A driver cannot be used: %1")},
    Said{"module_passed_over", "reason", message_id("A driver was passed over: %1")},
    Said{"child_ended", "program", message_id("A part of Tamga ended and is started again: %1")},
    Said{"ended", "program", message_id("A part of Tamga was ended: %1")},
    Said{"start_failed", "program", message_id("A part of Tamga cannot be started: %1")},
    Said{"turned_away", "origin", message_id("A site whose permission was taken back was cut off: %1")},
    Said{"refused", "reason", message_id("A connection was refused: %1")},
    Said{"signed_without_stamp", "origin", message_id("Signed for %1, but without a time-stamp.")},
    Said{"sites_refused", "file", message_id("The answers about sites cannot be read: %1")},
    Said{"sites_set_aside", "file", message_id("The answers about sites were damaged and put aside: %1")},
    Said{"journal_set_aside", "file", message_id("The journal of signatures was damaged and put aside: %1")},
    Said{"authority_left_out", "file", message_id("The certificate of an authority was left out: %1")},
    Said{"services_refused", "file", message_id("A catalogue of public services is not believed: %1")},
    Said{"publishers_refused", "file", message_id("A file of publishers was left out: %1")},
    Said{"configuration", "detail", message_id("A configuration file has a mistake: %1")},
    Said{"tls", "detail", message_id("The certificate of this computer cannot be renewed: %1")},
    Said{"stopped", "", message_id("Tamga was stopped.")},
    Said{"remembered", "origin", message_id("A sign-in is remembered for %1.")},
    Said{"forgotten", "origin", message_id("A remembered sign-in was forgotten: %1")},
};

} // namespace

std::string_view LogLine::field(std::string_view name) const {
    auto const found = fields.find(name);
    return found == fields.end() ? std::string_view{} : std::string_view{found->second};
}

std::optional<LogLine> parse_log_line(std::string_view line) {
    auto const colon = line.find(": ");
    if (!line.starts_with("tamga") || colon == std::string_view::npos) return std::nullopt;
    LogLine parsed;
    parsed.program = line.substr(0, colon);
    auto rest = line.substr(colon + 2);
    auto const end = std::min(rest.find(' '), rest.size());
    parsed.event = rest.substr(0, end);
    rest.remove_prefix(end);
    while (!rest.empty()) {
        if (rest.front() == ' ') {
            rest.remove_prefix(1);
            continue;
        }
        auto const equals = rest.find('=');
        if (equals == std::string_view::npos) break;
        std::string const key{rest.substr(0, equals)};
        rest.remove_prefix(equals + 1);
        parsed.fields[key] = take_value(rest);
    }
    return parsed;
}

std::string words_for(Language language, LogLine const& line, std::string_view as_it_is) {
    if (line.event == "request") return request_words(language, line);
    if (line.event == "card_service") {
        return std::string{line.field("available") == "yes" ? text(language, "The card service answers.")
                                                            : text(language, "The card service does not answer.")};
    }
    auto const found = std::ranges::find(sentences, std::string_view{line.event}, &Said::event);
    if (found == sentences.end() || (!found->field.empty() && line.field(found->field).empty()))
        return std::string{as_it_is};
    return text(language, found->sentence, {line.field(found->field)});
}

} // namespace tamga::cli

#include "cli/daemon_talk.hpp"

#include "base/explain.hpp"
#include "cli/printable.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace tamga::cli {

namespace {

std::string_view name_of(Language language) {
    switch (language) {
    case Language::kk: return "kk";
    case Language::ru: return "ru";
    case Language::en: return "en";
    }
    return "en";
}

struct OwnWords {
    Errc code{};
    char const* message = "";
};

/// The daemon's sentences tell of a site; whoever typed a command reads these.
constexpr std::array own_words{
    OwnWords{
        Errc::bad_request,
        message_id("Tamga does not understand what was asked for; the brackets say where. If that does not help: tamga "
                   "doctor")},
    OwnWords{Errc::unsupported, message_id("Tamga cannot do what was asked for.")},
    OwnWords{Errc::xml_malformed, message_id("The XML document is damaged and cannot be signed.")},
    OwnWords{Errc::xml_target, message_id("It is not clear which part of the XML document is to be signed.")},
    OwnWords{
        Errc::raw_refused,
        message_id("A bare signature over this could stand for another document. It was refused; sign it as CMS.")},
    OwnWords{Errc::eds_not_required,
             message_id("This service needs no electronic signature: a login and a password are enough for it.")},
    OwnWords{Errc::service_unknown, message_id("This service is not known on this computer. The known ones: tamga "
                                               "services list")},
    OwnWords{Errc::service_origin, message_id("This service belongs to a portal. Open it there.")},
    OwnWords{Errc::user_cancelled,
             message_id("You cancelled. Nothing more is done; repeat the command if you change your mind.")},
    OwnWords{Errc::withdrawn, message_id("The request was taken back. Nothing more is done.")},
    OwnWords{Errc::timeout, message_id("The time ran out. Repeat the command.")},
    OwnWords{Errc::prompt_unavailable,
             message_id("The window could not be shown. Unlock the screen and repeat the command.")},
    OwnWords{
        Errc::timestamp_unavailable,
        message_id("The time-stamp service did not answer as it should, so there is no signature. Check the network "
                   "and repeat the command later.")},
    OwnWords{
        Errc::timestamp_invalid,
        message_id("The time-stamp service sent something that is no valid time-stamp, so there is no signature.")},
};

/// Nothing where the daemon's own sentence fits.
char const* words_for_commands(std::string_view word) noexcept {
    for (auto const& own : own_words) {
        if (wire_name(own.code) == word) return own.message;
    }
    return nullptr;
}

/// The language; and the terminal, where this command was called before one and has no display: over SSH, above all.
Tree greeting(Language language) {
    auto greeting = Tree{}.add("language", name_of(language));
    std::array<char, 256> path{};
    char const* type = std::getenv("TERM");
    if (!has_display() && type != nullptr && ::ttyname_r(STDIN_FILENO, path.data(), path.size()) == 0)
        greeting.add("terminal", Tree{}.add("path", path.data()).add("type", type));
    return greeting;
}

} // namespace

bool has_display() {
    auto const is_set = [](char const* name) {
        char const* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    };
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

std::optional<LocalClient> connect(std::filesystem::path const& socket, Language language, std::ostream& complaints) {
    auto client = LocalClient::connect(socket);
    auto const greeted =
        client ? client->call("hello", greeting(language)) : Result<LocalClient::Reply>{client.error()};
    if (greeted && !greeted->refused) return std::move(*client);
    complaints << text(language, "Tamga does not run for this user: nothing answers at %1.", {socket.string()}) << '\n';
    return std::nullopt;
}

int complain(Language language, Refused const& refused, std::ostream& complaints) {
    auto const words = words_for_commands(refused.word);
    complaints << (words == nullptr ? printable(refused.message) : std::string{text(language, words)}) << " ("
               << refused.word;
    if (!refused.detail.empty()) complaints << ": " << printable(refused.detail);
    complaints << ")\n";
    return refused.word == wire_name(Errc::user_cancelled) ? exit_cancelled : exit_failed;
}

int complain(Language language, Error const& error, std::ostream& complaints) {
    complaints << explain(language, error.code) << " (" << wire_name(error.code);
    if (!error.detail.empty()) complaints << ": " << error.detail;
    complaints << ")\n";
    return exit_failed;
}

std::optional<Tree> call(LocalClient& client, Language language, std::string_view method, Tree const& params,
                         std::ostream& complaints, int& exit_code) {
    auto reply = client.call(method, params);
    if (!reply)
        exit_code = complain(language, reply.error(), complaints);
    else if (reply->refused)
        exit_code = complain(language, *reply->refused, complaints);
    else
        return std::move(reply->result);
    return std::nullopt;
}

} // namespace tamga::cli

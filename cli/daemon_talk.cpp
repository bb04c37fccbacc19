#include "cli/daemon_talk.hpp"

#include "base/explain.hpp"

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

int complain(Refused const& refused, std::ostream& complaints) {
    complaints << refused.message << " (" << refused.word;
    if (!refused.detail.empty()) complaints << ": " << refused.detail;
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
        exit_code = complain(*reply->refused, complaints);
    else
        return std::move(reply->result);
    return std::nullopt;
}

} // namespace tamga::cli

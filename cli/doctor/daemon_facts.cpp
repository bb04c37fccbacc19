#include "cli/doctor/daemon_facts.hpp"

#include "cli/doctor/run_program.hpp"
#include "cli/local_client.hpp"
#include "protocol/json_text.hpp"
#include "protocol/tamga/client.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

namespace tamga::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 6s;

void say(int out, Tree const& tree) {
    auto const line = protocol::json_of(tree) + '\n';
    [[maybe_unused]] auto const written = ::write(out, line.data(), line.size());
}

/// A line as soon as somebody is there, one with the greeting, one with the tokens.
void ask(std::filesystem::path const& socket, int out) {
    auto client = LocalClient::connect(socket);
    if (!client) return;
    auto const greeting = client->call("hello", Tree{});
    if (!greeting || greeting->refused) return;
    say(out, Tree{}.add("build", greeting->result.text("build")));
    auto const tokens = client->call("tokens.list", Tree{});
    if (tokens && !tokens->refused) say(out, Tree{}.add("tokens", Tree{tokens->result.list("tokens")}));
}

/// A name that nobody answers at is not the same as somebody who says nothing.
bool somebody_listens(std::filesystem::path const& socket) {
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const& path = socket.native();
    if (path.empty() || path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    auto const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    auto const connected = ::connect(fd, reinterpret_cast<::sockaddr const*>(&address), sizeof address) == 0;
    auto const waits = !connected && errno == EAGAIN;
    ::close(fd);
    return connected || waits;
}

} // namespace

DaemonFacts ask_daemon(std::filesystem::path const& socket) {
    DaemonFacts facts;
    if (!somebody_listens(socket)) return facts;
    facts.presence = DaemonFacts::Presence::silent;
    auto const ran = run_apart([&](int out) { ask(socket, out); }, patience);
    std::istringstream lines{ran.output};
    for (std::string line; std::getline(lines, line);) {
        auto const said = protocol::v1::read_message(line);
        if (!said) continue;
        facts.presence = DaemonFacts::Presence::speaks;
        if (said->find("build") != nullptr) facts.build = said->text("build");
        if (said->find("tokens") != nullptr) facts.tokens = said->list("tokens");
    }
    return facts;
}

} // namespace tamga::cli

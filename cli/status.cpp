#include "cli/status.hpp"

#include "cli/daemon_talk.hpp"
#include "cli/printable.hpp"
#include "cli/tokens.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace tamga::cli {

namespace {

/// What is known of the daemon, for programs.
Tree tree_of(Tree const& greeting, Tree const& tokens) {
    Tree tree;
    tree.add("running", true).add("version", greeting.text("version")).add("build", greeting.text("build"));
    return tree.add("tokens", tokens.list("tokens"));
}

void say(Language language, Tree const& greeting, Tree const& tokens, std::ostream& out) {
    out << text(language, "Tamga is running: %1.", {greeting.text("build")}) << '\n';
    auto const list = tokens.list("tokens");
    if (list.empty()) {
        out << text(language, "No token can be seen.") << ' '
            << text(language, "The command tamga tokens says why, and tamga doctor what to do.") << '\n';
    }
    for (auto const& token : list)
        out << token_line(language, token) << '\n';
}

/// Where no browser can be opened, the person opens it. With --json the address goes to the complaints, so that what a
/// program reads stays JSON.
int open_page(StatusRequest const& request, LocalClient& client, std::ostream& out, std::ostream& complaints) {
    int code = 0;
    auto const link = call(client, request.language, "status.link", Tree{}, complaints, code);
    if (!link) return code;
    std::string const url{link->text("url")};
    out.flush();
    if (request.browse(url)) return 0;
    auto& words = request.form == ReportForm::json ? complaints : out;
    words << text(request.language, "Open this address within a minute; it is good once:") << '\n' << url << '\n';
    return 0;
}

char const* display() {
    for (char const* name : {"WAYLAND_DISPLAY", "DISPLAY"}) {
        char const* const value = std::getenv(name);
        if (value != nullptr && *value != '\0') return value;
    }
    return nullptr;
}

} // namespace

int run_status(StatusRequest const& request, std::ostream& out, std::ostream& complaints) {
    auto client = connect(request.socket, request.language, complaints);
    if (!client) {
        if (request.form == ReportForm::json) out << printable_json(Tree{}.add("running", false)) << '\n';
        return exit_not_running;
    }
    int code = 0;
    auto const greeting = call(*client, request.language, "hello", Tree{}, complaints, code);
    if (!greeting) return code;
    auto const tokens = call(*client, request.language, "tokens.list", Tree{}, complaints, code);
    if (!tokens) return code;
    if (request.form == ReportForm::json)
        out << printable_json(tree_of(*greeting, *tokens)) << '\n';
    else
        say(request.language, *greeting, *tokens, out);
    return request.open ? open_page(request, *client, out, complaints) : 0;
}

bool browse_with_xdg_open(std::string const& url) {
    if (display() == nullptr) return false;
    std::string program = "xdg-open";
    std::string address = url;
    std::array<char*, 3> arguments{program.data(), address.data(), nullptr};
    ::posix_spawn_file_actions_t files{};
    ::posix_spawn_file_actions_init(&files);
    for (int const fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    ::pid_t pid = 0;
    auto const failure = ::posix_spawnp(&pid, program.c_str(), &files, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (failure != 0) return false;
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace tamga::cli

// tamgad's main: three programs are made of it, which differ in the folder they start others from (CMakeLists.txt).
#include "base/build_id.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "daemon/launcher/launcher.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <iostream>
#include <optional>

namespace {

using namespace tamga;

constexpr int exit_usage = 2;

constexpr char const* help = message_id("Usage: tamgad [--port N]\n"
                                        "Starts Tamga's programs and keeps them running. Usually started by systemd.\n"
                                        "\n"
                                        "  --port N   listen on this TCP port of 127.0.0.1 and ::1 (default 13579)\n"
                                        "  --help     this text\n"
                                        "  --version  the version\n");

std::optional<std::uint16_t> port_from(std::string_view digits) {
    std::uint16_t port = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [rest, failure] = std::from_chars(digits.data(), end, port);
    if (failure != std::errc{} || rest != end || port == 0) return std::nullopt;
    return port;
}

/// Descriptors 0, 1 and 2 exist, whatever we were started from: a socket must not become somebody's standard output.
void fill_standard_descriptors() {
    int fd = 0;
    do {
        fd = ::open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    UniqueFd const surplus{fd};
}

} // namespace

int main(int argc, char** argv) {
    fill_standard_descriptors();
    ::umask(0077);
    log::open("tamgad");
    log::show_debug(std::getenv("TAMGA_DEBUG") != nullptr);

    launcher::Settings settings;
    settings.programs = TAMGA_LIBEXEC_DIR;
    if (TAMGA_SCRIPTED_PROMPT) settings.more_prompt_variables = launcher::scripted_prompt_variables;

    std::vector<std::string_view> const arguments{argv + 1, argv + argc};
    if (arguments.size() == 1 && arguments[0] == "--help") {
        std::cout << text(system_language(), help);
        return 0;
    }
    if (arguments.size() == 1 && arguments[0] == "--version") {
        std::cout << "tamgad " << build_id << '\n';
        return 0;
    }
    if (!arguments.empty()) {
        auto const port = arguments.size() == 2 && arguments[0] == "--port" ? port_from(arguments[1]) : std::nullopt;
        if (!port) {
            std::cerr << text(system_language(), help);
            return exit_usage;
        }
        settings.port = *port;
    }
    return launcher::Launcher{std::move(settings)}.run();
}

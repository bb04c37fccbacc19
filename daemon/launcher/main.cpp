// tamgad's main: four programs are made of it, which differ in the folder they start others from (CMakeLists.txt).
#include "base/build_id.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "daemon/launcher/launcher.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <charconv>
#include <iostream>
#include <optional>
#include <span>
#include <variant>

namespace {

using namespace tamga;

constexpr int exit_usage = 2;

struct Arguments {
    enum class Wish : std::uint8_t { run, help, version } wish = Wish::run;
    std::optional<std::uint16_t> port;
};

std::optional<std::uint16_t> port_from(std::string_view digits) {
    std::uint16_t port = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [rest, failure] = std::from_chars(digits.data(), end, port);
    if (failure != std::errc{} || rest != end || port == 0) return std::nullopt;
    return port;
}

/// What is asked for, or the argument that was not understood.
std::variant<Arguments, std::string_view> read(std::span<char*> words) {
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view const word = words[i];
        if (word == "--help" || word == "-h") {
            arguments.wish = Arguments::Wish::help;
        } else if (word == "--version") {
            arguments.wish = Arguments::Wish::version;
        } else if (word == "--port" && i + 1 < words.size()) {
            arguments.port = port_from(words[++i]);
            if (!arguments.port) return std::string_view{words[i]};
        } else {
            return word;
        }
    }
    return arguments;
}

std::string help(Language language) {
    return text(language,
                "Usage: tamgad [--port N]\n"
                "Starts Tamga's programs, which lie in %1, and keeps them running until SIGTERM or Ctrl+C.\n"
                "\n"
                "  --port N   listen on this TCP port of 127.0.0.1 and ::1 (default 13579)\n"
                "  --help     this text\n"
                "  --version  the version\n",
                {TAMGA_LIBEXEC_DIR});
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
    ::prctl(PR_SET_DUMPABLE, 0); // what we start, and as whom we speak to it, is nobody else's to change
    log::open("tamgad");

    auto const asked = read(std::span{argv, static_cast<std::size_t>(argc)}.subspan(argc > 0 ? 1 : 0));
    if (auto const* word = std::get_if<std::string_view>(&asked)) {
        std::cerr << text(system_language(), "tamgad: this argument is not understood: %1", {*word}) << "\n\n"
                  << help(system_language());
        return exit_usage;
    }
    auto const arguments = std::get<Arguments>(asked);
    switch (arguments.wish) {
    case Arguments::Wish::help: std::cout << help(system_language()); return 0;
    case Arguments::Wish::version: std::cout << "tamgad " << build_id << '\n'; return 0;
    case Arguments::Wish::run: break;
    }
    launcher::Settings settings;
    settings.programs = TAMGA_LIBEXEC_DIR;
    settings.trust_program = TAMGA_TRUST_PROGRAM;
    if (arguments.port) settings.port = *arguments.port;
    if (TAMGA_SCRIPTED_PROMPT) settings.more_prompt_variables = launcher::scripted_prompt_variables;
    return launcher::Launcher{std::move(settings)}.run();
}

// The program tamga-prompt of the tests: the product's conversation, with a script instead of a person. It is built
// into a folder of its own that no installed daemon looks at.
//
// TAMGA_PROMPT_SCRIPT: the script's file (tests/support/scripted_screen.hpp); TAMGA_PROMPT_LOG: a file to append to, if
// any.
#include "prompt/conversation.hpp"
#include "prompt/rehearsal.hpp"
#include "tests/support/scripted_screen.hpp"

#include "base/log.hpp"

#include <cstdlib>
#include <fstream>

int main() {
    using namespace tamga;
    log::open("tamga-prompt");
    signing::start_openssl();
    prompt::rehearse();
    ipc::Channel control{UniqueFd{prompt::control_fd}};
    auto ends = prompt::receive_ends(std::move(control));
    if (!ends) {
        log::info("prompt ended", {{"code", wire_name(ends.error().code)}, {"detail", ends.error().detail}});
        return EXIT_FAILURE;
    }

    char const* script_path = std::getenv("TAMGA_PROMPT_SCRIPT");
    char const* log_path = std::getenv("TAMGA_PROMPT_LOG");
    std::ifstream script{script_path != nullptr ? script_path : ""};
    prompt::ScriptedScreen::Log write;
    if (log_path != nullptr && *log_path != '\0')
        write = [log_path](auto const& line) { std::ofstream{log_path, std::ios::app} << line + '\n'; };
    prompt::ScriptedScreen screen{script, std::move(write)};
    // How it ended stands in the log and with tamga-web.
    return prompt::Conversation{std::move(*ends), screen}.run() ? EXIT_SUCCESS : EXIT_FAILURE;
}

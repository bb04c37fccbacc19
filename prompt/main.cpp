// tamga-prompt: one window for one request, or pinentry's on the terminal of a command. Started by tamgad with the
// control channel as descriptor 3.
#include "prompt/conversation.hpp"
#include "prompt/display.hpp"
#include "prompt/pinentry_screen.hpp"
#include "prompt/rehearsal.hpp"
#include "prompt/surroundings.hpp"
#include "prompt/window.hpp"

#include "base/log.hpp"

#include <QApplication>

#include <sys/prctl.h>

#include <cstdlib>

namespace {

using namespace tamga;

Result<void> run(int argc, char** argv) {
    ipc::Channel control{UniqueFd{prompt::control_fd}};
    auto ends = prompt::receive_ends(std::move(control));
    if (!ends) return ends.error();
    auto sheet = prompt::receive_request(ends->web);
    if (!sheet) return prompt::refuse(ends->web, sheet.error());
    if (!sheet->request.terminal.path.empty()) {
        auto screen = prompt::PinentryScreen::open(*sheet);
        if (!screen) return prompt::refuse(ends->web, screen.error());
        return prompt::Conversation{std::move(*ends), *screen}.run(std::move(*sheet));
    }
    prompt::take_display_environment();
    prompt::keep_to_this_screen();
    if (!prompt::display_answers()) return prompt::refuse(ends->web, {Errc::prompt_unavailable, "no display"});
    if (prompt::session_is_locked())
        return prompt::refuse(ends->web, {Errc::prompt_unavailable, "the session is locked"});

    QApplication const application{argc, argv};
    prompt::Window window;
    return prompt::Conversation{std::move(*ends), window}.run(std::move(*sheet));
}

} // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_DUMPABLE, 0); // a PIN will be in this memory
    log::open("tamga-prompt");
    signing::start_openssl();
    prompt::rehearse();
    if (auto const done = run(argc, argv); !done) {
        log::info("prompt ended", {{"code", wire_name(done.error().code)}, {"detail", done.error().detail}});
    }
    return EXIT_SUCCESS;
}

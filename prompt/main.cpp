// tamga-prompt: one window for one request. Started by tamgad with the control channel as descriptor 3.
#include "prompt/conversation.hpp"
#include "prompt/rehearsal.hpp"
#include "prompt/surroundings.hpp"
#include "prompt/window.hpp"

#include "base/log.hpp"

#include <QApplication>

#include <sys/prctl.h>

#include <cstdlib>

namespace {

using namespace tamga;

/// The request is read although nobody sees it: closing a pair with unread messages would lose our own.
Result<void> unavailable(ipc::Channel& web, char const* why) {
    if (auto const asked = prompt::receive_request(web); !asked) return asked.error();
    Error const error{Errc::prompt_unavailable, why};
    (void)web.send(ipc::PromptEnded{ipc::Status::from(error)});
    return error;
}

Result<void> run(int argc, char** argv) {
    ipc::Channel control{UniqueFd{prompt::control_fd}};
    auto ends = prompt::receive_ends(std::move(control));
    if (!ends) return ends.error();
    prompt::take_display_environment();
    prompt::keep_to_this_screen();
    if (!prompt::display_answers()) return unavailable(ends->web, "no display");
    if (prompt::session_is_locked()) return unavailable(ends->web, "the session is locked");

    QApplication const application{argc, argv};
    prompt::Window window;
    return prompt::Conversation{std::move(*ends), window}.run();
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

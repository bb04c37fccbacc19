// tamga-prompt-pinentry: the prompt where Tamga's window is not installed. Started by tamgad as tamga-prompt is.
#include "prompt/conversation.hpp"
#include "prompt/pinentry_screen.hpp"
#include "prompt/rehearsal.hpp"
#include "prompt/surroundings.hpp"

#include "base/log.hpp"

#include <sys/prctl.h>

#include <cstdlib>

namespace {

using namespace tamga;

Result<void> run() {
    ipc::Channel control{UniqueFd{prompt::control_fd}};
    auto ends = prompt::receive_ends(std::move(control));
    if (!ends) return ends.error();
    auto sheet = prompt::receive_request(ends->web);
    if (!sheet) return prompt::refuse(ends->web, sheet.error());
    prompt::take_display_environment();
    if (sheet->request.terminal.path.empty() && prompt::session_is_locked())
        return prompt::refuse(ends->web, {Errc::prompt_unavailable, "the session is locked"});
    auto screen = prompt::PinentryScreen::open(*sheet);
    if (!screen) return prompt::refuse(ends->web, screen.error());
    return prompt::Conversation{std::move(*ends), *screen}.run(std::move(*sheet));
}

} // namespace

int main() {
    ::prctl(PR_SET_DUMPABLE, 0); // a PIN will be in this memory
    log::open("tamga-prompt");
    signing::start_openssl();
    prompt::rehearse();
    if (auto const done = run(); !done)
        log::info("prompt ended", {{"code", wire_name(done.error().code)}, {"detail", done.error().detail}});
    return EXIT_SUCCESS;
}

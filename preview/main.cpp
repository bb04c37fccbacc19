// tamga-preview: one page of one document, and then it is gone. Started by tamgad with the control channel as
// descriptor 3; the document comes from the prompt, and the picture goes to it.
#include "base/handshake.hpp"
#include "base/log.hpp"
#include "base/sealed_items.hpp"
#include "preview/picture.hpp"
#include "preview/sandbox.hpp"

#include <sys/prctl.h>

#include <chrono>
#include <cstdlib>

namespace {

using namespace tamga;

constexpr int control_fd = 3;
constexpr std::chrono::seconds patience{5};

/// The end of the pair with the prompt that wants a picture.
Result<ipc::Channel> introduced() {
    ipc::Channel control{UniqueFd{control_fd}};
    if (auto said = ipc::say_hello(control, ipc::Role::preview); !said) return said.error();
    if (auto heard = ipc::await_hello(control, ipc::Role::launcher, patience); !heard) return heard.error();
    auto packet = control.receive(patience);
    if (!packet) return packet.error();
    if (auto const message = packet->as<ipc::PreviewChannel>(); !message) return message.error();
    if (packet->descriptors.size() != 1) return Error{Errc::message_malformed, "one descriptor expected"};
    return ipc::Channel{std::move(packet->descriptors.front())};
}

Result<preview::Pixels> picture_of(ipc::Packet& packet) {
    auto const wanted = packet.as<ipc::PictureWanted>();
    if (!wanted) return wanted.error();
    if (packet.descriptors.size() != 1) return Error{Errc::message_malformed, "one document expected"};
    auto const document = SealedItems::open(packet.descriptors.front(), 1);
    if (!document) return document.error();
    if (document->items().size() != 1) return Error{Errc::message_malformed, "one document expected"};
    return preview::picture_of(document->items().front(), *wanted);
}

Result<void> serve(ipc::Channel& prompt, UniqueFd const& memfd) {
    if (auto said = ipc::say_hello(prompt, ipc::Role::preview); !said) return said;
    if (auto heard = ipc::await_hello(prompt, ipc::Role::prompt, patience); !heard) return heard;
    auto packet = prompt.receive(patience);
    if (!packet) return packet.error();
    auto const pixels = picture_of(*packet);
    if (!pixels) {
        static_cast<void>(prompt.send(ipc::Picture{ipc::Status::from(pixels.error()), 0, 0, 0}));
        return pixels.error();
    }
    if (auto sealed = seal_items(memfd, {View{pixels->octets}}); !sealed) return sealed;
    return prompt.send(ipc::Picture{ipc::Status::from(ok()), pixels->pages, pixels->width, pixels->height},
                       {memfd.get()});
}

Result<void> run() {
    auto prompt = introduced();
    if (!prompt) return prompt.error();
    // The only one there will be: the sandbox refuses to make another, and the largest file is a picture.
    auto const memfd = new_memfd();
    if (!memfd) return memfd.error();
    preview::load_decoders();
    if (auto entered = preview::enter_sandbox(); !entered) return entered;
    return serve(*prompt, *memfd);
}

} // namespace

int main() {
    ::prctl(PR_SET_DUMPABLE, 0); // a document will be in this memory
    log::open("tamga-preview");
    auto const done = run();
    if (!done) {
        log::info("preview ended", {{"code", wire_name(done.error().code)}, {"detail", done.error().detail}});
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

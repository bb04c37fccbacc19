#include "tests/support/token_driver.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <thread>

namespace tamga::test {

namespace {

void must(Result<void> const& done) {
    if (!done) throw std::runtime_error{std::string{wire_name(done.error().code)} + ": " + done.error().detail};
}

::pid_t start(std::string program, std::string argument, std::string const& config_home, std::string more,
              int control_fd) {
    std::string config = "XDG_CONFIG_HOME=" + config_home;
    std::string state = "XDG_STATE_HOME=" + config_home + "/../state";
    // A process that is not dumpable cannot be examined by LeakSanitizer.
    std::string sanitizer = "ASAN_OPTIONS=detect_leaks=0";
    auto const* const pcscd = std::getenv("PCSCLITE_CSOCK_NAME");
    std::string card_socket = std::string{"PCSCLITE_CSOCK_NAME="} + (pcscd != nullptr ? pcscd : "/nonexistent/pcscd");
    char* const arguments[] = {program.data(), argument.data(), nullptr};
    std::vector<char*> environment{config.data(), state.data(), sanitizer.data(), card_socket.data()};
    if (!more.empty()) environment.push_back(more.data());
    environment.push_back(nullptr);
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, control_fd, 3);
    ::pid_t pid = -1;
    auto const failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error{"cannot start " + program};
    return pid;
}

/// Without taking its exit status.
bool has_ended(::pid_t pid) {
    ::siginfo_t ended{};
    return ::waitid(P_PID, static_cast<::id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0;
}

ipc::Pair pair() {
    auto made = ipc::make_pair();
    if (!made) throw std::runtime_error{made.error().detail};
    return std::move(*made);
}

} // namespace

TokenDriver::TokenDriver(std::filesystem::path const& folder, std::string const& argument, std::string more,
                         std::string const& program) {
    auto ends = pair();
    m_pid = start(TAMGA_PROGRAMS_DIR "/" + program, argument, (folder / "config").string(), std::move(more),
                  ends.second.fd());
    control = std::move(ends.first);
    if (argument == "--count") return;
    must(ipc::say_hello(control, ipc::Role::launcher));
    bool const watches = argument == "--watch";
    must(ipc::await_hello(control, watches ? ipc::Role::watcher : ipc::Role::token, patience));
    if (!watches) connect_web();
}

TokenDriver::~TokenDriver() {
    if (m_pid > 0) end();
}

void TokenDriver::connect_web() {
    auto ends = pair();
    must(control.send(ipc::WebChannel{}, {ends.second.fd()}));
    web = std::move(ends.first);
    must(ipc::say_hello(web, ipc::Role::web));
    must(ipc::await_hello(web, ipc::Role::token, patience));
}

ipc::Channel TokenDriver::prompt(ipc::RequestId request) {
    auto ends = pair();
    must(control.send(ipc::PromptChannel{request}, {ends.second.fd()}));
    must(ipc::say_hello(ends.first, ipc::Role::prompt));
    must(ipc::await_hello(ends.first, ipc::Role::token, patience));
    return std::move(ends.first);
}

ipc::Channel TokenDriver::watcher() {
    auto ends = pair();
    must(control.send(ipc::WatcherChannel{}, {ends.second.fd()}));
    must(ipc::say_hello(ends.first, ipc::Role::watcher));
    must(ipc::await_hello(ends.first, ipc::Role::token, patience));
    return std::move(ends.first);
}

int TokenDriver::end() {
    control.close();
    // tamgad gives it as long to log out, then ends it.
    for (int i = 0; i < 400 && !has_ended(m_pid); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    if (!has_ended(m_pid)) ::kill(m_pid, SIGKILL);
    return wait();
}

int TokenDriver::wait() {
    if (m_pid > 0) ::waitpid(m_pid, &m_status, 0);
    m_pid = -1;
    return m_status;
}

Listing TokenDriver::list(ipc::Depth depth) {
    ipc::Channel window;
    if (depth == ipc::Depth::certificates) window = prompt(ipc::RequestId{++m_last_listing});
    return test::list(window ? window : web, depth);
}

Listing list(ipc::Channel& asker, ipc::Depth depth) {
    must(asker.send(ipc::ListKeys{5, depth}));
    Listing listing;
    while (true) {
        auto packet = asker.receive(patience);
        if (!packet) throw std::runtime_error{"no listing"};
        if (packet->is<ipc::TokensChanged>()) continue; // to nobody's question
        if (auto token = packet->as<ipc::TokenFound>())
            listing.tokens.push_back(std::move(*token));
        else if (auto found = packet->as<ipc::CertificateFound>())
            listing.certificates.push_back(std::move(*found));
        else if (auto done = packet->as<ipc::ListingDone>()) {
            listing.status = done->status.result();
            return listing;
        } else
            throw std::runtime_error{"another message in a listing"};
    }
}

Result<std::vector<Bytes>> TokenDriver::sign(ipc::RequestId request, std::vector<Bytes> items) {
    must(web.send(ipc::SignItems{request, 0, std::move(items)}));
    while (true) {
        auto packet = web.receive(patience);
        if (!packet) return packet.error();
        if (packet->is<ipc::TokensChanged>()) continue;
        if (auto signatures = packet->as<ipc::Signatures>()) return std::move(signatures->values);
        auto const ended = packet->as<ipc::LeaseEnded>();
        if (ended && ended->request != request) continue; // an earlier request, whose prompt went away
        if (!ended || ended->status.ok) throw std::runtime_error{"neither signatures nor an error"};
        return Error{ended->status.code, ended->status.detail};
    }
}

void send_unlock(ipc::Channel& prompt, ipc::SlotId slot, std::string pin, Bytes chosen) {
    ipc::Unlock message;
    message.slot = slot;
    message.chosen = std::move(chosen);
    auto taken = Pin::take({reinterpret_cast<unsigned char*>(pin.data()), pin.size()});
    if (!taken) throw std::runtime_error{"PIN"};
    message.pin = std::move(*taken);
    must(prompt.send(message));
}

void send_unlock_on_reader(ipc::Channel& prompt, ipc::SlotId slot) {
    ipc::Unlock message;
    message.slot = slot;
    must(prompt.send(message));
}

Unlocked unlocked(ipc::Channel& prompt) {
    Unlocked result{expect<ipc::UnlockReply>(prompt), {}};
    if (!result.reply.status.ok) return result;
    while (true) {
        auto packet = prompt.receive(patience);
        if (!packet) throw std::runtime_error{"no listing after the unlock"};
        auto found = packet->as<ipc::CertificateFound>();
        if (!found) {
            must(packet->as<ipc::ListingDone>()->status.result());
            return result;
        }
        result.certificates.push_back(std::move(found->der));
    }
}

Unlocked unlock(ipc::Channel& prompt, ipc::SlotId slot, std::string pin, Bytes chosen) {
    send_unlock(prompt, slot, std::move(pin), std::move(chosen));
    return unlocked(prompt);
}

ipc::Mandate mandate_for(ipc::RequestId request, ipc::Form form, signing::Certificate const& certificate,
                         std::vector<Bytes> digests) {
    return {request, form, certificate.fingerprint(), 60, std::move(digests), true};
}

Result<void> give(ipc::Channel& prompt, ipc::Mandate const& mandate) {
    must(prompt.send(mandate));
    return expect<ipc::MandateReply>(prompt).status.result();
}

} // namespace tamga::test

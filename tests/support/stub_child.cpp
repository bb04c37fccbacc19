// Stands in for tamga-web, tamga-token, tamga-prompt and tamga-preview in the tests of tamgad: speaks their messages
// and does no work. Which of them it is, its own name says. The test talks to the stand-in for tamga-web, a line at a
// time, over the local socket that tamgad made.
#include "base/handshake.hpp"
#include "base/stop_reason.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <span>
#include <sstream>

namespace {

using namespace tamga;
using ipc::Channel;

/// What a child can see: its environment, its descriptors and its umask, one a line.
std::string facts() {
    std::ostringstream out;
    out << "pid " << ::getpid() << "\ngroup " << ::getpgrp() << '\n';
    for (char** variable = environ; *variable != nullptr; ++variable)
        out << "env " << *variable << '\n';
    for (int fd = 0; fd < 256; ++fd) {
        struct ::stat status {};
        if (::fstat(fd, &status) == 0) out << "fd " << fd << '\n';
    }
    return out.str();
}

[[noreturn]] void fail(char const* what) {
    std::cerr << "stub: " << what << '\n';
    std::exit(1);
}

/// A file of that name beside the local socket's folder makes the stand-in for tamga-web end before it greets.
bool told_to_fail() {
    char const* runtime = std::getenv("XDG_RUNTIME_DIR");
    struct ::stat status {};
    return runtime != nullptr && ::stat((std::string{runtime} + "/web-fails").c_str(), &status) == 0;
}

Channel greet(ipc::Role own) {
    Channel control{UniqueFd{3}};
    if (!ipc::say_hello(control, own) || !ipc::await_hello(control, ipc::Role::launcher)) fail("no hello");
    return control;
}

Channel channel_of(ipc::Packet& packet) {
    if (packet.descriptors.size() != 1) fail("a channel without its descriptor");
    return Channel{std::move(packet.descriptors.front())};
}

int count_modules() {
    auto control = greet(ipc::Role::token);
    return control.send(ipc::ModuleCount{2}) ? 0 : 1;
}

/// Answers the listing from the web process and the unlock from a prompt with what it knows of itself.
int be_token(std::string const& at_start) {
    auto control = greet(ipc::Role::token);
    Channel web;
    Channel watcher;
    std::string watched = "watched by nobody\n";
    std::map<std::uint64_t, Channel> prompts;
    while (true) {
        std::vector<::pollfd> polled{{control.fd(), POLLIN, 0}, {web.fd(), POLLIN, 0}, {watcher.fd(), POLLIN, 0}};
        for (auto const& [request, prompt] : prompts)
            polled.push_back({prompt.fd(), POLLIN, 0});
        ::poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) {
            auto packet = control.receive();
            if (!packet) return 0;
            if (packet->is<ipc::WebChannel>())
                web = channel_of(*packet);
            else if (packet->is<ipc::PromptChannel>()) {
                prompts[packet->as<ipc::PromptChannel>()->request.value()] = channel_of(*packet);
            } else if (packet->is<ipc::WatcherChannel>()) {
                watcher = channel_of(*packet);
            } else
                fail("unexpected");
            continue;
        }
        if (polled[1].revents != 0) {
            auto packet = web.receive();
            if (!packet)
                web.close();
            else if (!web.send(ipc::ListingDone{packet->as<ipc::ListKeys>()->query,
                                                {true, Errc::internal, watched + at_start}})) {
                fail("web does not listen");
            }
        }
        if (polled[2].revents != 0) {
            auto packet = watcher.receive();
            if (!packet)
                watcher.close();
            else
                watched = "watched by " + packet->as<ipc::ReaderState>()->name + '\n';
        }
        for (auto prompt = prompts.begin(); prompt != prompts.end();) {
            auto packet = prompt->second.try_receive();
            if (packet && *packet) {
                auto const detail = "request " + std::to_string(prompt->first) + "\n" + at_start;
                if (!prompt->second.send(ipc::UnlockReply{{true, Errc::internal, detail}, {}})) fail("prompt is gone");
            }
            prompt = packet ? std::next(prompt) : prompts.erase(prompt);
        }
    }
}

/// Tells each token who it is, and waits for the next.
int be_watcher() {
    auto control = greet(ipc::Role::watcher);
    std::map<std::uint8_t, Channel> tokens;
    while (auto packet = control.receive()) {
        auto& token = tokens[packet->as<ipc::TokenChannel>()->module.value()] = channel_of(*packet);
        if (!token.send(ipc::ReaderState{std::to_string(::getpid()), true, {}})) fail("token is gone");
    }
    return 0;
}

/// A prompt of such a request asks for the process of a key file.
constexpr ipc::RequestId wants_a_file{100};

std::string ask_file_token(Channel& control) {
    if (!control.send(ipc::FileTokenWanted{})) fail("launcher is gone");
    auto packet = control.receive();
    if (!packet || !packet->is<ipc::FileTokenChannel>()) fail("no file token");
    auto channel = channel_of(*packet);
    if (!channel.send(ipc::Unlock{})) fail("file token is gone");
    auto reply = channel.receive();
    if (!reply) fail("file token does not answer");
    auto const detail = reply->as<ipc::UnlockReply>()->status.detail;
    return "file " + detail.substr(0, detail.find('\n')) + "\n";
}

/// A prompt of such a request asks for two previews instead, one after the other.
constexpr ipc::RequestId wants_previews{200};

/// What the preview that it is given sees.
std::string ask_preview(Channel& control) {
    if (!control.send(ipc::PreviewWanted{})) fail("launcher is gone");
    auto packet = control.receive();
    if (!packet || !packet->is<ipc::PreviewChannel>()) fail("no preview");
    auto channel = channel_of(*packet);
    auto reply = channel.receive();
    if (!reply) fail("preview does not speak");
    return "preview request " + std::to_string(packet->as<ipc::PreviewChannel>()->request.value()) + '\n' +
           reply->as<ipc::Picture>()->status.detail;
}

/// Says what it sees, and stays.
int be_preview(std::string const& at_start) {
    auto control = greet(ipc::Role::preview);
    auto packet = control.receive();
    if (!packet || !packet->is<ipc::PreviewChannel>()) fail("unexpected");
    auto prompt = channel_of(*packet);
    if (!prompt.send(ipc::Picture{{true, Errc::internal, at_start}, 0, 0, 0})) fail("prompt is gone");
    ::pause();
    return 0;
}

/// Asks every token it was given, tells the web process what they and it itself said, and ends.
int be_prompt(std::string const& at_start) {
    auto control = greet(ipc::Role::prompt);
    std::string said;
    while (true) {
        auto packet = control.receive();
        if (!packet) return 0;
        auto channel = channel_of(*packet);
        if (packet->is<ipc::WebChannel>()) {
            auto const request = packet->as<ipc::WebChannel>()->request;
            if (request >= wants_previews)
                said += ask_preview(control) + ask_preview(control);
            else if (request >= wants_a_file)
                said += ask_file_token(control);
            return channel.send(ipc::PromptEnded{{true, Errc::internal, said + at_start}}) ? 0 : 1;
        }
        auto const module = packet->as<ipc::TokenChannel>()->module;
        if (!channel.send(ipc::Unlock{})) fail("token is gone");
        auto reply = channel.receive();
        if (!reply) fail("token does not answer");
        auto const detail = reply->as<ipc::UnlockReply>()->status.detail;
        said += "module " + std::to_string(module.value()) + " " + detail.substr(0, detail.find('\n')) + "\n";
    }
}

/// Leaves beside the local socket's folder what it was started with.
int be_trust_program(std::string const& at_start, std::span<char*> words) {
    std::ofstream left{std::string{std::getenv("XDG_RUNTIME_DIR")} + "/trust", std::ios::app};
    left << "arguments";
    for (auto const* word : words)
        left << ' ' << word;
    left << '\n' << at_start;
    return 0;
}

class Web {
public:
    explicit Web(std::string at_start) : m_facts{std::move(at_start)}, m_control{greet(ipc::Role::web)} {}

    int run() {
        while (true) {
            std::vector<::pollfd> polled{{m_control.fd(), POLLIN, 0}, {m_local.get(), POLLIN, 0}};
            ::poll(polled.data(), polled.size(), -1);
            if (polled[0].revents != 0 && !hear()) return 0;
            if (polled[1].revents != 0) serve(UniqueFd{::accept(m_local.get(), nullptr, nullptr)});
        }
    }

private:
    /// Takes one control message; false when it is time to go.
    bool hear() {
        auto packet = m_control.receive();
        if (!packet) return false;
        if (auto const stop = packet->as<ipc::Stop>()) {
            if (stop->reason != static_cast<std::uint8_t>(ipc::StopReason::when_answered))
                return std::getenv("TAMGA_DEBUG") != nullptr; // then it does not obey
            m_events << "finish\n";
            return true;
        }
        if (packet->is<ipc::Listener>()) {
            auto const listener = packet->as<ipc::Listener>();
            m_events << "listener " << listener->port << '\n';
            if (listener->kind == ipc::ListenerKind::local)
                m_local = std::move(packet->descriptors.at(0));
            else
                m_tcp.push_back(std::move(packet->descriptors.at(0)));
        } else if (packet->is<ipc::TokenChannel>()) {
            auto const module = packet->as<ipc::TokenChannel>()->module;
            m_tokens[module.value()] = channel_of(*packet);
            m_events << "token " << unsigned{module.value()} << '\n';
        } else if (packet->is<ipc::TokenGone>()) {
            m_events << "gone " << unsigned{packet->as<ipc::TokenGone>()->module.value()} << '\n';
        } else if (packet->is<ipc::FileTokenChannel>()) {
            m_file = channel_of(*packet);
            m_events << "file " << packet->as<ipc::FileTokenChannel>()->request.value() << '\n';
        } else if (packet->is<ipc::PromptChannel>()) {
            m_prompt = channel_of(*packet);
        } else if (packet->is<ipc::PromptRefused>()) {
            m_refused = true;
        } else
            fail("unexpected");
        return true;
    }

    std::string answer(std::string const& line) {
        std::istringstream words{line};
        std::string verb;
        std::uint64_t number = 0;
        std::uint64_t modules = 0;
        words >> verb >> number >> modules;
        if (verb == "facts") return m_facts;
        if (verb == "events") return m_events.str();
        if (verb == "token") {
            auto& token = m_tokens[static_cast<std::uint8_t>(number)];
            if (!token.send(ipc::ListKeys{})) return "gone";
            auto packet = token.receive();
            return packet ? packet->as<ipc::ListingDone>()->status.detail : "gone";
        }
        if (verb == "answered") std::exit(0);
        if (verb == "misbehave") static_cast<void>(m_control.send(ipc::ModuleCount{1}));
        if (verb == "prompt") return prompt({ipc::RequestId{number}, modules});
        return "done";
    }

    std::string prompt(ipc::PromptWanted const& wanted) {
        m_prompt.close();
        m_refused = false;
        if (!m_control.send(wanted)) fail("launcher is gone");
        while (!m_prompt && !m_refused) {
            if (!hear()) fail("launcher is gone");
        }
        if (m_refused) return "refused";
        auto packet = m_prompt.receive();
        return packet ? packet->as<ipc::PromptEnded>()->status.detail : "prompt gone";
    }

    void serve(UniqueFd client) {
        std::array<char, 256> line{};
        if (::recv(client.get(), line.data(), line.size() - 1, 0) <= 0) return;
        auto const reply = answer(line.data());
        static_cast<void>(::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL));
    }

    std::string m_facts;
    Channel m_control;
    UniqueFd m_local;
    std::vector<UniqueFd> m_tcp;
    std::map<std::uint8_t, Channel> m_tokens;
    Channel m_prompt;
    Channel m_file;
    bool m_refused = false;
    std::ostringstream m_events;
};

} // namespace

int main(int argc, char** argv) {
    auto const at_start = facts();
    std::string const program{argv[0]};
    if (program == "tamga-web") return told_to_fail() ? 1 : Web{at_start}.run();
    if (program == "tamga-prompt") return be_prompt(at_start);
    if (program == "tamga-preview") return be_preview(at_start);
    if (program == "tamga") return be_trust_program(at_start, {argv + 1, static_cast<std::size_t>(argc) - 1});
    if (argc == 2 && std::string_view{argv[1]} == "--count") return count_modules();
    if (argc == 2 && std::string_view{argv[1]} == "--watch") return be_watcher();
    return be_token(at_start);
}

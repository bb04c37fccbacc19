// What the children say to the launcher, and the pairs it makes between them.
#include "base/handshake.hpp"
#include "base/log.hpp"
#include "daemon/launcher/launcher.hpp"

#include <algorithm>

namespace tamga::launcher {

namespace {

constexpr std::size_t most_prompts = 16;
constexpr std::chrono::milliseconds patience_after_goodbye{2000};
constexpr std::chrono::seconds listening_retry{3};
/// Longer than a tamga-preview gives itself (preview/sandbox.hpp): this is for one that was taken over.
constexpr std::chrono::seconds preview_life{12};
constexpr std::chrono::milliseconds spare_prompt_delay{250};
constexpr std::chrono::seconds trust_patience{60};
constexpr ipc::RequestId no_request{};

} // namespace

Launcher::Child* Launcher::running(Job job, ipc::ModuleIndex module) {
    for (auto& child : m_children) {
        if (child.job == job && child.module == module && child.pid != 0) return &child;
    }
    return nullptr;
}

void Launcher::told(Child& child, Result<void> const& sent) {
    if (sent || sent.error().code == Errc::channel_closed) return;
    log::error("child_does_not_read", {{"pid", child.pid}, {"reason", wire_name(sent.error().code)}});
    kill_group(child);
}

/// Gives each of two children an end of a new pair.
template <class A, class B>
bool Launcher::connect(Child& first, A const& to_first, Child& second, B const& to_second) {
    auto pair = ipc::make_pair();
    if (!pair) {
        log::error("pair_failed", {{"reason", pair.error().detail}});
        return false;
    }
    tell(first, to_first, {pair->first.fd()});
    tell(second, to_second, {pair->second.fd()});
    return true;
}

/// Not before tamga-web is ready, or a page would wait for an answer that may never come; nor before the modules are
/// known, or it would be told that there is no token. While tamga-web is started again the sockets stay as they are.
void Launcher::listen() {
    auto const* web = running(Job::web);
    if (web == nullptr || !web->greeted || !m_modules || m_stopping) return;
    offer(m_listeners.open());
    open_missing_listeners();
}

void Launcher::open_missing_listeners() {
    m_retry_listening.reset();
    offer(m_listeners.open_missing());
    if (m_listeners.anything_taken()) m_retry_listening = Clock::now() + listening_retry;
}

/// So that a page learns at once that there is no Tamga.
void Launcher::stop_listening() {
    m_retry_listening.reset();
    if (m_listeners.open().empty()) return;
    m_listeners.close_ours();
    log::error("not_listening", {{"reason", "tamga-web does not run; tried again"}});
}

void Launcher::offer(std::vector<Listening const*> const& listening) {
    auto* web = running(Job::web);
    if (web == nullptr) return;
    for (auto const* each : listening)
        tell(*web, each->message, {each->fd.get()});
}

void Launcher::connect_to_web(Child& token) {
    if (auto* web = running(Job::web)) connect(*web, ipc::TokenChannel{token.module}, token, ipc::WebChannel{});
}

void Launcher::connect_to_watcher(Child& token) {
    if (auto* watcher = running(Job::watcher)) {
        connect(*watcher, ipc::TokenChannel{token.module}, token, ipc::WatcherChannel{});
    }
}

/// Tells a child that was just started who we are, and gives it what it works with.
void Launcher::introduce(Child& child) {
    tell(child, ipc::Hello::from(ipc::Role::launcher));
    if (child.job == Job::token) {
        connect_to_web(child);
        connect_to_watcher(child);
    }
    if (child.job != Job::web && child.job != Job::watcher) return;
    for (auto& token : m_children) {
        if (token.job != Job::token || token.pid == 0) continue;
        if (child.job == Job::web)
            connect_to_web(token);
        else
            connect_to_watcher(token);
    }
    if (child.job == Job::web) m_last_request = {}; // a new process counts from 1 again
}

Launcher::Heard Launcher::receive_one(Child& child) {
    auto packet = child.control.try_receive();
    if (packet && !*packet) return Heard::nothing;
    auto const handled = packet ? handle(child, **packet) : Result<void>{packet.error()};
    if (handled) return Heard::something;
    if (handled.error().code == Errc::channel_closed) {
        end_softly(child, patience_after_goodbye);
        return Heard::nothing;
    }
    log::error("child_ended",
               {{"pid", child.pid}, {"reason", wire_name(handled.error().code)}, {"detail", handled.error().detail}});
    child.control.close();
    kill_group(child);
    if (handled.error().code == Errc::build_mismatch) retire();
    return Heard::nothing;
}

Result<void> Launcher::handle(Child& child, ipc::Packet& packet) {
    if (!packet.descriptors.empty()) return Error{Errc::message_malformed, "descriptors"};
    if (child.job == Job::trust) return Error{Errc::message_malformed, "it has nothing to say"};
    if (!child.greeted) {
        constexpr ipc::Role roles[] = {ipc::Role::token,   ipc::Role::web,   ipc::Role::token,  ipc::Role::prompt,
                                       ipc::Role::watcher, ipc::Role::token, ipc::Role::preview};
        child.greeted = true;
        auto const greeted = ipc::check_hello(packet, roles[static_cast<std::size_t>(child.job)]);
        if (greeted && child.job == Job::web) {
            listen();
            install_trust();
        }
        return greeted;
    }
    if (child.job == Job::count_modules && packet.is<ipc::ModuleCount>()) return modules_counted(packet);
    if (child.job == Job::web && packet.is<ipc::PromptWanted>()) return prompt_wanted(child, packet);
    if (child.job == Job::prompt && packet.as<ipc::FileTokenWanted>()) return file_token_wanted(child);
    if (child.job == Job::prompt && packet.as<ipc::PreviewWanted>()) return preview_wanted(child);
    return Error{Errc::message_malformed, "type " + std::to_string(packet.type())};
}

Result<void> Launcher::modules_counted(ipc::Packet& packet) {
    auto const counted = packet.as<ipc::ModuleCount>();
    if (!counted) return counted.error();
    if (counted->count > ipc::max_modules || m_modules) return Error{Errc::message_malformed, "module count"};
    m_modules = counted->count;
    log::info("modules", {{"count", unsigned{counted->count}}});
    if (m_stopping) return ok();
    if (counted->count != 0) start(add(Job::watcher));
    for (std::uint8_t i = 0; i < counted->count; ++i)
        start(add(Job::token, ipc::ModuleIndex{i}));
    listen();
    return ok();
}

Result<void> Launcher::prompt_wanted(Child& web, ipc::Packet& packet) {
    auto const wanted = packet.as<ipc::PromptWanted>();
    if (!wanted) return wanted.error();
    auto const open = std::count_if(m_children.begin(), m_children.end(),
                                    [](Child const& child) { return child.job == Job::prompt; });
    auto const known = m_modules.value_or(0);
    auto const beyond_ours = known < ipc::max_modules ? wanted->modules >> known : 0;
    auto const refused = m_stopping || wanted->request <= m_last_request || beyond_ours != 0 ||
                         static_cast<std::size_t>(open) >= most_prompts;
    m_last_request = std::max(m_last_request, wanted->request);
    if (refused || !start_prompt(web, *wanted)) tell(web, ipc::PromptRefused{wanted->request});
    return ok();
}

/// Once in our life, and when tamga-web is there, which has made the certificate. What it did it writes into our log.
/// Browsers that came since the last start, and a certificate that was renewed, are seen to as well.
void Launcher::install_trust() {
    if (m_settings.trust_program.empty() || std::exchange(m_trust_installed, true)) return;
    auto& child = add(Job::trust);
    if (start(child))
        child.due = Clock::now() + trust_patience;
    else
        child.due.reset();
}

/// The prompt that no request has yet: loaded, or to be loaded.
Launcher::Child* Launcher::spare_prompt() {
    auto const spare = std::ranges::find_if(m_children, [](Child const& child) {
        return child.job == Job::prompt && child.request == no_request && (child.pid == 0 || child.control);
    });
    return spare == m_children.end() ? nullptr : &*spare;
}

/// Pages ask several times in a row: for the key, then for signatures. The program that shows the next window is loaded
/// while the person reads this one. Not at once: the two would hold each other up.
void Launcher::plan_spare_prompt() {
    add(Job::prompt).due = Clock::now() + spare_prompt_delay;
}

/// A window has closed: nobody is held up any more.
void Launcher::hurry_spare_prompt() {
    if (auto* spare = spare_prompt(); spare != nullptr && spare->pid == 0) spare->due = Clock::now();
}

/// The pair to the web process comes last: with it the prompt has all it needs.
bool Launcher::start_prompt(Child& web, ipc::PromptWanted const& wanted) {
    auto* prompt = spare_prompt();
    if (prompt == nullptr) prompt = &add(Job::prompt);
    if (prompt->pid == 0 && !start(*prompt)) {
        std::erase_if(m_children, [&](Child const& child) { return &child == prompt; });
        return false;
    }
    prompt->request = wanted.request;
    prompt->due.reset();
    for (auto& token : m_children) {
        if (token.job != Job::token || token.pid == 0 || ((wanted.modules >> token.module.value()) & 1) == 0) continue;
        connect(*prompt, ipc::TokenChannel{token.module}, token, ipc::PromptChannel{wanted.request});
    }
    if (!connect(web, ipc::PromptChannel{wanted.request}, *prompt, ipc::WebChannel{wanted.request})) {
        kill_group(*prompt);
        return false;
    }
    plan_spare_prompt();
    return true;
}

/// For a prompt that serves a request: none other has anything to sign with a file.
Result<void> Launcher::file_token_wanted(Child& prompt) {
    if (prompt.request == no_request) return Error{Errc::message_malformed, "a spare prompt wants a file"};
    end_file_token(prompt.request);
    auto* web = running(Job::web);
    if (web != nullptr && !m_stopping && start_file_token(prompt, *web)) return ok();
    tell(prompt, ipc::FileTokenChannel{prompt.request});
    return ok();
}

bool Launcher::start_file_token(Child& prompt, Child& web) {
    auto& file = add(Job::file);
    file.request = prompt.request;
    if (!start(file)) {
        std::erase_if(m_children, [&](Child const& child) { return &child == &file; });
        return false;
    }
    // tamga-web first: it knows whom to ask before the prompt can tell it that somebody agreed.
    ipc::FileTokenChannel const introduced{prompt.request};
    if (connect(web, introduced, file, ipc::WebChannel{prompt.request}) &&
        connect(prompt, introduced, file, ipc::PromptChannel{prompt.request})) {
        return true;
    }
    kill_group(file);
    return false;
}

/// It mostly has ended already: with its prompt.
void Launcher::end_file_token(ipc::RequestId request) {
    for (auto& child : m_children) {
        if (child.job == Job::file && child.request == request && child.pid != 0)
            end_softly(child, patience_after_goodbye);
    }
}

/// For a prompt that serves a request: a spare one has no document.
Result<void> Launcher::preview_wanted(Child& prompt) {
    if (prompt.request == no_request) return Error{Errc::message_malformed, "a spare prompt wants a preview"};
    end_preview(prompt.request);
    if (!m_stopping && start_preview(prompt)) return ok();
    tell(prompt, ipc::PreviewChannel{prompt.request});
    return ok();
}

bool Launcher::start_preview(Child& prompt) {
    auto& preview = add(Job::preview);
    preview.request = prompt.request;
    if (!start(preview)) {
        std::erase_if(m_children, [&](Child const& child) { return &child == &preview; });
        return false;
    }
    ipc::PreviewChannel const introduced{prompt.request};
    if (connect(prompt, introduced, preview, introduced)) {
        preview.due = Clock::now() + preview_life;
        return true;
    }
    kill_group(preview);
    return false;
}

/// There is nothing that it would have to put in order.
void Launcher::end_preview(ipc::RequestId request) {
    for (auto const& child : m_children) {
        if (child.job == Job::preview && child.request == request) kill_group(child);
    }
}

} // namespace tamga::launcher

// The way of one prompt, straight and blocking, from the request to the end of its window.
//
// The tokens introduce themselves: what is chosen from came on the pairs to their processes, and a PIN goes back on the
// same pair, so that it reaches the token that was shown and no other.
//
// Two paths, one flow, one PIN. Where certificates are readable: choose a key, PIN. Where they are not: choose a token,
// PIN, choose one of the keys that appear. Either way every PIN typed is exactly one Unlock.
#pragma once

#include "prompt/choices.hpp"
#include "prompt/control.hpp"
#include "prompt/token_talk.hpp"
#include "prompt/token_work.hpp"
#include "prompt/words.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace tamga::prompt {

/// Not thread-safe; `screen` outlives it.
template <Screen S>
class Conversation {
public:
    Conversation(Ends ends, S& screen)
        : m_web{std::move(ends.web)},
          m_control{std::move(ends.control)},
          m_ends{std::move(ends.tokens)},
          m_screen{screen} {}

    /// Returns when nothing is left to show. What went wrong was told to tamga-web and, where a person can do something
    /// about it, to the person; it is returned for the log.
    Result<void> run() {
        auto sheet = receive_request(m_web);
        if (!sheet) return end(sheet.error());
        return run(std::move(*sheet));
    }

    /// The same with a request that was read already.
    Result<void> run(Sheet sheet) {
        m_sheet = std::move(sheet);
        m_sheet.start_preview = [this] { return m_control.start_preview(); };

        auto accepted = decide();
        if (!accepted) return end(accepted.error());
        auto const sent = m_document ? m_web.send(*accepted, {m_document.get()}) : m_web.send(*accepted);
        if (!sent) return sent.error();
        if (needs_signature() || m_sheet.request.purpose == ipc::Purpose::key_work) return accompany();
        advise();
        return ok();
    }

private:
    using Clock = std::chrono::steady_clock;

    /// So long the tokens are waited for before there is a window: what fails at once fails without one.
    static constexpr std::chrono::milliseconds patience_without_window{500};

    [[nodiscard]] bool needs_signature() const {
        return m_sheet.request.purpose == ipc::Purpose::sign || m_sheet.request.purpose == ipc::Purpose::sign_in;
    }
    [[nodiscard]] std::string words(char const* message) const {
        return std::string{text(m_sheet.request.language, message)};
    }
    [[nodiscard]] std::string words(Errc code) const { return std::string{explain(m_sheet.request.language, code)}; }

    Result<void> end(Error const& error) {
        if (std::exchange(m_ended, true)) return error;
        // A cancel takes back what the person said about the site before it.
        bool const site_allowed = m_site_allowed && error.code != Errc::user_cancelled;
        // Nobody may be listening any more: the window goes all the same.
        (void)m_web.send(ipc::PromptEnded{ipc::Status::from(error), site_allowed});
        return error;
    }

    void show() {
        m_screen.show(m_sheet);
        m_shown = true;
    }

    /// Tells the person before the error goes to tamga-web, whose answer to it is to take the window away.
    Error told(Error error) {
        if (error.code == Errc::token_crashed || error.code == Errc::token_timeout) {
            // Nobody's decision: the page need not wait until the person has read of it.
            (void)end(error);
            m_screen.tell(words(error.code), -1);
        } else if (error.code != Errc::user_cancelled && error.code != Errc::channel_closed) {
            m_screen.tell(words(error.code), m_web.fd());
        }
        return error;
    }

    Error told_locked(Error error, ipc::TokenInfo const& token) {
        m_screen.tell(locked_words(m_sheet.request.language, token), m_web.fd());
        return error;
    }

    Result<ipc::Accepted> decide() {
        if (m_sheet.request.purpose == ipc::Purpose::site) {
            if (auto allowed = ask_about_site(); !allowed) return allowed.error();
            return ipc::Accepted{};
        }
        if (m_sheet.request.purpose == ipc::Purpose::choose_file) return choose_document();
        auto watched = PluggedIn::watch(std::move(m_ends), m_sheet.request.storages);
        if (!watched) return watched.error();
        m_tokens.emplace(std::move(*watched));
        if (is_about_token(m_sheet.request.purpose)) {
            if (auto answered = await_answers(); !answered) return answered.error();
            TokenWork<S> work{
                *m_tokens,
                m_sheet,
                m_screen,
                m_web.fd(),
                [this](std::string error, bool can_go_back) { return file_question(std::move(error), can_go_back); },
                [this](View octets) { return replace_file(m_key_file, octets); }};
            return work.run();
        }
        auto question = first_question();
        if (!question) return question.error();
        auto chosen = choose(std::move(*question));
        if (!chosen) return chosen.error();
        if (!needs_signature())
            m_tokens->channel(chosen->module).close(); // what its PIN opened is closed before the site hears of it
        else if (auto given = talk().give_mandate(*chosen); !given)
            return told(given.error());
        ipc::Accepted accepted;
        accepted.module = chosen->module;
        accepted.slot = chosen->slot;
        accepted.certificate = chosen->certificate->der();
        if (m_remember && can_be_remembered(m_sheet, *chosen)) {
            auto const taken = talk().remember(*chosen);
            if (!taken && taken.error().code != Errc::unsupported) return told(taken.error());
            accepted.remembered = taken.has_value();
            m_not_remembered = !accepted.remembered;
        }
        return accepted;
    }

    Result<void> ask_about_site() {
        show();
        auto const answer = m_screen.ask({}, m_web.fd(), -1);
        if (answer.act != Act::accept) return refusal(answer.act);
        m_site_allowed = true;
        return ok();
    }

    // ---- what is plugged in ----

    /// What the tokens have said when something can be shown. A token that keeps silent holds up nobody else's window;
    /// where all do, the window says so.
    Result<Question> first_question() {
        if (takes_files() && m_sheet.request.storages.size() == 1) return file_instead();
        if (auto answered = await_answers(); !answered) return answered.error();
        Question question;
        bring_up_to_date(question);
        if (!question.choices.empty() || !m_tokens->complete()) show();
        while (question.choices.empty() && !m_tokens->complete()) {
            if (auto heard = await_news(question, message_id("Still waiting for the tokens to answer ...")); !heard)
                return heard.error();
        }
        if (question.choices.empty())
            return offers_files() ? file_instead(no_token_words(), true) : Result<Question>{nothing_found()};
        question.takes_files = takes_files();
        return question;
    }

    /// In the place of `question`, all of whose tokens were pulled out: until one is there again, or a file is chosen.
    Result<Question> next_question(Question question) {
        while (question.choices.empty()) {
            if (!m_tokens->complete()) {
                if (auto heard = await_news(question, message_id("Still waiting for the tokens to answer ...")); !heard)
                    return heard.error();
            } else if (m_tokens->failure().code != Errc::token_absent) {
                return told(m_tokens->failure());
            } else if (offers_files()) {
                return file_instead(no_token_words(), true);
            } else if (auto heard = await_news(question, message_id("No token is plugged in. Plug one in, and this "
                                                                    "window goes on by itself."));
                       !heard) {
                return heard.error();
            }
        }
        return question;
    }

    Result<void> await_news(Question& question, char const* waiting) {
        auto const woken = m_screen.wait({words(waiting), 0, 0, 0}, m_web.fd(), m_tokens->fd());
        if (woken == Woken::cancelled) return Errc::user_cancelled;
        if (woken == Woken::first) return refusal(Act::gone);
        m_tokens->hear();
        bring_up_to_date(question);
        return ok();
    }

    /// Without a window: until every token process has answered, or for as long as nobody notices.
    Result<void> await_answers() {
        auto const until = Clock::now() + patience_without_window;
        while (!m_tokens->complete()) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
            if (left <= 0) break;
            std::array<::pollfd, 2> ends{{{m_web.fd(), POLLIN, 0}, {m_tokens->fd(), POLLIN, 0}}};
            (void)::poll(ends.data(), ends.size(), static_cast<int>(left));
            if (ends[0].revents != 0) return refusal(Act::gone);
            m_tokens->hear();
        }
        return ok();
    }

    /// What was typed for a token that is gone is not typed for another.
    void bring_up_to_date(Question& question) {
        m_others = m_tokens->has_left_out();
        auto const news = m_tokens->take_news();
        auto found = choices_before_pin(m_sheet, news.found, known(), std::time(nullptr));
        if (!follow(question, news, std::move(found))) {
            question.error = words(chosen_is_gone);
            question.goes_on = false;
        }
        question.more_may_come = !m_tokens->complete();
        question.follows_tokens = true;
    }

    /// Whether the chosen token is the one that is there, as its process says by now: what was typed for it may be
    /// sent.
    Result<bool> is_still_there(Question& question) {
        while (question.follows_tokens && question.chosen) {
            m_tokens->hear();
            bring_up_to_date(question);
            if (!question.chosen) return false;
            auto const& choice = question.choices[*question.chosen];
            if (m_tokens->is_settled({choice.module, choice.slot})) return true;
            if (auto heard = await_news(question, message_id("Still waiting for the tokens to answer ...")); !heard)
                return heard.error();
        }
        return question.chosen.has_value();
    }

    /// A site that was not answered yet is asked about first: it does not learn that there is no token.
    Error nothing_found() {
        auto const failure = m_tokens->failure();
        if (m_sheet.request.site_is_new) {
            m_sheet.request.purpose = ipc::Purpose::site;
            m_sheet.documents = Documents{};
            auto const allowed = ask_about_site();
            return allowed ? failure : allowed.error();
        }
        return m_shown ? told(failure) : failure;
    }

    // ---- the choice and the PIN ----

    /// Asks until a key is chosen and, where its PIN is wanted, its token unlocked.
    Result<Choice> choose(Question question) {
        while (true) {
            if (question.follows_tokens) {
                m_tokens->hear();
                bring_up_to_date(question);
                if (question.choices.empty()) {
                    auto next = next_question(std::move(question));
                    if (!next) return next.error();
                    question = std::move(*next);
                }
            }
            // While more may come the only one is not the only one yet.
            if (!question.more_may_come && !m_others) {
                admit_only_key(question.choices, m_sheet, known(), std::time(nullptr));
            }
            if (!question.chosen && !question.more_may_come) question.chosen = only_choice(question.choices);
            auto const hopeless_code = hopeless(question.choices);
            bool const no_hope = hopeless_code.has_value() && !question.more_may_come;
            // Of a locked PIN the list says what helps for each token.
            if (no_hope && (hopeless_code == Errc::key_not_found || hopeless_code == Errc::role_missing))
                question.error = no_key_words(question, *hopeless_code);
            auto answer = m_screen.ask(question, m_web.fd(), question.follows_tokens ? m_tokens->fd() : -1);
            question.goes_on = answer.act == Act::news;
            if (answer.act == Act::news) {
                if (answer.choice < question.choices.size()) question.chosen = answer.choice;
                continue;
            }
            if (answer.act == Act::file) {
                if (auto other = file_question({}, true); other)
                    question = std::move(*other);
                else if (other.error().code != Errc::user_cancelled)
                    return other.error();
                continue;
            }
            if (no_hope && answer.act == Act::cancel) return no_key(hopeless_code.value_or(Errc::key_not_found));
            if (answer.act != Act::accept) return refusal(answer.act);
            if (answer.choice >= question.choices.size() || question.choices[answer.choice].obstacle) {
                question.error = words(message_id("Choose a key first."));
                continue;
            }
            m_site_allowed = m_sheet.request.site_is_new;
            question.chosen = answer.choice;
            question.error.clear();
            m_remember = answer.remember;
            if (question.choices[answer.choice].pin != PinEntry::none) {
                auto const there = is_still_there(question);
                if (!there) return there.error();
                if (!*there) continue;
            }
            auto& choice = question.choices[*question.chosen];
            if (choice.pin == PinEntry::none) return choice;

            if (auto const act = confirm_attempt(choice.token); act == Act::gone)
                return refusal(act);
            else if (act != Act::accept)
                continue;
            auto keys = unlock(question, std::move(answer.pin));
            if (keys && is_key_file(choice.token)) m_recent->add(m_key_file);
            if (auto const fault = fault_of_file(choice, keys); !fault.empty()) {
                auto other = file_question(fault, false);
                if (!other) return other.error();
                question = std::move(*other);
                continue;
            }
            if (keys) return after_unlock(question, *keys);
            if (keys.error().code == Errc::pin_locked) return told_locked(keys.error(), choice.token);
            if (keys.error().code != Errc::pin_incorrect && keys.error().code != Errc::pin_length &&
                keys.error().code != Errc::password_incorrect)
                return told(keys.error());
            question.error = words(keys.error().code);
        }
    }

    Error refusal(Act act) const {
        if (act == Act::gone) return Error{Errc::channel_closed, "the request was withdrawn"};
        return Error{act == Act::refuse_site && m_sheet.request.site_is_new ? Errc::site_refused
                                                                            : Errc::user_cancelled};
    }

    /// A site that was not allowed yet does not learn what is plugged in.
    Error no_key(Errc code) const { return Error{m_sheet.request.site_is_new ? Errc::user_cancelled : code}; }

    [[nodiscard]] std::string no_key_words(Question const& question, Errc code) const {
        auto const& choices = question.choices; // none where a token turned out to be empty behind its PIN
        bool const of_file = code == Errc::key_not_found && !choices.empty() && is_key_file(choices.front().token);
        return of_file ? words(message_id("No key in this file fits. Choose another file.")) : words(code);
    }

    Act confirm_attempt(ipc::TokenInfo const& token) {
        if (!is_risky_attempt(token)) return Act::accept;
        return m_screen.confirm(attempt_confirmation(m_sheet.request.language, token), m_web.fd());
    }

    /// One Unlock. On success the keys whose private part is there.
    Result<std::vector<Bytes>> unlock(Question& question, Pin pin) {
        auto const chosen = question.choices[*question.chosen];
        auto const reply = talk().unlock(chosen, std::move(pin));
        if (!reply) return reply.error();
        auto const unlocked = reply->status.result();
        auto const judged =
            unlocked || unlocked.error().code == Errc::pin_incorrect || unlocked.error().code == Errc::pin_locked;
        if (judged && !is_key_file(chosen.token)) renew(question, chosen, reply->info);
        if (!unlocked) return unlocked.error();
        m_factory_pin = reply->factory_pin;
        return talk().keys(chosen.module);
    }

    /// What is known of the PIN after an attempt holds for every key of that token.
    static void renew(Question& question, Choice const& unlocked, ipc::TokenInfo const& info) {
        for (auto& choice : question.choices) {
            if (choice.module == unlocked.module && choice.slot == unlocked.slot) choice.token = info;
        }
    }

    Result<Choice> after_unlock(Question const& unlocked, std::vector<Bytes> const& keys) {
        auto const& choice = unlocked.choices[*unlocked.chosen];
        if (!choice.certificate) {
            m_others = m_others || unlocked.choices.size() > 1;
            Question question;
            question.choices = choices_after_pin(m_sheet, choice, keys, known(), std::time(nullptr));
            question.takes_files = is_key_file(choice.token);
            return choose(std::move(question));
        }
        if (std::find(keys.begin(), keys.end(), choice.certificate->der()) != keys.end()) return choice;
        return told(Error{Errc::key_not_found, "the certificate has no private key on its token"});
    }

    // ---- files ----

    /// Whether a key may come from a file: where no storage is named, whatever the person has will do.
    [[nodiscard]] bool takes_files() const {
        auto const& storages = m_sheet.request.storages;
        return storages.empty() || std::ranges::find(storages, ipc::key_file_storage) != storages.end();
    }

    /// What failed is said; where there is just no token, a file may be what the person has.
    [[nodiscard]] bool offers_files() const {
        return takes_files() && (!m_sheet.request.storages.empty() || m_tokens->failure().code == Errc::token_absent);
    }

    Result<Question> file_instead(std::string why = {}, bool or_token = false) {
        if (!m_shown) show();
        return file_question(std::move(why), false, or_token);
    }

    /// Above the files: who has a token came for it, and is not to wonder why only files are asked for.
    [[nodiscard]] std::string no_token_words() const {
        return words(message_id("No token is plugged in. Plug one in, and it is shown here; if it is plugged in, tamga "
                                "doctor says what is wrong. Or choose a key file:"));
    }

    /// Asks until a file was opened that may hold keys. They are listed after its password. `or_token`: or until a
    /// token is plugged in, which is asked about then.
    Result<Question> file_question(std::string error, bool can_go_back, bool or_token = false) {
        if (!m_recent) m_recent = RecentFiles::load(RecentFiles::default_path());
        bool goes_on = false;
        while (true) {
            auto const answer = m_screen.choose_file({FileUse::key, m_recent->paths(), error, can_go_back, goes_on},
                                                     m_web.fd(), or_token ? m_tokens->fd() : -1);
            goes_on = answer.act == Act::news;
            if (answer.act == Act::news) {
                Question question;
                m_tokens->hear();
                bring_up_to_date(question);
                question.takes_files = takes_files();
                if (!question.choices.empty()) return question;
                continue;
            }
            error.clear();
            if (answer.act == Act::forget_files) {
                m_recent->clear();
                continue;
            }
            if (answer.act != Act::accept) return refusal(answer.act);
            auto opened = open_key_file(answer.path);
            if (opened) return std::move(*opened);
            if (!is_fault_of_file(opened.error().code)) return told(opened.error());
            error = words(opened.error().code);
        }
    }

    Result<Question> open_key_file(std::filesystem::path const& path) {
        auto const file = open_file(path);
        if (!file) return Error{Errc::key_file_malformed, file.error().detail};
        if (auto started = start_file_token(); !started) return started.error();
        auto info = talk().open(*file);
        if (!info) return info.error();
        info->label = path.filename().string(); // its name is between the person and this window
        m_key_file = path;
        m_others = false; // the person pointed at this file: what is in it is all there is to choose from
        Choice choice;
        choice.module = ipc::key_file_module;
        choice.token = std::move(*info);
        choice.pin = PinEntry::typed;
        Question question;
        question.choices.push_back(std::move(choice));
        question.chosen = 0;
        question.takes_files = true;
        return question;
    }

    /// One process for all files that are tried in this request.
    Result<void> start_file_token() {
        if (std::exchange(m_has_file_token, true)) return ok();
        if (!m_control.want_file_token()) return Error{Errc::token_crashed, "no process for the key file"};
        Waiting const waiting{words(message_id("Opening the key file ...")), 0, 0};
        while (true) {
            auto channel = m_control.file_token();
            if (!channel) return channel.error();
            if (*channel) return take_file_token(std::move(**channel));
            auto const woken = m_screen.wait(waiting, m_web.fd(), m_control.fd());
            if (woken == Woken::cancelled) return Errc::user_cancelled;
            if (woken == Woken::first) return refusal(Act::gone);
        }
    }

    Result<void> take_file_token(ipc::Channel channel) {
        if (!ipc::say_hello(channel, ipc::Role::prompt)) return Errc::token_crashed;
        m_tokens->add(ipc::key_file_module, std::move(channel));
        return ok();
    }

    static bool is_fault_of_file(Errc code) {
        return code == Errc::key_file_malformed || code == Errc::key_file_unsupported;
    }

    /// Why another file is wanted, in words; nothing where the password was wrong, or all is well.
    [[nodiscard]] std::string fault_of_file(Choice const& choice, Result<std::vector<Bytes>> const& keys) const {
        if (!is_key_file(choice.token)) return {};
        if (!keys) return is_fault_of_file(keys.error().code) ? words(keys.error().code) : std::string{};
        if (!keys->empty()) return {};
        return words(message_id("There is no key in this file that Tamga can use. Choose another file."));
    }

    /// For the site to have it signed later: it gets a handle, and neither name nor content.
    Result<ipc::Accepted> choose_document() {
        show();
        std::string error;
        while (true) {
            auto const answer = m_screen.choose_file({FileUse::document, {}, std::move(error)}, m_web.fd(), -1);
            if (answer.act != Act::accept) return refusal(answer.act);
            auto file = open_file(answer.path);
            if (file && !looks_like_key_file(*file)) {
                m_document = std::move(*file);
                return ipc::Accepted{};
            }
            error = words(file ? message_id("This file holds a private key. No site needs it: choose another file.")
                               : message_id("This file cannot be read. Choose another one."));
        }
    }

    /// Read once for each request, when there is a key to judge.
    Knowledge const& known() {
        if (!m_known) m_known = Knowledge::load(m_sheet.request.user_authorities);
        return *m_known;
    }

    TokenTalk<S> talk() { return {*m_tokens, m_sheet, m_screen, m_web.fd()}; }

    /// Shows progress until tamga-web says how it ended. Cancelling closes our pairs, on which the token logs out.
    Result<void> accompany() {
        Waiting waiting{words(message_id("Waiting for the token ...")), 0, 0};
        // One document has no steps to show.
        auto const count = m_sheet.documents.count();
        waiting.total = count > 1 ? static_cast<std::uint32_t>(count) : 0;
        while (true) {
            if (m_screen.wait(waiting, m_web.fd(), -1) == Woken::cancelled) return end(Error{Errc::user_cancelled});
            auto packet = m_web.receive();
            if (!packet) return packet.error();
            if (packet->template is<ipc::Progress>()) {
                auto const progress = packet->template as<ipc::Progress>();
                if (!progress) return progress.error();
                if (progress->stage == ipc::Stage::key_work) {
                    waiting.total = progress->total > 1 ? progress->total : 0;
                    auto const number = std::min(progress->done + 1, progress->total);
                    waiting.words = work_words(m_sheet.request.language, number, progress->total);
                } else if (progress->stage == ipc::Stage::stamping) {
                    waiting.words = words(message_id("Waiting for the time-stamp ..."));
                    waiting.total = progress->total;
                } else {
                    waiting.signed_documents = progress->done;
                }
                waiting.done = progress->done;
                continue;
            }
            auto const done = packet->template as<ipc::RequestDone>();
            if (!done) return done.error();
            auto const result = done->status.result();
            if (!result && result.error().code != Errc::user_cancelled) m_screen.tell(words(result.error().code), -1);
            if (result) advise();
            return result;
        }
    }

    /// After the page has its answer: nothing waits for the person's reading.
    void advise() {
        m_tokens.reset();
        auto const purpose = m_sheet.request.purpose;
        if (purpose == ipc::Purpose::change_pin || purpose == ipc::Purpose::unblock_pin) {
            m_screen.advise(pin_changed_words(m_sheet.request.language, !m_key_file.empty()));
        }
        if (m_factory_pin) m_screen.advise(factory_pin_words(m_sheet.request.language));
        if (m_not_remembered) {
            m_screen.advise(
                words(message_id("You are signed in. The login could not be remembered: this key wants its PIN "
                                 "each time, or nobody here says when the screen is locked.")));
        }
    }

    ipc::Channel m_web;
    Control m_control;
    TokenEnds m_ends;
    std::optional<PluggedIn> m_tokens;
    std::optional<Knowledge> m_known;
    S& m_screen;
    Sheet m_sheet;
    bool m_shown = false;
    bool m_site_allowed = false;
    bool m_ended = false; ///< tamga-web was told
    bool m_factory_pin = false;
    bool m_remember = false; ///< the login, for this site
    bool m_not_remembered = false;
    bool m_has_file_token = false;
    bool m_others = false; ///< there are tokens beside those in question, whose keys are not looked at
    std::optional<RecentFiles> m_recent;
    std::filesystem::path m_key_file; ///< chosen last
    UniqueFd m_document;              ///< chosen for the site
};

} // namespace tamga::prompt

// What is asked of a token as a whole: work on its keys, and its PIN. No certificate is chosen, a token is; then the
// PIN, once for each Unlock, ChangePin or UnblockPin, as in prompt/conversation.hpp.
#pragma once

#include "prompt/choices.hpp"
#include "prompt/key_words.hpp"
#include "prompt/token_talk.hpp"
#include "prompt/words.hpp"

namespace tamga::prompt {

/// Borrows all it is given. Blocks while the screen stays alive.
template <Screen S>
class TokenWork {
public:
    /// A key file in the place of a token: has the person choose one and opens it, which makes a question of it.
    using ChooseFile = std::function<Result<Question>(std::string error, bool can_go_back)>;
    /// Puts these octets in the place of the file that was chosen last.
    using ReplaceFile = std::function<Result<void>(View octets)>;

    TokenWork(PluggedIn& tokens, Sheet const& sheet, S& screen, int web, ChooseFile choose, ReplaceFile replace)
        : m_tokens{tokens},
          m_sheet{sheet},
          m_screen{screen},
          m_web{web},
          m_choose_file{std::move(choose)},
          m_replace_file{std::move(replace)} {}

    /// Shows what is to be done and asks until it is agreed to and the token has its mandate, or the PIN is changed.
    /// What the person can do something about they were told. Errors: user_cancelled, channel_closed (the request was
    /// withdrawn), token_absent, and what the token answers.
    Result<ipc::Accepted> run() {
        Question question;
        bring_up_to_date(question);
        bool const nothing = question.choices.empty() && m_tokens.complete();
        if (nothing && !takes_files()) return m_tokens.failure();
        m_screen.show(m_sheet);
        question.new_pin = m_sheet.request.purpose != ipc::Purpose::key_work;
        question.word_to_type = word_to_type(m_sheet);
        question.takes_files = takes_files();
        if (nothing) {
            if (auto chosen = choose_file(question, {}, false); !chosen) return chosen.error();
        }
        while (true) {
            if (question.follows_tokens) {
                m_tokens.hear();
                bring_up_to_date(question);
                if (question.choices.empty() && m_tokens.complete()) return told(m_tokens.failure(), {});
            }
            if (!question.chosen && !question.more_may_come) question.chosen = only_choice(question.choices);
            auto answer = m_screen.ask(question, m_web, question.follows_tokens ? m_tokens.fd() : -1);
            question.goes_on = answer.act == Act::news;
            if (answer.act == Act::news) {
                if (answer.choice < question.choices.size()) question.chosen = answer.choice;
                continue;
            }
            if (answer.act == Act::gone) return Error{Errc::channel_closed, "the request was withdrawn"};
            if (answer.act == Act::file) {
                auto const chosen = choose_file(question, {}, true);
                if (!chosen && chosen.error().code != Errc::user_cancelled) return chosen.error();
                continue;
            }
            if (answer.act != Act::accept) return Errc::user_cancelled;
            question.error = fault_of(question, answer);
            if (!question.error.empty()) continue;
            question.chosen = answer.choice;
            auto const there = is_still_there(question);
            if (!there) return there.error();
            if (!*there) continue;
            auto const choice = question.choices[*question.chosen];
            if (auto const act = confirm_attempt(choice.token); act == Act::gone)
                return Error{Errc::channel_closed, "the request was withdrawn"};
            else if (act != Act::accept)
                continue;
            auto const done = question.new_pin ? work_on_pin(question, choice, std::move(answer))
                                               : give_mandate(question, choice, std::move(answer.pin));
            if (done) return accepted(choice);
            if (!may_be_typed_again(done.error().code)) return told(done.error(), choice.token);
            question.error = pin_failure_words(m_sheet.request.language, choice.token, done.error().code);
        }
    }

private:
    [[nodiscard]] std::string words(char const* message) const {
        return std::string{text(m_sheet.request.language, message)};
    }

    /// The password of a file is changed like the PIN of a token; keys are made and stored on tokens alone.
    [[nodiscard]] bool takes_files() const {
        auto const& storages = m_sheet.request.storages;
        return m_sheet.request.purpose == ipc::Purpose::change_pin && m_sheet.request.token_serial.empty() &&
               (storages.empty() || std::ranges::find(storages, ipc::key_file_storage) != storages.end());
    }

    Result<void> choose_file(Question& question, std::string error, bool can_go_back) {
        auto chosen = m_choose_file(std::move(error), can_go_back);
        if (!chosen) return chosen.error();
        question.choices = std::move(chosen->choices);
        question.chosen = 0;
        question.more_may_come = false;
        question.follows_tokens = false;
        question.error.clear();
        return ok();
    }

    /// What was typed for a token that is gone is not typed for another.
    void bring_up_to_date(Question& question) {
        auto const news = m_tokens.take_news();
        if (!follow(question, news, token_choices(m_sheet, news.found))) {
            question.error = words(chosen_is_gone);
            question.goes_on = false;
        }
        for (auto const& token : news.found)
            m_certificates.insert(m_certificates.end(), token.certificates.begin(), token.certificates.end());
        question.operations = operations_words(m_sheet, m_certificates);
        question.more_may_come = !m_tokens.complete();
        question.follows_tokens = true;
    }

    /// Whether the chosen token is the one that is there, as its process says by now: what was typed for it may be
    /// sent.
    Result<bool> is_still_there(Question& question) {
        while (question.follows_tokens && question.chosen) {
            m_tokens.hear();
            bring_up_to_date(question);
            if (!question.chosen) return false;
            auto const& choice = question.choices[*question.chosen];
            if (m_tokens.is_settled({choice.module, choice.slot})) return true;
            auto const waiting = words(message_id("Still waiting for the tokens to answer ..."));
            auto const woken = m_screen.wait({waiting, 0, 0, 0}, m_web, m_tokens.fd());
            if (woken == Woken::cancelled) return Errc::user_cancelled;
            if (woken == Woken::first) return Error{Errc::channel_closed, "the request was withdrawn"};
        }
        return question.chosen.has_value();
    }

    /// What has to be put right before anything is sent; empty where nothing has.
    [[nodiscard]] std::string fault_of(Question const& question, Answer const& answer) const {
        if (answer.choice >= question.choices.size() || question.choices[answer.choice].obstacle) {
            return words(message_id("Choose a token first."));
        }
        if (answer.typed != question.word_to_type) {
            return typing_fault(m_sheet.request.language, question.word_to_type);
        }
        return {};
    }

    /// The administrator's PIN is asked about each time: nobody counts how many wrong ones there were.
    Act confirm_attempt(ipc::TokenInfo const& token) {
        auto const language = m_sheet.request.language;
        auto confirmation = attempt_confirmation(language, token);
        if (m_sheet.request.purpose == ipc::Purpose::unblock_pin) {
            confirmation.words =
                words(message_id("If the administrator PIN is wrong several times, the token can never be unlocked "
                                 "again. Are you sure of it?"));
        } else if (!is_risky_attempt(token)) {
            return Act::accept;
        }
        return m_screen.confirm(confirmation, m_web);
    }

    Result<void> work_on_pin(Question& question, Choice const& choice, Answer answer) {
        if (is_key_file(choice.token)) return change_password(choice, std::move(answer));
        bool const by_administrator = m_sheet.request.purpose == ipc::Purpose::unblock_pin;
        auto const reply = by_administrator
                               ? talk().unblock_pin(choice, std::move(answer.pin), std::move(answer.new_pin))
                               : talk().change_pin(choice, std::move(answer.pin), std::move(answer.new_pin));
        if (!reply) return reply.error();
        auto const changed = reply->status.result();
        if (!changed && changed.error().code == Errc::pin_incorrect) renew(question, choice, reply->info);
        return changed;
    }

    /// The process of the file writes nothing: what it made is put in place here.
    Result<void> change_password(Choice const& choice, Answer answer) {
        auto const changed = talk().change_password(choice, std::move(answer.pin), std::move(answer.new_pin));
        if (!changed) return changed.error();
        if (!changed->status) return changed->status;
        return m_replace_file(changed->file.items().front());
    }

    Result<void> give_mandate(Question& question, Choice const& choice, Pin pin) {
        auto const reply = talk().unlock(choice, std::move(pin));
        if (!reply) return reply.error();
        auto const unlocked = reply->status.result();
        if (!unlocked && unlocked.error().code == Errc::pin_incorrect) renew(question, choice, reply->info);
        if (!unlocked) return unlocked;
        if (auto const keys = talk().keys(choice.module); !keys) return keys.error();
        return talk().give_key_mandate(choice);
    }

    static void renew(Question& question, Choice const& tried, ipc::TokenInfo const& info) {
        for (auto& choice : question.choices) {
            if (choice.module == tried.module && choice.slot == tried.slot) choice.token = info;
        }
    }

    static bool may_be_typed_again(Errc code) {
        return code == Errc::pin_incorrect || code == Errc::pin_length || code == Errc::pin_unsuitable ||
               code == Errc::so_pin_incorrect || code == Errc::password_incorrect;
    }

    static ipc::Accepted accepted(Choice const& choice) {
        ipc::Accepted accepted;
        accepted.module = choice.module;
        accepted.slot = choice.slot;
        accepted.serial = choice.token.serial;
        accepted.family = choice.token.family;
        return accepted;
    }

    Error told(Error error, ipc::TokenInfo const& token) {
        auto const code = error.code;
        if (code != Errc::user_cancelled && code != Errc::channel_closed) {
            m_screen.tell(pin_failure_words(m_sheet.request.language, token, code), m_web);
        }
        return error;
    }

    TokenTalk<S> talk() { return {m_tokens, m_sheet, m_screen, m_web}; }

    PluggedIn& m_tokens;
    Sheet const& m_sheet;
    S& m_screen;
    int m_web;
    ChooseFile m_choose_file;
    ReplaceFile m_replace_file;
    std::vector<Bytes> m_certificates; ///< that tokens show
};

} // namespace tamga::prompt

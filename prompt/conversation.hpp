// The way of one prompt, straight and blocking, from the request to the end of its window.
//
// Two paths, one flow, one PIN. Where certificates are readable: choose a key, PIN. Where they are not: choose a token,
// PIN, choose one of the keys that appear. Either way every PIN typed is exactly one Unlock.
#pragma once

#include "base/explain.hpp"
#include "prompt/ends.hpp"

#include <algorithm>
#include <ctime>

namespace tamga::prompt {

/// Not thread-safe; `screen` outlives it.
template <Screen S>
class Conversation {
public:
    Conversation(Ends ends, S& screen)
        : m_web{std::move(ends.web)}, m_tokens{std::move(ends.tokens)}, m_screen{screen} {}

    /// Returns when nothing is left to show. What went wrong was told to tamga-web and, where a person can do something
    /// about it, to the person; it is returned for the log.
    Result<void> run() {
        auto asked = receive_request(m_web);
        if (!asked) return end(asked.error());
        m_sheet = std::move(asked->sheet);
        m_screen.show(m_sheet);

        auto accepted = decide(choices_before_pin(m_sheet, asked->candidates, std::time(nullptr)));
        if (!accepted) return end(accepted.error());
        if (auto sent = m_web.send(*accepted); !sent) return sent.error();
        return needs_signature() ? accompany() : ok();
    }

private:
    [[nodiscard]] bool needs_signature() const {
        return m_sheet.request.purpose == ipc::Purpose::sign || m_sheet.request.purpose == ipc::Purpose::sign_in;
    }
    [[nodiscard]] std::string words(char const* message) const {
        return std::string{text(m_sheet.request.language, message)};
    }
    [[nodiscard]] std::string words(Errc code) const { return std::string{explain(m_sheet.request.language, code)}; }

    Result<void> end(Error const& error) {
        // Nobody may be listening any more: the window goes all the same.
        (void)m_web.send(ipc::PromptEnded{ipc::Status::from(error)});
        return error;
    }

    /// Tells the person before the error goes to tamga-web, whose answer to it is to take the window away.
    Error told(Error error) {
        if (error.code != Errc::user_cancelled && error.code != Errc::channel_closed) {
            m_screen.tell(words(error.code), m_web.fd());
        }
        return error;
    }

    Result<ipc::Accepted> decide(std::vector<Choice> choices) {
        if (m_sheet.request.purpose == ipc::Purpose::site) {
            auto const answer = m_screen.ask({}, m_web.fd());
            if (answer.act != Act::accept) return refusal(answer.act);
            return ipc::Accepted{};
        }
        auto chosen = choose(std::move(choices));
        if (!chosen) return chosen.error();
        auto& token = m_tokens[chosen->module];
        if (!needs_signature())
            token.channel.close(); // what its PIN opened is closed before the site hears of it
        else if (auto given = give_mandate(token, *chosen); !given)
            return told(given.error());
        return ipc::Accepted{chosen->module, chosen->slot, chosen->certificate->der()};
    }

    /// Asks until a key is chosen and, where its PIN is wanted, its token unlocked.
    Result<Choice> choose(std::vector<Choice> choices) {
        Question question{std::move(choices), {}, {}};
        question.chosen = only_choice(question.choices);
        auto const hopeless_code = hopeless(question.choices);
        if (hopeless_code) question.error = words(*hopeless_code);
        while (true) {
            auto answer = m_screen.ask(question, m_web.fd());
            if (hopeless_code && answer.act == Act::cancel) return no_key(*hopeless_code);
            if (answer.act != Act::accept) return refusal(answer.act);
            if (answer.choice >= question.choices.size() || question.choices[answer.choice].obstacle) {
                question.error = words(message_id("Choose a key first."));
                continue;
            }
            question.chosen = answer.choice;
            question.error.clear();
            auto& choice = question.choices[answer.choice];
            if (choice.pin == PinEntry::none) return choice;

            if (auto const act = confirm_last_attempt(choice); act == Act::gone)
                return refusal(act);
            else if (act != Act::accept)
                continue;
            auto keys = unlock(question, std::move(answer.pin));
            if (keys) return after_unlock(choice, *keys);
            if (keys.error().code != Errc::pin_incorrect && keys.error().code != Errc::pin_length)
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

    Act confirm_last_attempt(Choice const& choice) {
        if (!choice.token.pin_final_try) return Act::accept;
        return m_screen.confirm(
            words(message_id("This is the last attempt: if the PIN is wrong, the token is locked. Are "
                             "you sure of the PIN?")),
            m_web.fd());
    }

    /// One Unlock. On success the keys whose private part is there.
    Result<std::vector<Bytes>> unlock(Question& question, Pin pin) {
        auto const chosen = question.choices[*question.chosen];
        auto& token = m_tokens[chosen.module];
        ipc::Unlock message;
        message.slot = chosen.slot;
        if (chosen.pin == PinEntry::typed) {
            if (pin.empty()) return Errc::pin_length;
            message.pin = std::move(pin);
        }
        if (auto sent = token.channel.send(message); !sent) return crashed(sent.error());
        auto const waiting = chosen.pin == PinEntry::on_reader ? message_id("Type the PIN on the keypad of the reader.")
                                                               : message_id("The token is checking the PIN ...");
        auto reply = hear<ipc::UnlockReply>(token, waiting);
        if (!reply) return reply.error();
        auto const unlocked = reply->status.result();
        if (unlocked || unlocked.error().code == Errc::pin_incorrect) renew(question, chosen, reply->info);
        if (!unlocked) return unlocked.error();
        return hear_keys(token);
    }

    /// What is known of the PIN after an attempt holds for every key of that token.
    static void renew(Question& question, Choice const& unlocked, ipc::TokenInfo const& info) {
        for (auto& choice : question.choices) {
            if (choice.module == unlocked.module && choice.slot == unlocked.slot) choice.token = info;
        }
    }

    Result<std::vector<Bytes>> hear_keys(TokenEnd& token) {
        std::vector<Bytes> keys;
        while (true) {
            auto packet = hear_packet(token, message_id("The token is reading its keys ..."));
            if (!packet) return packet.error();
            if (packet->template is<ipc::CertificateFound>()) {
                auto found = packet->template as<ipc::CertificateFound>();
                if (!found) return found.error();
                keys.push_back(std::move(found->der));
                continue;
            }
            auto const done = packet->template as<ipc::ListingDone>();
            if (!done) return done.error();
            if (auto const listed = done->status.result(); !listed) return listed.error();
            return keys;
        }
    }

    Result<Choice> after_unlock(Choice const& choice, std::vector<Bytes> const& keys) {
        if (!choice.certificate) return choose(choices_after_pin(m_sheet, choice, keys, std::time(nullptr)));
        if (std::find(keys.begin(), keys.end(), choice.certificate->der()) != keys.end()) return choice;
        return told(Error{Errc::key_not_found, "the certificate has no private key on its token"});
    }

    Result<void> give_mandate(TokenEnd& token, Choice const& chosen) {
        if (auto sent = send_mandate(token.channel, m_sheet, *chosen.certificate); !sent) return crashed(sent.error());
        auto const reply = hear<ipc::MandateReply>(token, message_id("The token is preparing to sign ..."));
        return reply ? reply->status.result() : reply.error();
    }

    /// The token's next message, which must be an M.
    template <class M>
    Result<M> hear(TokenEnd& token, char const* waiting) {
        auto packet = hear_packet(token, waiting);
        if (!packet) return packet.error();
        return packet->template as<M>();
    }

    Result<ipc::Packet> hear_packet(TokenEnd& token, char const* waiting) {
        while (true) {
            auto const woken = m_screen.wait({words(waiting), 0, 0}, m_web.fd(), token.channel.fd());
            if (woken == Woken::cancelled) return Errc::user_cancelled;
            if (woken == Woken::first) return refusal(Act::gone);
            auto packet = token.channel.receive();
            if (!packet) return crashed(packet.error());
            if (token.greeted) return packet;
            if (auto greeted = ipc::check_hello(*packet, ipc::Role::token); !greeted) return greeted.error();
            token.greeted = true;
        }
    }

    static Error crashed(Error error) {
        if (error.code == Errc::channel_closed) error.code = Errc::token_crashed;
        return error;
    }

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
                waiting.done = progress->done;
                continue;
            }
            auto const done = packet->template as<ipc::RequestDone>();
            if (!done) return done.error();
            auto const result = done->status.result();
            if (!result && result.error().code != Errc::user_cancelled) m_screen.tell(words(result.error().code), -1);
            return result;
        }
    }

    ipc::Channel m_web;
    std::map<ipc::ModuleIndex, TokenEnd> m_tokens;
    S& m_screen;
    Sheet m_sheet;
};

} // namespace tamga::prompt

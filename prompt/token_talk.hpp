// What the prompt says to a token once it was chosen: the PIN, then the mandate. Each wait shows what is waited for.
#pragma once

#include "base/explain.hpp"
#include "base/sealed_items.hpp"
#include "prompt/ends.hpp"

namespace tamga::prompt {

/// To whoever had chosen it.
inline constexpr char const* chosen_is_gone = message_id("The token you had chosen was pulled out.");

/// Borrows all it is given. Every call blocks while the screen stays alive.
/// Errors of all: user_cancelled, channel_closed (the request was withdrawn), token_crashed, and what the token
/// answers.
template <Screen S>
class TokenTalk {
public:
    TokenTalk(PluggedIn& tokens, Sheet const& sheet, S& screen, int web)
        : m_tokens{tokens}, m_sheet{sheet}, m_screen{screen}, m_web{web} {}

    /// Has the process of the request's key file take `file`. Errors: key_file_malformed, key_file_unsupported.
    Result<ipc::TokenInfo> open(UniqueFd const& file) {
        constexpr std::uint64_t query = listing_query + 1;
        auto const waiting = message_id("Opening the key file ...");
        auto& channel = m_tokens.channel(ipc::key_file_module);
        if (auto sent = channel.send(ipc::OpenKeyFile{query}, {file.get()}); !sent) return crashed(sent.error());
        std::optional<ipc::TokenInfo> opened;
        while (true) {
            auto packet = hear_packet(ipc::key_file_module, waiting);
            if (!packet) return packet.error();
            if (auto found = packet->template as<ipc::TokenFound>()) {
                opened = std::move(found->info);
                continue;
            }
            auto const done = packet->template as<ipc::ListingDone>();
            if (!done) return done.error();
            if (auto const listed = done->status.result(); !listed) return listed.error();
            if (!opened) return Error{Errc::message_malformed, "a file without a word"};
            return std::move(*opened);
        }
    }

    /// Exactly one Unlock, whatever comes back; none for an empty PIN where one is to be typed (pin_length).
    Result<ipc::UnlockReply> unlock(Choice const& choice, Pin pin) {
        ipc::Unlock message;
        message.slot = choice.slot;
        if (choice.certificate) message.chosen = choice.certificate->der();
        message.for_key_work = m_sheet.request.purpose == ipc::Purpose::key_work;
        if (choice.pin == PinEntry::typed) {
            if (pin.empty()) return Errc::pin_length;
            message.pin = std::move(pin);
        }
        if (auto sent = m_tokens.channel(choice.module).send(message); !sent) return crashed(sent.error());
        auto const waiting = choice.pin == PinEntry::on_reader ? message_id("Type the PIN on the keypad of the reader.")
                             : is_key_file(choice.token)       ? message_id("Opening the key file ...")
                                                               : message_id("The token is checking the PIN ...");
        return hear<ipc::UnlockReply>(choice.module, waiting);
    }

    /// After an unlock: the certificates whose private key is there.
    Result<std::vector<Bytes>> keys(ipc::ModuleIndex module) {
        std::vector<Bytes> keys;
        while (true) {
            auto packet = hear_packet(module, message_id("The token is reading its keys ..."));
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

    Result<void> give_mandate(Choice const& chosen) {
        auto& channel = m_tokens.channel(chosen.module);
        if (auto sent = send_mandate(channel, m_sheet, *chosen.certificate); !sent) return crashed(sent.error());
        auto const reply = hear<ipc::MandateReply>(chosen.module, message_id("The token is preparing to sign ..."));
        return reply ? reply->status.result() : reply.error();
    }

    /// After an unlock for work on keys: what the sheet showed, to the token itself.
    Result<void> give_key_mandate(Choice const& chosen) {
        auto& channel = m_tokens.channel(chosen.module);
        if (auto sent = send_key_mandate(channel, m_sheet); !sent) return crashed(sent.error());
        auto const reply = hear<ipc::MandateReply>(chosen.module, message_id("The token is preparing ..."));
        return reply ? reply->status.result() : reply.error();
    }

    /// Exactly one ChangePin or UnblockPin; none where a PIN is to be typed and was not (pin_length).
    Result<ipc::PinChanged> change_pin(Choice const& choice, Pin old_pin, Pin new_pin) {
        return work_on_pin(
            choice, ipc::ChangePin{m_sheet.request.request, choice.slot, std::move(old_pin), std::move(new_pin)});
    }
    /// The same for a key file: its octets under the new password come back.
    struct PasswordChanged {
        Result<void> status;
        SealedItems file;
    };
    Result<PasswordChanged> change_password(Choice const& choice, Pin present, Pin next) {
        ipc::ChangePin const message{m_sheet.request.request, choice.slot, std::move(present), std::move(next)};
        if (auto sent = m_tokens.channel(choice.module).send(message); !sent) return crashed(sent.error());
        auto packet = hear_packet(choice.module, message_id("Opening the key file ..."));
        if (!packet) return packet.error();
        auto const changed = packet->template as<ipc::PinChanged>();
        if (!changed) return changed.error();
        PasswordChanged result{changed->status.result(), {}};
        if (!result.status) return result;
        auto sealed = packet->descriptors.size() == 1 ? SealedItems::open(packet->descriptors.front(), 1)
                                                      : Error{Errc::message_malformed, "no memfd"};
        if (!sealed) return sealed.error();
        if (sealed->items().size() != 1) return Error{Errc::message_malformed, "no file"};
        result.file = std::move(*sealed);
        return result;
    }
    Result<ipc::PinChanged> unblock_pin(Choice const& choice, Pin so_pin, Pin new_pin) {
        return work_on_pin(
            choice, ipc::UnblockPin{m_sheet.request.request, choice.slot, std::move(so_pin), std::move(new_pin)});
    }

    /// After a mandate. Error: unsupported, where the token does not do that.
    Result<void> remember(Choice const& chosen) {
        ipc::Remember const wanted{m_sheet.request.request, chosen.certificate->fingerprint(), m_sheet.request.origin,
                                   chosen.token.remember_s, chosen.token.remember_unused_s};
        if (auto sent = m_tokens.channel(chosen.module).send(wanted); !sent) return crashed(sent.error());
        auto const reply = hear<ipc::RememberReply>(chosen.module, message_id("The token is preparing to sign ..."));
        return reply ? reply->status.result() : reply.error();
    }

private:
    template <class M>
    Result<ipc::PinChanged> work_on_pin(Choice const& choice, M const& message) {
        if (auto sent = m_tokens.channel(choice.module).send(message); !sent) return crashed(sent.error());
        auto const waiting = choice.pin == PinEntry::on_reader ? message_id("Type the PIN on the keypad of the reader.")
                                                               : message_id("The token is changing the PIN ...");
        return hear<ipc::PinChanged>(choice.module, waiting);
    }

    /// The token's next message beside the listing, which must be an M.
    template <class M>
    Result<M> hear(ipc::ModuleIndex module, char const* waiting) {
        auto packet = hear_packet(module, waiting);
        if (!packet) return packet.error();
        return packet->template as<M>();
    }

    Result<ipc::Packet> hear_packet(ipc::ModuleIndex module, char const* waiting) {
        Waiting const shown{std::string{text(m_sheet.request.language, waiting)}, 0, 0};
        while (true) {
            auto packet = m_tokens.receive(module);
            if (!packet) return packet.error();
            if (*packet) return std::move(**packet);
            auto const woken = m_screen.wait(shown, m_web, m_tokens.channel(module).fd());
            if (woken == Woken::cancelled) return Errc::user_cancelled;
            if (woken == Woken::first) return Error{Errc::channel_closed, "the request was withdrawn"};
        }
    }

    static Error crashed(Error error) {
        if (error.code == Errc::channel_closed) error.code = Errc::token_crashed;
        return error;
    }

    PluggedIn& m_tokens;
    Sheet const& m_sheet;
    S& m_screen;
    int m_web;
};

} // namespace tamga::prompt

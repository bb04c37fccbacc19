// The processes around a prompt, played by a test: tamga-web, and a tamga-token in a thread of its own.
#pragma once

#include "base/handshake.hpp"
#include "base/sealed_items.hpp"
#include "tests/support/test_certificate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace tamga::testing {

/// What happened, in order, seen from all sides.
class Events {
public:
    void add(std::string event) {
        std::lock_guard const lock{m_mutex};
        m_events.push_back(std::move(event));
    }
    [[nodiscard]] std::vector<std::string> all() const {
        std::lock_guard const lock{m_mutex};
        return m_events;
    }
    [[nodiscard]] bool any_starts_with(std::string_view start) const {
        auto const events = all();
        return std::any_of(events.begin(), events.end(), [&](auto const& event) { return event.starts_with(start); });
    }
    [[nodiscard]] std::size_t count(std::string_view event) const {
        auto const events = all();
        return static_cast<std::size_t>(std::count(events.begin(), events.end(), event));
    }

private:
    mutable std::mutex m_mutex;
    std::vector<std::string> m_events;
};

/// The octets of a PIN, by the way it travels: nothing else may read one.
inline std::string characters_of(Pin const& pin) {
    ipc::Writer writer;
    writer(pin);
    return std::string{as_text(writer.bytes().subspan(4))};
}

/// A token behind its process: knows one PIN and some keys, counts attempts, keeps the mandate.
class FakeToken {
public:
    FakeToken(Events& events, std::string pin, std::vector<Bytes> all_keys)
        : keys{std::move(all_keys)}, m_events{events}, m_pin{std::move(pin)} {}
    FakeToken(FakeToken const&) = delete;
    FakeToken& operator=(FakeToken const&) = delete;
    ~FakeToken() { stop(); }

    /// Serves `channel` until its end. Knobs must be set before.
    void serve(ipc::Channel channel) {
        m_channel = std::move(channel);
        m_thread = std::thread{[this] {
            if (ipc::say_hello(m_channel, ipc::Role::token) && ipc::await_hello(m_channel, ipc::Role::prompt)) {
                while (auto packet = m_channel.receive())
                    answer(m_channel, *packet);
            }
            m_events.add("token sees the end");
        }};
    }
    /// The listing that was kept back.
    void answer_now() { list(m_channel, {1, ipc::Depth::certificates}); }
    /// What the process says when something happens in a reader.
    void tell_of_change() { static_cast<void>(m_channel.send(ipc::TokensChanged{})); }
    void stop() {
        if (m_thread.joinable()) m_thread.join();
    }

    std::vector<Bytes> keys; ///< certificates of those it has
    ipc::SlotId slot{5};
    std::vector<Bytes> readable;          ///< certificates that it shows without a PIN
    std::atomic<bool> plugged_in{true};   ///< changes count once they are told
    std::atomic<bool> is_replaced{false}; ///< another token is in its place
    bool keeps_silent = false;            ///< answers no ListKeys
    bool crashes_at_listing = false;
    int unlocks = 0; ///< valid after stop()
    int attempts_left = 10;
    bool factory_pin = false;
    bool crashes_at_unlock = false;
    bool remembers = true;       ///< a login, where it is asked to
    bool malformed_file = false; ///< says so of the first file
    ipc::TokenInfo info = [] {
        ipc::TokenInfo token;
        token.storage = "AKKaztokenStore";
        token.label = "Demo token";
        token.login_required = token.pin_initialized = true;
        return token;
    }();
    std::vector<ipc::Mandate> mandates;        ///< valid after stop()
    std::vector<ipc::KeyMandate> key_mandates; ///< the same

private:
    void answer(ipc::Channel& channel, ipc::Packet& packet) {
        if (auto const question = packet.as<ipc::ListKeys>()) {
            if (crashes_at_listing) return channel.close();
            if (!keeps_silent) list(channel, *question);
            return;
        }
        if (auto const file = packet.as<ipc::OpenKeyFile>()) {
            m_events.add("open " + std::to_string(packet.descriptors.size()));
            if (malformed_file) {
                static_cast<void>(channel.send(
                    ipc::ListingDone{file->query, ipc::Status::from(Error{Errc::key_file_malformed, "of the test"})}));
                malformed_file = false;
                return;
            }
            list(channel, {file->query, ipc::Depth::tokens});
            return;
        }
        if (packet.is<ipc::Unlock>()) {
            auto const unlock = packet.as<ipc::Unlock>();
            m_events.add((unlock->for_key_work ? "unlock_for_work " : "unlock ") + characters_of(unlock->pin));
            ++unlocks;
            if (crashes_at_unlock) return channel.close();
            return reply(channel, characters_of(unlock->pin));
        }
        if (packet.is<ipc::ChangePin>()) {
            auto const change = packet.as<ipc::ChangePin>();
            m_events.add("change " + characters_of(change->old_pin) + " to " + characters_of(change->new_pin));
            if (info.storage == ipc::key_file_storage) return answer_password(channel, characters_of(change->old_pin));
            return answer_change(channel, characters_of(change->old_pin), Errc::pin_incorrect);
        }
        if (packet.is<ipc::UnblockPin>()) {
            auto const change = packet.as<ipc::UnblockPin>();
            m_events.add("unblock " + characters_of(change->so_pin) + " to " + characters_of(change->new_pin));
            return answer_change(channel, characters_of(change->so_pin), Errc::so_pin_incorrect);
        }
        if (auto mandate = packet.as<ipc::KeyMandate>()) {
            m_events.add("key_mandate");
            key_mandates.push_back(std::move(*mandate));
            static_cast<void>(channel.send(ipc::MandateReply{ipc::Status::from(ok())}));
            return;
        }
        if (auto const wanted = packet.as<ipc::Remember>()) {
            m_events.add("remember " + wanted->origin);
            auto const outcome = remembers ? ok() : Result<void>{Errc::unsupported};
            static_cast<void>(channel.send(ipc::RememberReply{ipc::Status::from(outcome)}));
            return;
        }
        mandates.push_back(*packet.as<ipc::Mandate>());
        if (!mandates.back().last) return;
        m_events.add("mandate");
        // A prompt whose person cancelled meanwhile is gone.
        static_cast<void>(channel.send(ipc::MandateReply{ipc::Status::from(ok())}));
    }

    /// A file writes nothing: it says what is to be written.
    void answer_password(ipc::Channel& channel, std::string const& password) {
        if (password != m_pin) {
            static_cast<void>(channel.send(ipc::PinChanged{ipc::Status::from(Errc::password_incorrect), info}));
            return;
        }
        auto const sealed = seal_items({as_view("under the new password")});
        static_cast<void>(channel.send(ipc::PinChanged{ipc::Status::from(ok()), info}, {sealed->get()}));
    }

    /// The PIN that opens it is the administrator's too.
    void answer_change(ipc::Channel& channel, std::string const& pin, Errc wrong) {
        auto const outcome = pin == m_pin ? ok() : Result<void>{wrong};
        static_cast<void>(channel.send(ipc::PinChanged{ipc::Status::from(outcome), info}));
    }

    /// A prompt that ended meanwhile, because nothing of a token is wanted, hears none of it.
    void list(ipc::Channel& channel, ipc::ListKeys const& question) const {
        if (plugged_in) {
            auto const count = static_cast<std::uint32_t>(question.depth == ipc::Depth::tokens ? 0 : readable.size());
            auto shown = info;
            if (is_replaced) shown.serial = "of another one";
            static_cast<void>(channel.send(ipc::TokenFound{question.query, slot, shown, count}));
            for (std::uint32_t i = 0; i < count; ++i)
                static_cast<void>(channel.send(ipc::CertificateFound{question.query, slot, readable[i]}));
        }
        static_cast<void>(channel.send(ipc::ListingDone{question.query, ipc::Status::from(ok())}));
    }

    void reply(ipc::Channel& channel, std::string const& pin) {
        // Who types at the keypad types the right one.
        bool const right = attempts_left > 0 && pin == (info.pin_on_reader ? "" : m_pin);
        attempts_left = right ? 10 : std::max(0, attempts_left - 1);
        info.pin_count_low = attempts_left < 10;
        if (info.attempts_left) info.attempts_left = static_cast<std::uint8_t>(attempts_left);
        info.pin_final_try = attempts_left == 1;
        info.pin_locked = attempts_left == 0;
        info.wrong_tries_seen = right ? 0 : info.wrong_tries_seen + 1;
        auto const wrong = attempts_left == 0 ? Errc::pin_locked : Errc::pin_incorrect;
        auto const outcome = right ? ok() : Result<void>{wrong};
        // A prompt whose person cancels while it waits is gone by any of these.
        static_cast<void>(channel.send(ipc::UnlockReply{ipc::Status::from(outcome), info, right && factory_pin}));
        if (!right) return;
        for (auto const& key : keys)
            static_cast<void>(channel.send(ipc::CertificateFound{0, slot, key}));
        static_cast<void>(channel.send(ipc::ListingDone{0, ipc::Status::from(ok())}));
    }

    Events& m_events;
    std::string m_pin;
    ipc::Channel m_channel;
    std::thread m_thread;
};

/// The request most tests make: sign, in English, at a known site.
inline ipc::PromptRequest sign_request() {
    ipc::PromptRequest request;
    request.request = ipc::RequestId{7};
    request.language = Language::en;
    request.origin = "https://egov.kz";
    request.purpose = ipc::Purpose::sign;
    request.form = ipc::Form::cms;
    request.filter.extended_key_usages = {std::string{signing::eku_email_protection}};
    return request;
}

/// What tamga-web sends to a prompt: the request with its documents.
inline void send_request(ipc::Channel& web, ipc::PromptRequest const& request, std::vector<Bytes> const& documents) {
    if (documents.empty()) {
        ASSERT_TRUE(web.send(request));
        return;
    }
    std::vector<View> const views{documents.begin(), documents.end()};
    auto const sealed = seal_items(views);
    ASSERT_TRUE(sealed);
    ASSERT_TRUE(web.send(request, {sealed->get()}));
}

} // namespace tamga::testing

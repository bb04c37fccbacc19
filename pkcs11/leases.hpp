// Who has which token, as the loop knows it: one lease a slot, the next one waits. The lease itself lives on its lane.
#pragma once

#include "base/sealed_items.hpp"
#include "pkcs11/lease.hpp"
#include "pkcs11/slots.hpp"

#include <list>
#include <set>
#include <stop_token>

namespace tamga::pkcs11 {

/// What is to be signed together: octets of a message, or one item of a memfd.
struct Items {
    std::vector<Bytes> octets;
    SealedItems sealed; ///< used where `octets` is empty

    [[nodiscard]] std::vector<View> views() const {
        if (octets.empty()) return sealed.items();
        return {octets.begin(), octets.end()};
    }
};

/// What is told to others about leases; each is called on the loop.
struct LeaseNews {
    std::function<void(ipc::RequestId, ipc::UnlockReply)> unlocked;
    std::function<void(ipc::RequestId, ipc::SlotId, std::vector<Bytes> certificates)> keys; ///< after a login
    std::function<void(ipc::RequestId, Result<void>)> mandate_taken;
    std::function<void(ipc::Signatures)> signatures;
    std::function<void(ipc::LeaseEnded)> ended;
    std::function<void(ipc::RequestId, Result<void>)> remember_taken;
    std::function<void(ipc::RememberedSigned)> remembered_signed;
    std::function<void(ipc::KeyProgress)> key_progress;
    std::function<void(ipc::KeyCertificate)> key_certificate;
    std::function<void(ipc::KeyOperationDone)> key_operation_done;
    std::function<void(ipc::RequestId, ipc::PinChanged)> pin_changed;
};

/// Every member is for the loop and returns at once.
class Leases {
public:
    Leases(Slots& slots, LeaseNews news);

    /// One login, when the token is free: told by `unlocked`. `shown` is the token that the person was asked for the
    /// PIN of, where it was listed before. A lease that the request has already ends before.
    void unlock(ipc::RequestId request, ipc::Unlock message, std::optional<ShownToken> shown);
    /// A part of the mandate: told by `mandate_taken` after the last, or at once where it fails.
    void add_to_mandate(ipc::RequestId request, ipc::Mandate message);
    /// Told by `signatures` or, where one of them cannot be made, by `ended`.
    void sign(ipc::RequestId request, std::uint32_t first, Items items);
    /// What the person agreed to of work on keys: told by `mandate_taken`.
    void give_key_mandate(ipc::RequestId request, ipc::KeyMandate message);
    /// Told by `key_progress`, `key_certificate` and `key_operation_done`; where it fails, by `ended` too.
    void perform(ipc::PerformKeyOperation message);
    /// The PIN of a token that nobody is logged in to, when it is free: told by `pin_changed`.
    void change_pin(ipc::RequestId request, ipc::ChangePin message, std::optional<ShownToken> shown);
    void unblock_pin(ipc::RequestId request, ipc::UnblockPin message, std::optional<ShownToken> shown);
    /// Behind a mandate: told by `remember_taken`.
    void remember(ipc::RequestId request, ipc::Remember message);
    /// Told by `remembered_signed`. A failure ends what was remembered.
    void sign_remembered(ipc::SignRemembered message);
    /// Nothing more to sign: as `end`, told by `ended`; but where the login is to be remembered it stays. Asked of such
    /// a one again, it ends.
    void finish(ipc::RequestId request);
    /// Ends whatever is remembered, or is about to be.
    void forget_remembered(Error const& why);

    /// Logs the request's token out, or sees to it that nobody is logged in to it: told by `ended`, where tamga-web
    /// knows of the lease. What the token is doing it does to its end, but makes no further signature.
    void end(ipc::RequestId request, Result<void> const& why);
    /// The same for every request that has a lease, or is about to. Whoever asks for something of it later is told
    /// `why`.
    void end_every(Error const& why);
    /// The same for those who are logged in to the card in this reader.
    void pulled_out(std::string_view reader);
    /// Ends everything, without a word to tamga-web: it is gone.
    void end_all(Error const& why);

    /// Nobody is logged in, and nobody is about to be.
    [[nodiscard]] bool none() const noexcept { return m_held.empty(); }
    /// When the first lease ends by itself.
    [[nodiscard]] std::optional<SteadyTime> next_end() const;
    void end_late_ones();
    /// Tells those whose lane will not come back. The process ends after that.
    void give_up(Lane const& lane, Error const& why);

private:
    enum class Stage : std::uint8_t { waiting, opening, open, ending };
    enum class PinWork : std::uint8_t { change, unblock };
    struct Held {
        ipc::RequestId request;
        ipc::SlotId slot;
        std::string slot_description; ///< where the module is one over PC/SC: the reader's name
        Stage stage = Stage::waiting;
        Pin pin;
        std::optional<ShownToken> shown;
        Bytes chosen; ///< of Unlock
        Access access = Access::read;
        Pin new_pin;                       ///< where the PIN is to be changed, and nobody logged in
        std::optional<PinWork> pin_work{}; ///< the same
        std::shared_ptr<Lane> lane;
        std::shared_ptr<Lease> lease; ///< touched on the lane alone
        bool has_mandate = false;
        bool has_key_mandate = false;
        bool to_be_remembered = false; ///< once its request is finished
        bool has_signed = false;       ///< what its mandate was for; else there is nothing to remember
        bool person_left = false;      ///< meanwhile: nothing of it is remembered
        bool remembered = false;       ///< its request is finished, and the prompt may go
        bool web_waits = false;        ///< tamga-web is to be told of the end
        bool prompt_waits = false;     ///< it gave its mandate and is to be told what became of it
        std::stop_source stop;
        Result<void> why = ok();    ///< of the end
        Result<void> broken = ok(); ///< why the login that is under way is of no use
        std::uint64_t removals = 0; ///< of cards, before that login began
        SteadyTime since;
        Lease::End end{SteadyTime::max(), {}};
    };
    using SharedHeld = std::shared_ptr<Held>;
    struct Opened {
        Result<std::shared_ptr<Lease>> lease;
        ipc::TokenInfo info;
        std::vector<Bytes> certificates;
        std::string slot_description;
        bool factory_pin = false;
    };

    [[nodiscard]] SharedHeld find(ipc::RequestId request) const;
    [[nodiscard]] SharedHeld find_failed(ipc::RequestId request) const;
    [[nodiscard]] bool in_use(ipc::SlotId slot) const;
    [[nodiscard]] Error why_none(ipc::RequestId request, char const* otherwise) const;
    [[nodiscard]] SharedHeld find_remembered(ipc::RequestId request) const;
    [[nodiscard]] SharedHeld lease_of_prompt(ipc::RequestId request, ipc::RequestId named);
    [[nodiscard]] SharedHeld lease_of_web(ipc::RequestId request, bool Held::*mandate, char const* otherwise);
    void keep(SharedHeld const& held);
    void make_way(ipc::SlotId slot);
    void break_off(SharedHeld const& held, Error const& why);
    void serve_waiting();
    void open(SharedHeld const& held);
    void opened(SharedHeld const& held, Opened result);
    void wait_in_line(SharedHeld held);
    void work_on_pin(SharedHeld const& held);
    void told_of_pin(SharedHeld const& held, Result<void> const& status, ipc::TokenInfo info);
    void performed(SharedHeld const& held, std::uint32_t index, KeyWorkDone done);
    void end(SharedHeld const& held, Result<void> const& why);
    void close(SharedHeld const& held);
    void closed(SharedHeld const& held, unsigned signatures);
    void tell_the_end(Held& held);
    void forget(SharedHeld const& held);
    [[nodiscard]] static bool ends_by_itself(Held const& held);
    [[nodiscard]] bool warns_of_factory_pin(Opened const& result);

    Slots& m_slots;
    LeaseNews m_news;
    std::list<SharedHeld> m_held;                 ///< in the order of their coming
    std::map<ipc::RequestId, Error> m_broken_off; ///< of prompts that may still ask
    std::set<std::string> m_warned;               ///< tokens whose owner was told of the PIN they were delivered with
};

} // namespace tamga::pkcs11
